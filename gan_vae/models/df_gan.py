"""Deep-fusion GAN: pictures by words in one pass.

  G:  h <- h' + conv(fuse(conv(fuse(up(h))))),   fuse = (relu of a gain and a bias of
                                                 each channel, by c and z) twice
  D:  h <- pool(h') + g conv(conv(h)),  then  conv(conv([h, c at each place]))

without any normalisation; the gains start at 1, the biases and g at 0. Tao et al. 2020,
arXiv:2008.05865. Their c is of a frozen encoder; here G and D learn one each
(models/words.py). The channels double with each halving, from `width` next to the
image, to at most 8 width.
"""

from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn

from gan_vae.models import layers
from gan_vae.models.dcgan import levels
from gan_vae.models.words import WordEncoder

NETWORKS = {
    'generator': {'df_gan': ('Generator', {})},
    'discriminator': {'df_gan': ('Discriminator', {})},
}

TEXT = 256  # numbers of a caption
JOINED = 64  # channels where D has joined picture and caption


def _channels(image_size: int, width: int) -> list[int]:
    """At 4 pixels, 8 pixels, ..., and the image's own."""
    return [min(1 << n, 8) * width for n in reversed(range(levels(image_size) + 1))]


def _lrelu(x):
    return jax.nn.leaky_relu(x, 0.2)


class Affine(nn.Module):
    """x [B, H, W, C], c [B, D] -> x times a gain plus a bias, each C numbers of c."""

    dtype: Any = None

    @nn.compact
    def __call__(self, x, c):
        def vector(name, start):
            h = layers.Dense(x.shape[-1], dtype=self.dtype, name=f'{name}_in')(c)
            last = layers.Dense(
                x.shape[-1],
                kernel_init=nn.initializers.zeros_init(),
                bias_init=nn.initializers.constant(start),
                dtype=self.dtype,
                name=f'{name}_out',
            )
            return last(nn.relu(h))[:, None, None]

        return x * vector('gain', 1.0) + vector('bias', 0.0)


class Fuse(nn.Module):
    """Affine and leaky ReLU, twice."""

    dtype: Any = None

    @nn.compact
    def __call__(self, x, c):
        for _ in range(2):
            x = _lrelu(Affine(self.dtype)(x, c))
        return x


class Generator(nn.Module):
    """z [B, D], condition int [B, length] -> images [B, S, S, channels] in [-1, 1]."""

    words: int
    length: int
    image_size: int = 32
    channels: int = 3
    width: int = 32
    dtype: Any = None

    @nn.compact
    def __call__(self, z, *, condition):
        text = WordEncoder(self.words, self.length, TEXT, self.dtype, name='text')
        c = jnp.concatenate([z, text(condition)], -1)
        first, *rest = _channels(self.image_size, self.width)
        h = layers.Dense(16 * first, dtype=self.dtype)(z).reshape(-1, 4, 4, first)
        for features in rest:
            up = jnp.repeat(jnp.repeat(h, 2, axis=1), 2, axis=2)
            short = up
            if features != h.shape[-1]:
                short = layers.Conv(features, (1, 1), dtype=self.dtype)(h)
                short = jnp.repeat(jnp.repeat(short, 2, axis=1), 2, axis=2)
            r = Fuse(self.dtype)(up, c)
            r = layers.Conv(features, (3, 3), dtype=self.dtype)(r)
            r = Fuse(self.dtype)(r, c)
            h = short + layers.Conv(features, (3, 3), dtype=self.dtype)(r)
        h = layers.Conv(self.channels, (3, 3), dtype=self.dtype)(_lrelu(h))
        return nn.tanh(h.astype(jnp.float32))


class Discriminator(nn.Module):
    """images [B, S, S, C], condition int [B, length] -> logits [B]; high means real and
    as the words say."""

    words: int
    length: int
    image_size: int = 32
    width: int = 32
    dtype: Any = None

    @nn.compact
    def __call__(self, x, *, condition):
        first, *rest = reversed(_channels(self.image_size, self.width))
        h = layers.Conv(first, (3, 3), dtype=self.dtype)(x)
        for features in rest:
            strided = {'use_bias': False, 'dtype': self.dtype}
            r = _lrelu(layers.Conv(features, (4, 4), (2, 2), **strided)(h))
            r = _lrelu(layers.Conv(features, (3, 3), **strided)(r))
            short = nn.avg_pool(h, (2, 2), (2, 2))  # commutes with the 1x1
            if features != h.shape[-1]:
                short = layers.Conv(features, (1, 1), dtype=self.dtype)(short)
            name = f'share_{short.shape[1]}'  # pixels are of one block alone
            share = self.param(name, nn.initializers.zeros_init(), (1,))
            h = short + share.astype(h.dtype) * r
        text = WordEncoder(self.words, self.length, TEXT, self.dtype, name='text')
        c = text(condition).astype(h.dtype)[:, None, None]
        h = jnp.concatenate([h, jnp.broadcast_to(c, (*h.shape[:3], TEXT))], -1)
        joined = {'use_bias': False, 'dtype': self.dtype}
        h = _lrelu(layers.Conv(JOINED, (3, 3), name='joined', **joined)(h))
        h = h.reshape(h.shape[0], -1)
        logit = layers.Dense(1, use_bias=False, name='logit', dtype=self.dtype)
        return logit(h)[:, 0].astype(jnp.float32)
