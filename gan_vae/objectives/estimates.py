"""A first estimate of what a damaged picture was, by filters, which a network refines.

  missing pixels   argmin |L x|^2 + |grad x|^2, x = y where seen     a plate in tension
  blur             argmin |K x - y|^2 + a |L x|^2                    Tikhonov
  noise            D^T T_3s(D y)                                     Yu & Sapiro 2011

One after the other, each where its damage is told of; the deviation of the noise is
estimated where nothing is told. L is the Laplacian, K a blur, and a the least at which
what is left, |K x - y|, is as large as the noise (Morozov 1966) and the noise in x is
limited. D are the cosine transforms of all blocks of SIDE pixels and of the channels, T
sets to 0 what is below, and blocks count by how few numbers they need (IPOL,
doi:10.5201/ipol.2011.ys-dct).
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.fft import dctn, idctn

from gan_vae.objectives import damage

SIDE = 8  # pixels of a block
THRESHOLD = 2.7  # deviations of the noise
GAIN = 4.0  # noise in a sharpened x over that in y, at most
TENSION = 1.0  # of the plate: 0 is biharmonic, and overshoots in large holes
FILL_STEPS = 100  # of conjugate gradients, or twice as many as pixels of a side
NOISE = 0.03  # deviation of the noise in a sharpened x, unless that of y is larger
ROUNDING = 0.3 / damage.UNIT  # deviation of the noise of whole grey levels


def of(y: jax.Array, mask: jax.Array | None, told: jax.Array) -> jax.Array:
    """float32 [B, H, W, C] of damaged pictures y [B, H, W, C] in [-1, 1], seen where
    mask [B, H, W, 1] is 1 (None: everywhere), told [B, T] as damage.TOLD."""

    def one(y: jax.Array, told: jax.Array) -> jax.Array:
        found = noise_of(y)
        kernel = damage.gaussian(told[2] * damage.MOST_BLUR)
        sharp = deblurred(y, kernel, jnp.maximum(found, ROUNDING))
        return jnp.where(told[2] > 0, sharp, denoised(y, noise_told(told, found)))

    y = y if mask is None else jax.vmap(filled)(y, mask)
    return jax.lax.stop_gradient(jax.vmap(one)(y, told))


def noise_told(told: Any, found: Any) -> jax.Array:
    """The deviation of the noise: that which `told` [T] names, or else `found`."""
    return jnp.where(told[0] > 0, told[1] * damage.MOST_NOISE / damage.UNIT, found)


def noise_of(y: jax.Array) -> jax.Array:
    """The deviation of white noise in y [H, W, C]; 0 below 2 pixels a side.

    Of the finest diagonal detail, by its median: Donoho & Johnstone 1994 (Biometrika).
    """
    if min(y.shape[:2]) < 2:
        return jnp.zeros(())
    y = y[: len(y) // 2 * 2, : y.shape[1] // 2 * 2]
    detail = y[::2, ::2] - y[1::2, ::2] - y[::2, 1::2] + y[1::2, 1::2]
    return jnp.median(jnp.abs(detail)) / 2 / 0.6745


def denoised(y: jax.Array, deviation: jax.Array) -> jax.Array:
    """y [H, W, C] without white noise of that deviation."""
    height, width, channels = y.shape
    more = [(SIDE, SIDE + -height % SIDE), (SIDE, SIDE + -width % SIDE), (0, 0)]
    padded = jnp.pad(y, more, 'symmetric')
    rows, columns = (side // SIDE - 1 for side in padded.shape[:2])
    size = rows * SIDE, columns * SIDE, channels
    blocks = rows, SIDE, columns, SIDE, channels
    bases = cosines(SIDE), cosines(SIDE), cosines(channels)

    def add(carry: tuple[Any, ...], corner: jax.Array) -> tuple[Any, ...]:
        total, weights = carry
        at = (*corner, 0)
        x = jax.lax.dynamic_slice(padded, at, size).reshape(blocks)
        numbers = jnp.einsum('ui,vj,wc,aibjc->aubvw', *bases, x)
        large = jnp.abs(numbers) > THRESHOLD * deviation
        large = large.at[:, 0, :, 0].set(True)
        weight = 1 / jnp.sum(large, (1, 3, 4), keepdims=True)
        x = weight * jnp.einsum('ui,vj,wc,aubvw->aibjc', *bases, numbers * large)
        weight = jnp.broadcast_to(weight, blocks)
        sums = []
        for kept, new in ((total, x), (weights, weight)):
            new += jax.lax.dynamic_slice(kept, at, size).reshape(blocks)
            sums.append(jax.lax.dynamic_update_slice(kept, new.reshape(size), at))
        return tuple(sums), None

    corners = jnp.stack(jnp.meshgrid(jnp.arange(SIDE), jnp.arange(SIDE)), -1)
    start = jnp.zeros_like(padded), jnp.zeros_like(padded)
    (total, weights), _ = jax.lax.scan(add, start, corners.reshape(-1, 2))
    inside = slice(SIDE, SIDE + height), slice(SIDE, SIDE + width)
    return total[inside] / weights[inside]


def deblurred(y: jax.Array, kernel: jax.Array, deviation: jax.Array) -> jax.Array:
    """y [H, W, C], blurred along both sides by a kernel [2 n + 1] and with white noise
    of that deviation, made sharp."""
    height, width, _ = y.shape
    numbers = dctn(y, axes=(0, 1), norm='ortho')
    away = np.arange(len(kernel)) - len(kernel) // 2
    angles = [np.pi * np.arange(side) / side for side in (height, width)]
    down, across = (jnp.cos(np.outer(a, away)) @ kernel for a in angles)
    blur = (down[:, None] * across[None])[..., None]
    waves = (2 - 2 * np.cos(a) for a in angles)
    bends = jnp.float32(np.add.outer(*waves) ** 2)[..., None]
    limit = jnp.clip(NOISE / deviation, 1, GAIN)

    def halve(_: int, ends: tuple[Any, ...]) -> tuple[Any, ...]:
        low, high = ends
        middle = (low + high) / 2
        rough = 10**middle * bends
        left = jnp.mean((numbers * rough / (blur**2 + rough + 1e-30)) ** 2)
        gain = jnp.mean((blur / (blur**2 + rough + 1e-30)) ** 2)
        more = (left < deviation**2) | (gain > limit**2)
        return jnp.where(more, middle, low), jnp.where(more, high, middle)

    low, _ = jax.lax.fori_loop(0, 25, halve, (-12.0, 6.0))
    x = numbers * blur / (blur**2 + 10**low * bends + 1e-30)
    return idctn(x, axes=(0, 1), norm='ortho')


def filled(y: jax.Array, mask: jax.Array) -> jax.Array:
    """y [H, W, C], drawn smoothly where mask [H, W, 1] is 0. For small pictures: the
    conjugate gradients begin at the mean of what is seen."""
    seen = jnp.sum(y * mask, (0, 1)) / jnp.maximum(jnp.sum(mask), 1)
    x = jnp.where(mask > 0, y, seen)

    def bent(x: jax.Array) -> jax.Array:
        """-L x, even at the edges."""
        edges = jnp.pad(x, ((1, 1), (1, 1), (0, 0)), 'edge')
        around = edges[2:, 1:-1] + edges[:-2, 1:-1] + edges[1:-1, 2:] + edges[1:-1, :-2]
        return 4 * x - around

    def applied(x: jax.Array) -> jax.Array:
        return (1 - mask) * (bent(bent(x)) + TENSION * bent(x))

    def step(_: int, carry: tuple[Any, ...]) -> tuple[Any, ...]:
        x, rest, direction, size = carry
        moved = applied(direction)
        along = size / jnp.maximum(jnp.sum(direction * moved, (0, 1)), 1e-12)
        x, rest = x + along * direction, rest - along * moved
        before, size = size, jnp.sum(rest**2, (0, 1))
        return x, rest, rest + size / jnp.maximum(before, 1e-12) * direction, size

    rest = -applied(x)
    start = x, rest, rest, jnp.sum(rest**2, (0, 1))
    steps = max(FILL_STEPS, 2 * max(y.shape[:2]))
    x, *_ = jax.lax.fori_loop(0, steps, step, start)
    return jnp.clip(x, -1, 1)


def cosines(side: int) -> np.ndarray:
    """The orthonormal cosine transform [side, side] of that many numbers."""
    n = np.arange(side)
    basis = np.cos(np.pi * (2 * n[None] + 1) * n[:, None] / (2 * side))
    basis *= np.sqrt(2 / side)
    basis[0] /= np.sqrt(2)
    return basis.astype(np.float32)
