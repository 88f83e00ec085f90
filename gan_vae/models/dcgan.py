"""DCGAN: strided convolutions and BatchNorm, for any power-of-two size from 8.

Radford, Metz & Chintala 2015, arXiv:1511.06434: 4x4 kernels of stride 2, N(0, 0.02)
weights, no normalisation next to the image, ReLU in G and LeakyReLU(0.2) in D. The
channels double with each halving of the image, from `width` next to it. The paper's
images have 64 pixels; the networks of other sizes follow the same rule and are ours.
"""

from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn

from gan_vae.errors import UserError
from gan_vae.models import layers

NETWORKS = {
    'generator': {'dcgan': ('Generator', {})},
    'discriminator': {'dcgan': ('Discriminator', {})},
}

_INIT = nn.initializers.normal(0.02)


def levels(size: int) -> int:
    """Number of halvings from `size` to 4 pixels."""
    halvings = size.bit_length() - 3
    if size != 4 << halvings or halvings < 1:
        raise UserError(
            f'config.data.image_size={size}: this network takes 8, 16, 32, 64, ...'
        )
    return halvings


class Generator(nn.Module):
    """z [B, latent_dim] -> images [B, S, S, channels] in [-1, 1]."""

    image_size: int = 32
    channels: int = 3
    width: int = 64
    axis_name: str | None = None
    dtype: Any = None

    @nn.compact
    def __call__(self, z, train: bool = False):
        def norm(x):
            return nn.relu(
                nn.BatchNorm(
                    use_running_average=not train,
                    momentum=0.9,
                    axis_name=self.axis_name,
                    dtype=self.dtype,
                )(x)
            )

        depth = levels(self.image_size)
        top = self.width << (depth - 1)
        x = nn.Dense(16 * top, use_bias=False, kernel_init=_INIT, dtype=self.dtype)(z)
        x = norm(x.reshape(-1, 4, 4, top))
        for level in reversed(range(1, depth)):
            x = layers.ConvTranspose(
                self.width << (level - 1),
                (4, 4),
                (2, 2),
                use_bias=False,
                kernel_init=_INIT,
                dtype=self.dtype,
            )(x)
            x = norm(x)
        x = layers.ConvTranspose(
            self.channels, (4, 4), (2, 2), kernel_init=_INIT, dtype=self.dtype
        )(x)
        return nn.tanh(x.astype(jnp.float32))


class Discriminator(nn.Module):
    """images [B, S, S, C] -> logits [B]; high means real."""

    image_size: int = 32
    width: int = 64
    axis_name: str | None = None
    dtype: Any = None

    @nn.compact
    def __call__(self, x, train: bool = False):
        for level in range(levels(self.image_size)):
            x = layers.Conv(
                self.width << level,
                (4, 4),
                (2, 2),
                use_bias=level == 0,
                kernel_init=_INIT,
                dtype=self.dtype,
            )(x)
            if level > 0:
                x = nn.BatchNorm(
                    use_running_average=not train,
                    momentum=0.9,
                    axis_name=self.axis_name,
                    dtype=self.dtype,
                )(x)
            x = jax.nn.leaky_relu(x, 0.2)
        x = x.reshape(x.shape[0], -1)
        x = nn.Dense(1, kernel_init=_INIT, dtype=self.dtype)(x)
        return x[:, 0].astype(jnp.float32)
