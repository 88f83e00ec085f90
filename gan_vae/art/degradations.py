"""What a damaged picture shows of a whole one: linear, y = A x, and what is known of x.

  whole   y = x (with noise, if any)       hole    y = mask x
  small   y = means of blocks of pixels    blurred y = x under a Gaussian
  grey    y = 0.299 R + 0.587 G + 0.114 B  (ITU-R BT.601)

`consistent` gives the picture nearest to x of which y is exactly what is seen.
"""

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from gan_vae.objectives.damage import LUMA


@dataclass(frozen=True)
class Degradation:
    """What is seen of float images [n, H, W, C]: all of them, as they are. The others
    are its subclasses. Hashable: static to a jit."""

    factor: ClassVar[int] = 1  # pixels of x along a side for each of y

    def seen(self, x, mask=None):
        """A x; mask: [H, W, 1] of Hole, 1 where a pixel is seen."""
        return x

    def consistent(self, x, y, mask=None):
        """The nearest to x of which y is seen; x where that is not known."""
        return x


@dataclass(frozen=True)
class Hole(Degradation):
    def seen(self, x, mask=None):
        return x * mask

    def consistent(self, x, y, mask=None):
        return jnp.where(mask > 0, y, x)


@dataclass(frozen=True)
class Small(Degradation):
    factor: int  # pixels in the side of a block

    def seen(self, x, mask=None):
        n, height, width, channels = x.shape
        f = self.factor
        return x.reshape(n, height // f, f, width // f, f, channels).mean((2, 4))

    def consistent(self, x, y, mask=None):
        rest = y - self.seen(x)
        return x + jnp.repeat(jnp.repeat(rest, self.factor, 1), self.factor, 2)


@dataclass(frozen=True)
class Blurred(Degradation):
    radius: float  # the deviation of the Gaussian, in pixels

    def seen(self, x, mask=None):
        return _along(_along(x, self.radius, 1), self.radius, 2)


@dataclass(frozen=True)
class Grey(Degradation):
    def seen(self, x, mask=None):
        return jnp.sum(x * LUMA, -1, keepdims=True)

    def consistent(self, x, y, mask=None):
        return x + (y - self.seen(x)) * LUMA / np.sum(LUMA**2)


WHOLE = Degradation()


def kernel(radius: float) -> np.ndarray:
    """Weights [2 k + 1] of a Gaussian of that deviation, cut off at three of them."""
    reach = max(1, int(np.ceil(3 * radius)))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(radius, 1e-6)) ** 2)
    return (weights / weights.sum()).astype(np.float32)


def _along(x, radius: float, axis: int):
    """The Gaussian along one axis, the edges repeated."""
    weights = kernel(radius)
    reach, size = len(weights) // 2, x.shape[axis]
    pads = [(reach, reach) if n == axis else (0, 0) for n in range(x.ndim)]
    padded = jnp.pad(x, pads, mode='edge')
    return sum(
        weight * jax.lax.slice_in_dim(padded, k, k + size, axis=axis)
        for k, weight in enumerate(weights)
    )
