"""A residual network of three sizes, from a damaged picture to what it was.

    x^ = f + R(y m, f, m, t),   R of 1/1, 1/2 and 1/4 the size, with skips

y the picture, f an estimate of x by filters (objectives/estimates.py), m the mask of
what is seen, t what is told of the damage. It begins as f, since R begins as 0. Without
normalisation, so that a picture's brightness and its tiles stay what they are (Lim et
al. 2017, arXiv:1707.02921). A pixel depends on those within MARGIN pixels of it.
"""

from typing import Any

import jax.numpy as jnp
from flax import linen as nn

from gan_vae.models import layers

NETWORKS = {'restorer': {'residual_unet': ('Restorer', {})}}

MULTIPLE = 4  # of the sides of a picture
MARGIN = 36  # pixels, a multiple of that


class Block(nn.Module):
    """x [B, H, W, C] -> the same: x + conv(relu(conv(x)))."""

    dtype: Any = None

    @nn.compact
    def __call__(self, x):
        features = x.shape[-1]
        h = nn.relu(layers.Conv(features, (3, 3), dtype=self.dtype)(x))
        start = nn.initializers.variance_scaling(0.1, 'fan_in', 'normal')
        last = layers.Conv(features, (3, 3), kernel_init=start, dtype=self.dtype)
        return x + last(h)


class Restorer(nn.Module):
    """y, f [B, H, W, C], mask [B, H, W, 1], told [B, T] -> [B, H, W, C], float32; H and
    W multiples of MULTIPLE."""

    width: int = 32
    channels: int = 3
    dtype: Any = None

    @nn.compact
    def __call__(self, y, estimate, mask, told):
        numbers = jnp.broadcast_to(told[:, None, None], (*y.shape[:3], told.shape[-1]))
        x = jnp.concatenate([y * mask, estimate, mask, numbers], -1).astype(self.dtype)
        w, of_two = self.width, ((2, 2), (2, 2))
        top = layers.Conv(w, (3, 3), dtype=self.dtype)(x)
        top = Block(self.dtype)(top)
        middle = layers.Conv(2 * w, *of_two, dtype=self.dtype)(top)
        middle = Block(self.dtype)(middle)
        low = layers.Conv(3 * w, *of_two, dtype=self.dtype)(middle)
        for _ in range(2):
            low = Block(self.dtype)(low)
        middle += layers.ConvTranspose(2 * w, *of_two, dtype=self.dtype)(low)
        middle = Block(self.dtype)(middle)
        top += layers.ConvTranspose(w, *of_two, dtype=self.dtype)(middle)
        top = Block(self.dtype)(top)
        rest = layers.Conv(
            self.channels,
            (3, 3),
            kernel_init=nn.initializers.zeros_init(),
            dtype=self.dtype,
        )(top)
        return estimate.astype(jnp.float32) + rest.astype(jnp.float32)
