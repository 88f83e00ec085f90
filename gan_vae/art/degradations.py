"""What a damaged picture shows of a whole one: linear, y = A x, and what is known of x.

  whole   y = x (with noise, if any)       hole    y = mask x
  small   y = means of blocks of pixels    blurred y = x under a Gaussian
  grey    y = 0.299 R + 0.587 G + 0.114 B  (ITU-R BT.601)

`consistent` gives the picture nearest to x of which y is exactly what is seen.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

LUMA = np.array([0.299, 0.587, 0.114], np.float32)


class Degradation(NamedTuple):
    """What is seen of float images [n, H, W, C]. Hashable: static to a jit."""

    name: str  # whole, hole, small, blurred or grey
    factor: int = 1  # of small: pixels in the side of a block
    radius: float = 0.0  # of blurred: the deviation of the Gaussian, in pixels

    def seen(self, x, mask=None):
        """A x; mask: [H, W, 1] of hole, 1 where a pixel is seen."""
        if self.name == 'hole':
            return x * mask
        if self.name == 'small':
            n, height, width, channels = x.shape
            f = self.factor
            return x.reshape(n, height // f, f, width // f, f, channels).mean((2, 4))
        if self.name == 'blurred':
            return _along(_along(x, self.radius, 1), self.radius, 2)
        if self.name == 'grey':
            return jnp.sum(x * LUMA, -1, keepdims=True)
        return x

    def consistent(self, x, y, mask=None):
        """The nearest to x of which y is seen; of whole and blurred, x itself."""
        if self.name == 'hole':
            return jnp.where(mask > 0, y, x)
        if self.name in ('small', 'grey'):
            rest = y - self.seen(x)
            if self.name == 'grey':
                return x + rest * LUMA / np.sum(LUMA**2)
            return x + jnp.repeat(jnp.repeat(rest, self.factor, 1), self.factor, 2)
        return x


def kernel(radius: float) -> np.ndarray:
    """Weights [2 k + 1] of a Gaussian of that deviation, cut off at three of them."""
    reach = max(1, int(np.ceil(3 * radius)))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(radius, 1e-6)) ** 2)
    return (weights / weights.sum()).astype(np.float32)


def _along(x, radius: float, axis: int):
    """The Gaussian along one axis, the edges repeated."""
    weights = kernel(radius)
    reach, size = len(weights) // 2, x.shape[axis]
    pads = [(0, 0)] * x.ndim
    pads[axis] = reach, reach
    padded = jnp.pad(x, pads, mode='edge')
    parts = [
        weight * jax.lax.slice_in_dim(padded, k, k + size, axis=axis)
        for k, weight in enumerate(weights)
    ]
    return sum(parts)
