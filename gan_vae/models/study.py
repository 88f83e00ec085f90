"""The networks of the disentanglement study: four strided convolutions, 256 units.

Locatello et al. 2018, arXiv:1811.12359, table 1, for 64 pixels; other sizes that divide
by 16, which are ours, have a larger or smaller bottom.
"""

from typing import Any

import jax.numpy as jnp
from flax import linen as nn

from gan_vae.errors import UserError
from gan_vae.models import layers

NETWORKS = {
    'encoder': {'study': ('Encoder', {})},
    'decoder': {'study': ('Decoder', {})},
}


def _bottom(image_size: int) -> int:
    if image_size % 16:
        raise UserError(
            f'config.data.image_size={image_size}: the study networks take multiples '
            'of 16'
        )
    return image_size // 16


class Encoder(nn.Module):
    """images [B, S, S, C] -> mean, log variance of the posterior, each [B, D]."""

    image_size: int = 64
    latent_dim: int = 10
    width: int = 32
    dtype: Any = None

    @nn.compact
    def __call__(self, x):
        _bottom(self.image_size)
        for scale, size in ((1, 4), (1, 4), (2, 2), (2, 2)):
            x = layers.Conv(scale * self.width, (size, size), (2, 2), dtype=self.dtype)(
                x
            )
            x = nn.relu(x)
        x = x.reshape(x.shape[0], -1)
        x = nn.relu(nn.Dense(8 * self.width, dtype=self.dtype)(x))
        heads = [nn.Dense(self.latent_dim, dtype=self.dtype)(x) for _ in range(2)]
        return tuple(head.astype(jnp.float32) for head in heads)


class Decoder(nn.Module):
    """z [B, D] -> what the likelihood needs, [B, S, S, outputs]."""

    outputs: int = 3
    image_size: int = 64
    width: int = 32
    dtype: Any = None

    @nn.compact
    def __call__(self, z):
        bottom = _bottom(self.image_size)
        x = nn.relu(nn.Dense(8 * self.width, dtype=self.dtype)(z))
        x = nn.relu(nn.Dense(bottom**2 * 2 * self.width, dtype=self.dtype)(x))
        x = x.reshape(-1, bottom, bottom, 2 * self.width)
        for features in (2 * self.width, self.width, self.width):
            x = layers.ConvTranspose(features, (4, 4), (2, 2), dtype=self.dtype)(x)
            x = nn.relu(x)
        x = layers.ConvTranspose(self.outputs, (4, 4), (2, 2), dtype=self.dtype)(x)
        return x.astype(jnp.float32)
