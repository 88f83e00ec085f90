"""The DCGAN of the CIFAR-10 benchmarks: 4 px to 32 px, two convolutions a scale in D.

The `deep_conv` networks of Kang et al. 2022 (StudioGAN, arXiv:2206.09479), at width 64:
3,812,355 and 2,931,009 parameters. Orthogonal weights, BatchNorm with epsilon 1e-4.
"""

from typing import Any

import jax.numpy as jnp
from flax import linen as nn

from gan_vae.errors import UserError
from gan_vae.models import layers

NETWORKS = {
    'generator': {'deep_conv': ('Generator', {})},
    'discriminator': {'deep_conv': ('Discriminator', {})},
}

_INIT = nn.initializers.orthogonal()


def _norm_relu(x, train: bool, axis_name: str | None, dtype):
    x = nn.BatchNorm(
        use_running_average=not train,
        momentum=0.9,
        epsilon=1e-4,
        axis_name=axis_name,
        dtype=dtype,
    )(x)
    return nn.relu(x)


class Generator(nn.Module):
    """z [B, latent_dim] -> images [B, 32, 32, channels] in [-1, 1]."""

    image_size: int = 32
    channels: int = 3
    width: int = 64
    axis_name: str | None = None
    dtype: Any = None

    @nn.compact
    def __call__(self, z, train: bool = False):
        if self.image_size != 32:
            raise UserError('config.data.image_size: the deep_conv networks take 32')
        options = {'kernel_init': _INIT, 'dtype': self.dtype}
        x = nn.Dense(16 * 8 * self.width, **options)(z)
        x = x.reshape(-1, 4, 4, 8 * self.width)
        for features in (4 * self.width, 2 * self.width, self.width):
            x = layers.ConvTranspose(features, (4, 4), (2, 2), **options)(x)
            x = _norm_relu(x, train, self.axis_name, self.dtype)
        x = layers.Conv(self.channels, (3, 3), **options)(x)
        return nn.tanh(x.astype(jnp.float32))


class Discriminator(nn.Module):
    """images [B, S, S, C] -> logits [B]; high means real."""

    width: int = 64
    axis_name: str | None = None
    dtype: Any = None

    @nn.compact
    def __call__(self, x, train: bool = False):
        options = {'kernel_init': _INIT, 'dtype': self.dtype}
        for features in (self.width, 2 * self.width, 4 * self.width):
            x = layers.Conv(features, (3, 3), **options)(x)
            x = _norm_relu(x, train, self.axis_name, self.dtype)
            x = layers.Conv(features, (4, 4), (2, 2), **options)(x)
            x = _norm_relu(x, train, self.axis_name, self.dtype)
        x = layers.Conv(8 * self.width, (3, 3), **options)(x)
        x = _norm_relu(x, train, self.axis_name, self.dtype)
        x = jnp.sum(x, axis=(1, 2))
        return nn.Dense(1, **options)(x)[:, 0].astype(jnp.float32)
