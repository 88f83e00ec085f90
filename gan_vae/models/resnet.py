"""Residual networks of the GANs of 2017 to 2019, for images of 32, 48 or 64 pixels.

    G:  h <- conv(relu(norm(conv(up(relu(norm(h))))))) + conv1(up(h))
    D:  h <- pool(conv(relu(conv(relu(h))))) + conv1(pool(h))
        logit = b + w.s [+ e(y).s],    s = sum over places of relu(h)

WGAN-GP: Gulrajani et al. 2017, arXiv:1704.00028. SNGAN: Miyato et al. 2018,
arXiv:1802.05957; its sizes, and Xavier weights (gain sqrt 2 on the two 3x3 of a block).
Their D keeps a block's input channels in its first convolution. D of SAGAN, BigGAN and
ACGAN (`wide`) has the block's output channels there, and no pooling in the last block.
Projection of the class e(y): Miyato & Koyama 2018, arXiv:1802.05637. Auxiliary
classifier: Odena et al. 2016, arXiv:1610.09585. Self-attention at half the image's
size: SAGAN, Zhang et al. 2018, arXiv:1805.08318. The class-conditional ones have the
orthogonal weights and epsilons of Kang et al. 2022 (StudioGAN, arXiv:2206.09479), whose
sizes are 32 and 64; that of 48 with classes has the channels of SNGAN and is our own.

G repeats pixels, as the authors do (torch-mimicry interpolates); D sums over places. A
shortcut takes h itself, not relu(h), and its 1x1 convolution, which commutes with
repeating and with means, is done where the image is smaller. Without `spectral` D has
no normalisation, for that of a batch has no place beside a gradient penalty.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import jax.numpy as jnp
from flax import linen as nn

from gan_vae.errors import UserError
from gan_vae.models import conditional, layers
from gan_vae.models.attention import SelfAttention

NETWORKS = {
    'generator': {
        'resnet': ('Generator', {}),
        'resnet_class': ('ConditionalGenerator', {}),
        'sagan': ('ConditionalGenerator', {'spectral': True, 'attention': True}),
    },
    'discriminator': {
        'acgan': ('ClassifierDiscriminator', {'spectral': True}),
        'biggan': (
            'ProjectionDiscriminator',
            {'spectral': True, 'wide': True, 'attention': True},
        ),
        'resnet': ('Discriminator', {}),
        'sagan': (
            'ProjectionDiscriminator',
            {'spectral': True, 'wide': True, 'attention': True},
        ),
        'sngan': ('Discriminator', {'spectral': True}),
        'sngan_projection': ('ProjectionDiscriminator', {'spectral': True}),
    },
}

_SIZES = {  # pixels: those at G's bottom, channels over width of G and of D
    32: (4, (4, 4, 4, 4), (2, 2, 2, 2)),
    48: (6, (8, 4, 2, 1), (1, 2, 4, 8, 16)),
    64: (4, (16, 8, 4, 2, 1), (1, 2, 4, 8, 16)),
}
_POOLS = {32: 2, 48: 4, 64: 5}  # of D


def _sizes(image_size: int):
    if image_size not in _SIZES:
        raise UserError(
            f'config.data.image_size={image_size}: residual networks take 32, 48, 64'
        )
    return _SIZES[image_size]


def blocks(image_size: int) -> int:
    """The number of G's blocks, each of which doubles the image."""
    return len(_sizes(image_size)[1]) - 1


def xavier(gain):
    return nn.initializers.variance_scaling(gain**2, 'fan_avg', 'uniform')


def orthogonal(gain):
    """One scale everywhere, whatever the `gain`."""
    return nn.initializers.orthogonal()


def layer_maker(init: Callable, dtype, **fields) -> Callable:
    """layer(cls, *fields, gain=1, **fields): a layer with what the network shares."""

    def layer(cls, *args, gain=1.0, **more):
        shared = {'dtype': dtype} if cls is not layers.Embed else {}
        return cls(*args, kernel_init=init(gain), **shared, **fields, **more)

    return layer


def batch_norm(network, train: bool, epsilon: float, cls=nn.BatchNorm) -> Callable:
    """What makes `network`'s BatchNorms."""
    return partial(
        cls,
        use_running_average=not train,
        momentum=0.9,
        epsilon=epsilon,
        axis_name=network.axis_name,
        dtype=network.dtype,
    )


def _repeat(x):
    return jnp.repeat(jnp.repeat(x, 2, axis=1), 2, axis=2)


def _pool(x):
    b, h, w, c = x.shape
    return jnp.mean(x.reshape(b, h // 2, 2, w // 2, 2, c), axis=(2, 4))


class UpBlock(nn.Module):
    """[B, H, W, C] -> [B, 2H, 2W, features]; `norm(x)` is a new normalisation of x."""

    features: int
    layer: Callable

    @nn.compact
    def __call__(self, x, norm):
        h = nn.relu(norm(x))
        h = self.layer(layers.UpConv, self.features, gain=math.sqrt(2))(h)
        h = nn.relu(norm(h))
        h = self.layer(layers.Conv, self.features, (3, 3), gain=math.sqrt(2))(h)
        return h + _repeat(self.layer(layers.Conv, self.features, (1, 1))(x))


class DownBlock(nn.Module):
    """[B, H, W, C] -> [B, H/2, W/2, features], or without `pool` [B, H, W, features].

    The `first` takes the image, which goes without a ReLU. Between its convolutions
    a block has its input's channels; the first and a `wide` one have `features`.
    """

    features: int
    layer: Callable
    pool: bool
    first: bool
    wide: bool

    @nn.compact
    def __call__(self, x):
        h = x if self.first else nn.relu(x)
        middle = self.features if self.first or self.wide else x.shape[-1]
        h = self.layer(layers.Conv, middle, (3, 3), gain=math.sqrt(2))(h)
        last = layers.ConvPool if self.pool else layers.Conv
        h = self.layer(last, self.features, (3, 3), gain=math.sqrt(2))(nn.relu(h))
        if self.pool or x.shape[-1] != self.features:
            x = _pool(x) if self.pool else x
            x = self.layer(layers.Conv, self.features, (1, 1))(x)
        return h + x


def generate(network, layer, x, norms, last_norm, attention=False):
    """G's body within `network`: x [B, D] -> images, with norms[i](h) in block i."""
    bottom, multiples, _ = _sizes(network.image_size)
    top, *features = (m * network.width for m in multiples)
    x = layer(layers.Dense, bottom**2 * top)(x).reshape(-1, bottom, bottom, top)
    for i, norm in enumerate(norms):
        x = UpBlock(features[i], layer)(x, norm)
        if attention and i == len(norms) - 2:
            x = SelfAttention(partial(layer, layers.Conv))(x)
    x = nn.relu(last_norm(x))
    x = layer(layers.Conv, network.channels, (3, 3))(x)
    return nn.tanh(x.astype(jnp.float32))


def _features(network, layer, x, wide=False, attention=False):
    """D's body within `network`: images -> sums over places [B, C], float32."""
    _, _, multiples = _sizes(network.image_size)
    pools = min(_POOLS[network.image_size], len(multiples) - wide)
    for i, multiple in enumerate(multiples):
        x = DownBlock(multiple * network.width, layer, i < pools, i == 0, wide)(x)
        if attention and i == 0:
            x = SelfAttention(partial(layer, layers.Conv))(x)
    return jnp.sum(nn.relu(x), axis=(1, 2), dtype=jnp.float32)


def _logits(layer, features):
    return layer(layers.Dense, 1)(features)[:, 0].astype(jnp.float32)


class Generator(nn.Module):
    """z [B, D] -> images [B, S, S, channels] in [-1, 1]: WGAN-GP's, SNGAN's."""

    image_size: int = 32
    channels: int = 3
    width: int = 64
    axis_name: str | None = None
    dtype: Any = None

    @nn.compact
    def __call__(self, z, train: bool = False):
        layer = layer_maker(xavier, self.dtype)
        make = batch_norm(self, train, 1e-5)

        def norm(x):
            return make()(x)

        return generate(self, layer, z, [norm] * blocks(self.image_size), norm)


class ConditionalGenerator(nn.Module):
    """z [B, D], condition int [B] -> images: SNGAN's by class, SAGAN's, ACGAN's.

    The tables of its BatchNorms are never spectrally normalised.
    """

    classes: int
    image_size: int = 32
    channels: int = 3
    width: int = 64
    spectral: bool = False
    attention: bool = False
    axis_name: str | None = None
    dtype: Any = None

    @nn.compact
    def __call__(self, z, train: bool = False, *, condition):
        layer = layer_maker(
            orthogonal, self.dtype, spectral=self.spectral, train=train, eps=1e-6
        )
        by_class = batch_norm(self, train, 1e-4, conditional.BatchNorm)
        last = batch_norm(self, train, 1e-4)

        def norm(x):
            return conditional.ClassBatchNorm(self.classes, by_class)(x, condition)

        norms = [norm] * blocks(self.image_size)
        return generate(self, layer, z, norms, lambda x: last()(x), self.attention)


class Discriminator(nn.Module):
    """images [B, S, S, C] -> logits [B]: WGAN-GP's; with `spectral`, SNGAN's."""

    image_size: int = 32
    width: int = 64
    spectral: bool = False
    dtype: Any = None

    @nn.compact
    def __call__(self, x, train: bool = False):
        layer = layer_maker(xavier, self.dtype, spectral=self.spectral, train=train)
        return _logits(layer, _features(self, layer, x))


class ProjectionDiscriminator(nn.Module):
    """images, condition int [B] -> logits [B]: SNGAN's by class, SAGAN's, BigGAN's."""

    classes: int
    image_size: int = 32
    width: int = 64
    spectral: bool = False
    wide: bool = False
    attention: bool = False
    dtype: Any = None

    @nn.compact
    def __call__(self, x, train: bool = False, *, condition):
        layer = layer_maker(
            orthogonal, self.dtype, spectral=self.spectral, train=train, eps=1e-6
        )
        s = _features(self, layer, x, self.wide, self.attention)
        e = layer(layers.Embed, self.classes, s.shape[-1])(condition)
        return _logits(layer, s) + jnp.sum(e * s, axis=-1)


class ClassifierDiscriminator(nn.Module):
    """images -> logits [B] of being real, logits [B, classes] of the class: ACGAN's."""

    classes: int
    image_size: int = 32
    width: int = 64
    spectral: bool = False
    dtype: Any = None

    @nn.compact
    def __call__(self, x, train: bool = False):
        layer = layer_maker(
            orthogonal, self.dtype, spectral=self.spectral, train=train, eps=1e-6
        )
        s = _features(self, layer, x, wide=True)
        label = layer(layers.Dense, self.classes, use_bias=False, name='classifier')(s)
        return _logits(layer, s), label.astype(jnp.float32)
