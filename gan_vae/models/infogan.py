"""InfoGAN's networks: a discriminator that tells the code from the same features.

Chen et al. 2016, arXiv:1606.03657, appendix C.1 (28 pixels, one channel): two dense and
two transposed convolutions for G; two convolutions and a dense layer of D are shared
with Q, which has one more of its own. BatchNorm but next to the image, leaky ReLU of
0.1 in D. Other sizes that divide by 4, which are ours, have a larger bottom.
"""

from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn

from gan_vae.errors import UserError
from gan_vae.models import layers

NETWORKS = {
    'generator': {'infogan': ('Generator', {})},
    'discriminator': {'infogan': ('Discriminator', {})},
}

_INIT = nn.initializers.normal(0.02)
_SLOPE = 0.1


def _bottom(size: int) -> int:
    if size % 4:
        raise UserError(
            f'config.data.image_size={size}: the infogan networks take multiples of 4'
        )
    return size // 4


def _norm(network, x, train):
    return nn.BatchNorm(
        use_running_average=not train,
        momentum=0.9,
        axis_name=network.axis_name,
        dtype=network.dtype,
    )(x)


class Generator(nn.Module):
    """z [B, D] -> images [B, S, S, channels] in [-1, 1]."""

    image_size: int = 28
    channels: int = 1
    width: int = 64
    axis_name: str | None = None
    dtype: Any = None

    @nn.compact
    def __call__(self, z, train: bool = False):
        options = {'kernel_init': _INIT, 'dtype': self.dtype}
        bottom = _bottom(self.image_size)
        x = nn.relu(_norm(self, nn.Dense(16 * self.width, **options)(z), train))
        x = nn.Dense(bottom**2 * 2 * self.width, **options)(x)
        x = nn.relu(_norm(self, x, train)).reshape(-1, bottom, bottom, 2 * self.width)
        x = layers.ConvTranspose(self.width, (4, 4), (2, 2), **options)(x)
        x = nn.relu(_norm(self, x, train))
        x = layers.ConvTranspose(self.channels, (4, 4), (2, 2), **options)(x)
        return nn.tanh(x.astype(jnp.float32))


class Discriminator(nn.Module):
    """images -> logits [B], and what it takes the code for [B, codes]."""

    codes: int
    image_size: int = 28
    width: int = 64
    axis_name: str | None = None
    dtype: Any = None

    @nn.compact
    def __call__(self, x, train: bool = False):
        options = {'kernel_init': _INIT, 'dtype': self.dtype}
        _bottom(self.image_size)
        x = layers.Conv(self.width, (4, 4), (2, 2), **options)(x)
        x = jax.nn.leaky_relu(x, _SLOPE)
        x = layers.Conv(2 * self.width, (4, 4), (2, 2), **options)(x)
        x = jax.nn.leaky_relu(_norm(self, x, train), _SLOPE)
        x = nn.Dense(16 * self.width, **options)(x.reshape(x.shape[0], -1))
        x = jax.nn.leaky_relu(_norm(self, x, train), _SLOPE)
        logits = nn.Dense(1, **options)(x)[:, 0]
        q = nn.Dense(2 * self.width, name='code_features', **options)(x)
        q = jax.nn.leaky_relu(_norm(self, q, train), _SLOPE)
        said = nn.Dense(self.codes, name='code', **options)(q)
        return logits.astype(jnp.float32), said.astype(jnp.float32)
