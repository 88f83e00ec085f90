"""Three ways to resize that libraries of FID use, and that move it by whole points.

    y = A_H x A_W^T,    A[o, i] = k(i - c(o)) / sum_i k(i - c(o))

`tf1`   TensorFlow 1's bilinear: k a triangle about c(o) = o in / out, which moves the
        picture by up to half a pixel. As the Inception graph of 2015; torch-fidelity.
`torch` F.interpolate(mode='bilinear'): c(o) = (o + 1/2) in / out - 1/2; pytorch-fid.
        Both look at two pixels however much they shrink: they alias.
`clean` Pillow's bicubic on floats: Keys' cubic (a = -1/2), widened by in / out where it
        shrinks, then clipped to 0..255; clean-fid.

Parmar et al. 2022, arXiv:2104.11222. `jax.image.resize` is none of the bilinear two.
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
    kernel = {'tf1': _tf1, 'torch': _torch, 'clean': _clean}[how]
    a = kernel(n, np.arange(size)[:, None] * 1.0, n / size)
    return (a / a.sum(1, keepdims=True)).astype(np.float32)


def _tf1(n, o, scale):
    centre = np.minimum(o * scale, n - 1)
    return np.maximum(1 - abs(np.arange(n) - centre), 0)


def _torch(n, o, scale):
    centre = np.clip((o + 0.5) * scale - 0.5, 0, n - 1)
    return np.maximum(1 - abs(np.arange(n) - centre), 0)


def _clean(n, o, scale):
    """Pixels beyond the edge have no weight, so that the sum over the others is 1."""
    x = abs(np.arange(n) + 0.5 - (o + 0.5) * scale) / max(scale, 1)
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0))
