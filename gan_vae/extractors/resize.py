"""Three ways to resize that libraries of FID use, and that move it by whole points.

    y = A_H x A_W^T,    A[o, i] = k(i - c(o)) / sum_i k(i - c(o))

`tf1`   TensorFlow 1's bilinear: k a triangle about c(o) = o in / out, which moves the
        picture by up to half a pixel. As the Inception graph of 2015; torch-fidelity.
`torch` F.interpolate(mode='bilinear'): c(o) = (o + 1/2) in / out - 1/2; pytorch-fid.
        Both look at two pixels however much they shrink: they alias.
`clean` Pillow's bicubic on floats: Keys' cubic (a = -1/2), widened by in / out where it
        shrinks, then clipped to 0..255; clean-fid.

Parmar et al. 2022, arXiv:2104.11222. (`jax.image.resize` smooths where it shrinks,
unless told not to, like neither of the bilinear two.)
"""

import functools

import jax.numpy as jnp
import numpy as np
from jax import lax

from gan_vae.errors import unknown

NAMES = ('tf1', 'torch', 'clean')


def resize(images, size: int, how: str):
    """Float images [n, H, W, C] in 0..255 -> float32 [n, size, size, C] in 0..255.

    `how`: 'tf1', 'torch' or 'clean', by the module's formulas; others a UserError.
    """
    if how not in NAMES:
        raise unknown('resize', how, NAMES)
    _, h, w, _ = images.shape
    if how != 'clean' and h == w == size:
        return images.astype(jnp.float32)
    # Columns first, as Pillow. Full precision: TF32 would round to 10 bits.
    exact = functools.partial(jnp.einsum, precision=lax.Precision.HIGHEST)
    y = exact('nhwc,pw->nhpc', images.astype(jnp.float32), _matrix(w, size, how))
    y = exact('nhpc,oh->nopc', y, _matrix(h, size, how))
    return jnp.clip(y, 0, 255) if how == 'clean' else y


@functools.cache
def _matrix(n: int, size: int, how: str) -> np.ndarray:
    """A: float32 [size, n], rounded from float64."""
    centre = np.arange(size)[:, None] * (n / size)
    if how != 'tf1':
        centre = centre + (n / size - 1) / 2
    x = abs(np.arange(n) - centre)
    a = _cubic(x / max(n / size, 1)) if how == 'clean' else np.maximum(1 - x, 0)
    # Pixels beyond the edge have no weight: the others share theirs.
    return (a / a.sum(1, keepdims=True)).astype(np.float32)


def _cubic(x):
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0))
