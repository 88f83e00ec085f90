"""VAE-GAN's networks: 5x5 convolutions of stride 2, BatchNorm and ReLU.

  encoder        64, 128, 256 channels, dense 2048 (1024 below 64 pixels), two heads
  generator      dense 256 maps of S/8, transposed 256 (192), 128, 32; 5x5 to colours
  discriminator  5x5 32, no norm; 128, 256 (192), 256 = Dis_l; dense 512, one logit

Larsen et al. 2016, arXiv:1512.09300, table 1, for 64x64; in parentheses what the
authors' code has for 32x32. Other multiples of 8 are ours. All is in proportion to
`width`, which is 64 there. The code takes Dis_l before the last BatchNorm and holds the
weights by decay; here it is after the block, so that the scale of those weights has no
part in it.
"""

from typing import Any

import jax.numpy as jnp
from flax import linen as nn

from gan_vae.errors import UserError
from gan_vae.models import layers

NETWORKS = {
    'encoder': {'vae_gan': ('Encoder', {})},
    'generator': {'vae_gan': ('Generator', {})},
    'discriminator': {'vae_gan': ('Discriminator', {})},
}

HALVINGS = 3


def _smallest(size: int) -> int:
    """Pixels after the halvings."""
    if size % (1 << HALVINGS):
        raise UserError(
            f'config.data.image_size={size}: the networks of vae_gan halve it three '
            'times, take a multiple of 8'
        )
    return size >> HALVINGS


class _Network(nn.Module):
    """`width`: channels of the encoder's first layer; others keep their proportion."""

    image_size: int = 64
    width: int = 64
    axis_name: str | None = None
    dtype: Any = None

    def scaled(self, channels: int) -> int:
        return max(1, channels * self.width // 64)

    @property
    def middle(self) -> int:
        """Channels of the second of G's and D's three blocks from D's end."""
        return 256 if self.image_size >= 64 else 192

    def norm_relu(self, x, train: bool):
        norm = nn.BatchNorm(
            use_running_average=not train,
            momentum=0.9,
            axis_name=self.axis_name,
            dtype=self.dtype,
        )
        return nn.relu(norm(x))

    def dense(self, x, units: int, train: bool):
        return self.norm_relu(
            nn.Dense(units, use_bias=False, dtype=self.dtype)(x), train
        )

    def block(self, layer, x, channels: int, train: bool):
        made = layer(
            self.scaled(channels), (5, 5), (2, 2), use_bias=False, dtype=self.dtype
        )
        return self.norm_relu(made(x), train)


class Encoder(_Network):
    """images [B, S, S, C] -> mean, log variance of the posterior, each [B, D]."""

    latent_dim: int = 128

    @nn.compact
    def __call__(self, x, train: bool = False):
        _smallest(self.image_size)
        for channels in (64, 128, 256):
            x = self.block(layers.Conv, x, channels, train)
        units = 2048 if self.image_size >= 64 else 1024
        x = self.dense(x.reshape(x.shape[0], -1), self.scaled(units), train)
        heads = [nn.Dense(self.latent_dim, dtype=self.dtype)(x) for _ in range(2)]
        return tuple(head.astype(jnp.float32) for head in heads)


class Generator(_Network):
    """z [B, latent_dim] -> images [B, S, S, channels] in [-1, 1]."""

    channels: int = 3

    @nn.compact
    def __call__(self, z, train: bool = False):
        size, top = _smallest(self.image_size), self.scaled(256)
        x = self.dense(z, size * size * top, train).reshape(-1, size, size, top)
        for channels in (self.middle, 128, 32):
            x = self.block(layers.ConvTranspose, x, channels, train)
        x = layers.Conv(self.channels, (5, 5), dtype=self.dtype)(x)
        return nn.tanh(x.astype(jnp.float32))


class Discriminator(_Network):
    """images [B, S, S, C] -> logits [B], high means real, and Dis_l [B, features]."""

    @nn.compact
    def __call__(self, x, train: bool = False):
        _smallest(self.image_size)
        x = nn.relu(layers.Conv(self.scaled(32), (5, 5), dtype=self.dtype)(x))
        for channels in (128, self.middle, 256):
            x = self.block(layers.Conv, x, channels, train)
        x = features = x.reshape(x.shape[0], -1)
        x = self.dense(x, self.scaled(512), train)
        x = nn.Dense(1, dtype=self.dtype)(x)
        return x[:, 0].astype(jnp.float32), features.astype(jnp.float32)
