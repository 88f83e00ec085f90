"""Convolutional VAE: strided 4x4 convolutions down to 4 px, transposed ones back.

GroupNorm rather than BatchNorm: a posterior must not depend on the rest of its batch.
No paper has these networks: they are DCGAN's scales, at 8, 16, 32, 64, ... pixels.
"""

from typing import Any

import jax.numpy as jnp
from flax import linen as nn

from gan_vae.models import layers
from gan_vae.models.dcgan import levels

NETWORKS = {'encoder': {'conv': ('Encoder', {})}, 'decoder': {'conv': ('Decoder', {})}}


def _norm_relu(x, dtype):
    return nn.relu(nn.GroupNorm(num_groups=min(8, x.shape[-1]), dtype=dtype)(x))


class Encoder(nn.Module):
    """images [B, S, S, C] -> mean, log variance of the posterior, each [B, D]."""

    image_size: int = 32
    latent_dim: int = 128
    width: int = 64
    dtype: Any = None

    @nn.compact
    def __call__(self, x):
        for level in range(levels(self.image_size)):
            features = self.width << level
            x = layers.Conv(features, (4, 4), (2, 2), dtype=self.dtype)(x)
            x = _norm_relu(x, self.dtype)
        x = x.reshape(x.shape[0], -1)
        heads = [nn.Dense(self.latent_dim, dtype=self.dtype)(x) for _ in range(2)]
        return tuple(head.astype(jnp.float32) for head in heads)


class Decoder(nn.Module):
    """z [B, D] -> what the likelihood needs, [B, S, S, outputs]."""

    outputs: int = 3
    image_size: int = 32
    width: int = 64
    dtype: Any = None

    @nn.compact
    def __call__(self, z):
        depth = levels(self.image_size)
        top = self.width << (depth - 1)
        x = nn.Dense(16 * top, dtype=self.dtype)(z).reshape(-1, 4, 4, top)
        x = _norm_relu(x, self.dtype)
        for level in reversed(range(1, depth)):
            features = self.width << (level - 1)
            x = layers.ConvTranspose(features, (4, 4), (2, 2), dtype=self.dtype)(x)
            x = _norm_relu(x, self.dtype)
        x = layers.ConvTranspose(self.outputs, (4, 4), (2, 2), dtype=self.dtype)(x)
        return x.astype(jnp.float32)
