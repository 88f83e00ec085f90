"""Deep image prior: an untrained U-Net with thin skips, whose weights are one picture.

Ulyanov et al. 2018, arXiv:1711.10925. What differs: fewer and thinner scales, for a
CPU; strided 4x4 convolutions on the way down; linear interpolation on the way up.
Convolutions are XLA's own, which compile faster and run as fast with so few channels.
"""

import jax
import jax.numpy as jnp
from flax import linen as nn


class DeepPrior(nn.Module):
    """noise [1, H, W, I] -> a picture [1, H, W, channels] in (-1, 1).

    H and W are multiples of 2^len(widths).
    """

    widths: tuple[int, ...] = (16,) * 5  # of each scale, the finest first
    skip: int = 4  # channels that go straight across at each scale
    channels: int = 3

    @nn.compact
    def __call__(self, x):
        def normed(x):
            return nn.InstanceNorm()(x)

        def block(features, size, x, stride=1):
            x = nn.Conv(features, (size, size), stride)(x)
            return nn.leaky_relu(normed(x), 0.2)

        across = []
        for width in self.widths:
            across.append(block(self.skip, 1, x))
            x = block(width, 4, x, 2)
            x = block(width, 3, x)
        for width, skipped in zip(self.widths[::-1], across[::-1], strict=True):
            x = jax.image.resize(x, skipped.shape[:3] + x.shape[3:], 'linear')
            x = normed(jnp.concatenate([skipped, x], -1))
            x = block(width, 3, x)
            x = block(width, 1, x)
        return nn.tanh(nn.Conv(self.channels, (1, 1))(x))
