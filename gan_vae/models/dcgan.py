"""DCGAN: strided convolutions and BatchNorm, for any power-of-two size from 8.

Radford, Metz & Chintala 2015, arXiv:1511.06434: 4x4 kernels of stride 2, N(0, 0.02)
weights, no normalisation next to the image, ReLU in G and LeakyReLU(0.2) in D. The
channels double with each halving of the image, from `width` next to it. The paper's
images have 64 pixels; the networks of other sizes follow the same rule and are ours.

The class-conditional networks `dcgan_class` are ours too, of the same sizes. G repeats
each pixel 2x2 before a 3x3 convolution, which leaves less of a checkerboard than a
transposed convolution (Odena, Dumoulin & Olah 2016, doi:10.23915/distill.00003), with
a gain and a bias for each class in its BatchNorms. D adds 8 e(y).m, with e an embedding
of the class and m the mean of its last map (Miyato & Koyama 2018, arXiv:1802.05637).
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn

from gan_vae.errors import UserError
from gan_vae.models import conditional, layers

NETWORKS = {
    'generator': {
        'dcgan': ('Generator', {}),
        'dcgan_class': ('ConditionalGenerator', {}),
    },
    'discriminator': {
        'dcgan': ('Discriminator', {}),
        'dcgan_class': ('ConditionalDiscriminator', {}),
    },
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


class _Generator(nn.Module):
    image_size: int = 32
    channels: int = 3
    width: int = 64
    axis_name: str | None = None
    dtype: Any = None

    def norm(self, cls, train):
        """What makes the BatchNorms of `cls`."""
        return partial(
            cls,
            use_running_average=not train,
            momentum=0.9,
            axis_name=self.axis_name,
            dtype=self.dtype,
        )

    def images(self, z, norm, up):
        """Of z, with `norm(x)` after each layer and `up` to double a map."""
        shared = {'kernel_init': _INIT, 'dtype': self.dtype}
        depth = levels(self.image_size)
        top = self.width << (depth - 1)
        x = nn.Dense(16 * top, use_bias=False, **shared)(z)
        x = nn.relu(norm(x.reshape(-1, 4, 4, top)))
        for level in reversed(range(1, depth)):
            x = up(self.width << (level - 1), use_bias=False, **shared)(x)
            x = nn.relu(norm(x))
        x = up(self.channels, **shared)(x)
        return nn.tanh(x.astype(jnp.float32))


class Generator(_Generator):
    """z [B, latent_dim] -> images [B, S, S, channels] in [-1, 1]."""

    @nn.compact
    def __call__(self, z, train: bool = False):
        norm = self.norm(nn.BatchNorm, train)
        up = partial(layers.ConvTranspose, kernel_size=(4, 4), strides=(2, 2))
        return self.images(z, lambda x: norm()(x), up)


class ConditionalGenerator(_Generator):
    """z [B, latent_dim], condition int [B] -> images [B, S, S, channels] in [-1, 1]."""

    classes: int = 0

    @nn.compact
    def __call__(self, z, train: bool = False, *, condition):
        by_class = self.norm(conditional.BatchNorm, train)

        def norm(x):
            return conditional.ClassBatchNorm(self.classes, by_class)(x, condition)

        return self.images(z, norm, layers.UpConv)


class _Discriminator(nn.Module):
    image_size: int = 32
    width: int = 64
    axis_name: str | None = None
    dtype: Any = None

    def features(self, x, train):
        """Images -> maps [B, 4, 4, C]."""
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
        return x

    def judge(self, x):
        """Maps -> logits [B]."""
        x = x.reshape(x.shape[0], -1)
        x = nn.Dense(1, kernel_init=_INIT, dtype=self.dtype)(x)
        return x[:, 0].astype(jnp.float32)


class Discriminator(_Discriminator):
    """images [B, S, S, C] -> logits [B]; high means real."""

    @nn.compact
    def __call__(self, x, train: bool = False):
        return self.judge(self.features(x, train))


class ConditionalDiscriminator(_Discriminator):
    """images [B, S, S, C], condition int [B] -> logits [B]; high means real."""

    classes: int = 0

    @nn.compact
    def __call__(self, x, train: bool = False, *, condition):
        x = self.features(x, train)
        m = jnp.mean(x, (1, 2), dtype=jnp.float32)
        e = layers.Embed(self.classes, x.shape[-1], _INIT)(condition)
        return self.judge(x) + 8 * jnp.sum(e * m, -1)
