"""Vectors to codes of a finite alphabet, with gradients straight through.

  fsq     each number of a vector to one of L levels, K = prod L (Mentzer et al. 2023,
          arXiv:2309.15505), without a codebook and without a loss of its own
  vq      the nearest of K learned vectors (van den Oord et al. 2017, arXiv:1711.00937)
  ema_vq  the same, each vector the moving average of those that are nearest to it
          (its appendix A.1)
  l2_vq   the same of vectors of length 1 (Yu et al. 2021, arXiv:2110.04627)

Of a codebook, a code that few vectors have for long is restarted as a twin of the code
that most have, and both take half of those: the splitting of Linde, Buzo & Gray 1980,
which needs no vectors of the batch, and so is the same on any number of devices.

The codebook's loss of vq and l2_vq is |e - sg z|^2 + b |z - sg e|^2, that of ema_vq its
second term; mean over vectors and, as in the authors' code, over their numbers. All of
it is in float32: an index has no rounding to spare.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from gan_vae.errors import UserError

EDGE = 1e-3  # of a level, by which the outermost ones stay inside of tanh
LITTLE = 1e-8  # share of vectors
LEAST = 3  # levels: two have no middle
TWIN = 0.01  # how far a restarted code is from its twin, over the length of that


class Quantised(NamedTuple):
    """What became of vectors z [..., d]."""

    codes: jax.Array  # [..., d], whose gradient is that of z
    number: jax.Array  # int32 [...], of the code
    loss: jax.Array  # [], of the codebook
    # (shares [K], sums [K, d]) of the vectors of each code, where `follow` takes them
    near: Any = None


class Quantiser(NamedTuple):
    """z [..., dim] -> codes of an alphabet of `size`."""

    name: str
    size: int
    dim: int
    init: Callable[..., dict[str, Any]]  # key -> params
    quantise: Callable[..., Quantised]  # (params, z) -> Quantised
    look_up: Callable[..., jax.Array]  # (params, index [...]) -> codes [..., dim]
    # (params, near) -> params, after an update: of ema_vq, and where codes restart
    follow: Callable[..., dict[str, Any]] | None = None


def make(
    name: str,
    levels: str,
    size: int,
    dim: int,
    commitment: float,
    decay: float = 0.99,
    restart: float = 0.0,
) -> Quantiser:
    """The quantiser of that name; levels: of fsq, as '8,5,5,5'; the rest of the others.

    restart: the share of vectors, over 1/K, below which a code starts anew; 0: never.
    A UserError for levels that fsq cannot have.
    """
    return QUANTISERS[name](name, levels, size, dim, commitment, decay, restart)


def parse(levels: str) -> tuple[int, ...]:
    """(8, 5, 5, 5) of '8,5,5,5'."""
    words = [word.strip() for word in levels.split(',')]
    if not all(word.isdecimal() and int(word) >= LEAST for word in words):
        raise UserError(
            f'config.method.levels={levels!r}: numbers of at least {LEAST} with commas '
            'between them, as 8,5,5,5'
        )
    numbers = tuple(map(int, words))
    if math.prod(numbers) >= 2**31:
        raise UserError(f'config.method.levels={levels!r}: their product is too large')
    return numbers


def bound(z: jax.Array, levels: tuple[int, ...]) -> jax.Array:
    """z [..., d] within the levels: integers of it are -floor(L/2) to ceil(L/2) - 1."""
    sizes = np.array(levels, np.float32)
    half = (sizes - 1) * (1 - EDGE) / 2
    offset = np.where(sizes % 2, 0.0, 0.5).astype(np.float32)
    shift = np.arctanh(offset / half).astype(np.float32)
    return jnp.tanh(z + shift) * half - offset


def _fsq(name: str, levels: str, *_: Any) -> Quantiser:
    numbers = parse(levels)
    middle = np.array(numbers) // 2
    basis = np.cumprod([1, *numbers[:-1]]).astype(np.int32)

    def quantise(params: dict[str, Any], z: jax.Array) -> Quantised:
        bounded = bound(z.astype(jnp.float32), numbers)
        digits = jnp.round(bounded)
        straight = bounded + lax.stop_gradient(digits - bounded)
        index = jnp.sum((digits.astype(jnp.int32) + middle) * basis, -1)
        return Quantised(straight / middle, index, jnp.zeros(()))

    def look_up(params: dict[str, Any], index: jax.Array) -> jax.Array:
        digits = index[..., None] // basis % np.array(numbers)
        return ((digits - middle) / middle).astype(jnp.float32)

    return Quantiser(
        name, math.prod(numbers), len(numbers), lambda _: {}, quantise, look_up
    )


def _codebook(
    name: str,
    levels: str,
    size: int,
    dim: int,
    commitment: float,
    decay: float,
    restart: float,
) -> Quantiser:
    unit, moving = name == 'l2_vq', name == 'ema_vq'
    follows = moving or restart > 0

    def scaled(z: jax.Array) -> jax.Array:
        if not unit:
            return z
        return z * lax.rsqrt(jnp.sum(z * z, -1, keepdims=True) + 1e-12)

    def look_up(params: dict[str, Any], index: jax.Array) -> jax.Array:
        return scaled(params['codebook'])[index]

    def quantise(params: dict[str, Any], z: jax.Array) -> Quantised:
        z, codebook = scaled(z.astype(jnp.float32)), scaled(params['codebook'])
        far = jnp.sum(codebook**2, -1) - 2 * z @ codebook.T
        index = jnp.argmin(far, -1).astype(jnp.int32)
        codes = codebook[index]
        loss = commitment * _distance(z, lax.stop_gradient(codes))
        near = None
        if follows:
            hot = jax.nn.one_hot(index.ravel(), size)
            flat = lax.stop_gradient(z).reshape(-1, dim)
            near = jnp.mean(hot, 0), hot.T @ flat / flat.shape[0]
        if not moving:
            loss += _distance(codes, lax.stop_gradient(z))
        return Quantised(z + lax.stop_gradient(codes - z), index, loss, near)

    def init(key: jax.Array) -> dict[str, Any]:
        # of unit variance, as vectors are at the start: few codes are far from all
        codebook = jax.random.normal(key, (size, dim))
        if not follows:
            return {'codebook': codebook}
        # averages from 0 on, without the bias of their start: Kingma & Ba 2014
        zeros = {'shares': (size,), 'sums': (size, dim), 'weight': ()}
        zeros = {name: jnp.zeros(shape) for name, shape in zeros.items()}
        return {'codebook': codebook, 'near': zeros}

    def follow(
        params: dict[str, Any], near: tuple[jax.Array, jax.Array]
    ) -> dict[str, Any]:
        now = dict(zip(('shares', 'sums', 'weight'), (*near, 1.0), strict=True))
        new = {
            name: decay * old + (1 - decay) * now[name]
            for name, old in params['near'].items()
        }
        codebook = params['codebook']
        if moving:
            shares, sums = (new[name] / new['weight'] for name in ('shares', 'sums'))
            # so that a code without vectors is finite: it goes to 0
            shares = (shares + LITTLE) / (1 + size * LITTLE)
            codebook = sums / shares[:, None]
        if restart:
            codebook, new = _restarted(codebook, new, restart / size)
        return {'codebook': codebook, 'near': new}

    return Quantiser(
        name, size, dim, init, quantise, look_up, follow if follows else None
    )


def _restarted(
    codebook: jax.Array, near: dict[str, Any], least: float
) -> tuple[jax.Array, dict[str, Any]]:
    """(codebook, near) with each code whose share is below `least` beside a code of
    many vectors: the rarest beside the most frequent, and so on."""
    shares = near['shares']
    order = jnp.argsort(shares)
    dead, full = order, order[::-1]
    # one that would fall below by its half stays as it is
    splits = (shares[dead] < least * near['weight']) & (
        shares[full] >= 2 * least * near['weight']
    )
    away = jax.random.normal(jax.random.key(0), codebook.shape)
    away /= jnp.linalg.norm(away, axis=-1, keepdims=True)
    length = jnp.linalg.norm(codebook[full], axis=-1, keepdims=True)
    twin = codebook[full] + TWIN * length * away
    half, pick = shares[full] / 2, splits[:, None]
    codebook = codebook.at[dead].set(jnp.where(pick, twin, codebook[dead]))
    halves = jnp.where(splits, half, shares[full])
    shares = shares.at[full].set(halves)
    shares = shares.at[dead].set(jnp.where(splits, half, shares[dead]))
    sums = near['sums']
    half_sums = sums[full] / 2
    sums = sums.at[full].set(jnp.where(pick, half_sums, sums[full]))
    new = jnp.where(pick, half[:, None] * twin, sums[dead])
    sums = sums.at[dead].set(new)
    return codebook, near | {'shares': shares, 'sums': sums}


def _distance(a: jax.Array, b: jax.Array) -> jax.Array:
    return jnp.mean(jnp.square(a - b))


def usage(counts: Any) -> tuple[float, float]:
    """(share of the alphabet that is used, perplexity) of counts [K] of its codes."""
    counts = np.asarray(counts, np.float64)
    share = counts[counts > 0] / counts.sum()
    return float(np.mean(counts > 0)), float(np.exp(-np.sum(share * np.log(share))))


QUANTISERS = {
    'fsq': _fsq,
    'vq': _codebook,
    'ema_vq': _codebook,
    'l2_vq': _codebook,
}
