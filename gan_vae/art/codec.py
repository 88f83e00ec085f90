"""Lossless compression with a trained VAE: bits-back coding on an ANS stack.

  encode  pop z ~ q(z | x) from the stack, push x with p(x | z), push z with p(z)
  decode  pop z with p(z), pop x with p(x | z), push z with q(z | x)

The bits that choose z come back when it is decoded, so an image takes, but for the
first few, the negative ELBO. Groups of latents go from the top to the pixels. Townsend
et al. 2019, arXiv:1901.04866; hierarchical: Townsend et al. 2020, arXiv:1912.09953. The
stack and its quantised laws are those of `constriction`.

A latent is a whole number n of steps, z = m + s n / GRID, with m and s of its prior
p(z_l | z_<l). Encoder and decoder call the same compiled functions on batches of one
shape, as the last bit of a probability decides what is read.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gan_vae import modules
from gan_vae.errors import UserError
from gan_vae.methods.contract import Coder
from gan_vae.objectives.bounds import LOG_VARIANCE

BATCH = 16  # images at a time, at most: `_batches`
GRID = 32  # steps in a standard deviation of the prior: finer ones gained nothing
REACH = 8 * GRID  # how far they go on each side
CONSTRICTION = 'constriction', 'the codec', 'constriction', 'codec'
START = 256  # words, a quarter more until they suffice


class Coded(NamedTuple):
    """Images as a stack of 32-bit words, `initial` of which it began with."""

    words: np.ndarray  # uint32
    initial: int


def encode(coder: Coder, levels: np.ndarray, seed: int = 0) -> Coded:
    """Codes uint8 levels [N, H, W, C], each below coder.likelihood.levels.

    seed: of the bits that the stack begins with.
    """
    walk, initial = _Walk(coder), START
    while True:
        stack = _Stack(_lent(initial, seed))
        try:
            for part in _batches(len(levels)):
                _push(walk, stack, levels[part])
            return Coded(stack.words(), initial)
        except _Exhausted:
            initial += initial // 4


def decode(
    coder: Coder, coded: Coded, count: int, shape: tuple, seed: int = 0
) -> np.ndarray:
    """The levels [count, *shape] of what `encode` gave. UserError if it did not."""
    walk, stack = _Walk(coder), _Stack(coded.words)
    levels = np.zeros((count, *shape), np.uint8)
    for part in reversed(_batches(count)):
        try:
            levels[part] = _pop(walk, stack, levels[part].shape)
        except _Exhausted as error:
            raise UserError(UNEVEN) from error
    rest = stack.words()
    if len(rest) != coded.initial or (rest != _lent(coded.initial, seed)).any():
        raise UserError(UNEVEN)
    return levels


UNEVEN = 'the bits do not come out even: this model did not write them'


def _batches(count: int) -> list[slice]:
    """Of so many images, one at first: latents are chosen by bits of those before, and
    an image leaves a sixteenth or more of what it takes to choose its own."""
    parts, start = [], 0
    while start < count:
        size = min(BATCH, 1 + start // 16, count - start)
        parts.append(slice(start, start + size))
        start += size
    return parts


def _lent(count: int, seed: int) -> np.ndarray:
    # none is 0, as the last may not be
    return np.random.default_rng(seed).integers(1, 2**32, count, np.uint32)


class _Exhausted(Exception):
    """The stack has no more bits to give."""


class _Stack:
    """The ANS stack, and the laws of what it codes."""

    def __init__(self, words: np.ndarray):
        stream = modules.optional(*CONSTRICTION).stream
        model, self._ans = stream.model, stream.stack.AnsCoder(words)
        self.posterior = model.QuantizedGaussian(-REACH, REACH)
        self.prior = model.QuantizedGaussian(-REACH, REACH, 0.0, float(GRID))
        self.masses = model.Categorical(perfect=False)

    def words(self) -> np.ndarray:
        return self._ans.get_compressed()

    def pop(self, law, *parameters):
        """Symbols of a law; of one without parameters, so many."""
        symbols = self._ans.decode(law, *parameters)
        if self._ans.num_words() <= 2:  # what it gives beyond is no longer its own
            raise _Exhausted
        return symbols

    def push(self, symbols, law, *parameters):
        self._ans.encode_reverse(symbols, law, *parameters)


class _Walk:
    """A Coder's functions, compiled for BATCH rows, on NumPy arrays."""

    def __init__(self, coder: Coder):
        likelihood = coder.likelihood
        if likelihood.pmf is None:
            raise UserError(
                f'a codec needs probabilities, and this likelihood is a '
                f'{likelihood.units}: train with bernoulli, categorical or '
                'logistic_mixture'
            )
        self.groups, self.levels = coder.groups, likelihood.levels
        self.start = coder.start
        self.features, self.outputs = jax.jit(coder.features), jax.jit(coder.outputs)
        self.prior, self.posterior, self.descend = (
            jax.jit(f, static_argnums=0)
            for f in (coder.prior, coder.posterior, coder.descend)
        )
        self.pmf: Callable = jax.jit(
            partial(likelihood.pmf, coder.params), static_argnums=2
        )

    def seen(self, levels):
        """What the model sees of levels [n, H, W, C], with zeros up to BATCH rows."""
        x = np.zeros((BATCH, *levels.shape[1:]), np.float32)
        x[: len(levels)] = 2 * levels.astype(np.float32) / (self.levels - 1) - 1
        return x

    def masses(self, outputs, x, channel: int, n: int):
        """[n H W, levels] of a channel."""
        masses = np.asarray(self.pmf(outputs, x, channel))[:n]
        return _finite(np.ascontiguousarray(masses.reshape(-1, self.levels)))

    def steps(self, group: int, carry, features, prior, n: int):
        """Mean and deviation of the posterior, in steps of the prior: [n D] each."""
        m, s = prior
        mean, deviation = _gaussian(self.posterior(group, carry, features))
        mean = np.clip(GRID * (mean - m) / s, -REACH, REACH)[:n]
        deviation = np.clip(GRID * deviation / s, 1e-2, 1e6)[:n]
        return _finite(mean.reshape(-1)), _finite(deviation.reshape(-1))

    def down(self, group: int, carry, prior, symbols):
        """The carry below the latents of these numbers [n D]."""
        m, s = prior
        z = m.copy()
        part = symbols.reshape(-1, m.shape[1])
        z[: len(part)] += s[: len(part)] * part / GRID
        return self.descend(group, carry, jnp.asarray(z, jnp.float32))


def _gaussian(law):
    """(mean, deviation) in float64 of (mean, log variance)."""
    mean, log_variance = (np.asarray(a, np.float64) for a in law)
    return mean, np.exp(0.5 * np.clip(log_variance, *LOG_VARIANCE))


def _finite(numbers):
    if not np.isfinite(numbers).all():
        raise UserError('the model gives numbers that are not finite: train it anew')
    return numbers


def _push(walk: _Walk, stack: _Stack, levels: np.ndarray):
    """A batch of levels [n, H, W, C] onto the stack."""
    n, x, carry = len(levels), walk.seen(levels), walk.start(BATCH)
    features, numbers = walk.features(x), []
    for group in range(walk.groups):
        prior = _gaussian(walk.prior(group, carry))
        law = walk.steps(group, carry, features, prior, n)
        numbers.append(stack.pop(stack.posterior, *law))
        carry = walk.down(group, carry, prior, numbers[-1])
    outputs = walk.outputs(carry)
    for channel in reversed(range(levels.shape[-1])):
        symbols = levels[..., channel].reshape(-1).astype(np.int32)
        masses = walk.masses(outputs, x, channel, n)
        stack.push(symbols, stack.masses, masses)
    for symbols in reversed(numbers):
        stack.push(symbols, stack.prior)


def _pop(walk: _Walk, stack: _Stack, shape: tuple) -> np.ndarray:
    """A batch of levels, of this shape [n, H, W, C], off the stack."""
    n, carry = shape[0], walk.start(BATCH)
    above, levels = [], np.zeros(shape, np.uint8)
    for group in range(walk.groups):
        prior = _gaussian(walk.prior(group, carry))
        symbols = stack.pop(stack.prior, n * prior[0].shape[1])
        above.append((carry, prior, symbols))
        carry = walk.down(group, carry, prior, symbols)
    outputs = walk.outputs(carry)
    for channel in range(shape[-1]):
        masses = walk.masses(outputs, walk.seen(levels), channel, n)
        levels[..., channel] = stack.pop(stack.masses, masses).reshape(shape[:-1])
    features = walk.features(walk.seen(levels))
    for group in reversed(range(walk.groups)):
        carry, prior, symbols = above[group]
        law = walk.steps(group, carry, features, prior, n)
        stack.push(symbols, stack.posterior, *law)
    return levels
