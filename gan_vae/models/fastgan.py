"""FastGAN: a generator with gates from low to high resolution, for few pictures.

    up        h <- GLU(norm(conv3(up(h)))),  GLU(a, b) = a sigmoid(b), channels halved
    up twice  the same, then h <- GLU(norm(conv3(h))), both with noise before the norm
    gate      h <- h sigmoid(conv1(swish(conv4(pool4(l))))),  l of a lower resolution

Liu et al. 2021, arXiv:2101.04775; D is in fastgan_discriminator.py. All convolutions
are spectrally normalised and without bias. At width 32 and 256 pixels the parameters
are the authors', but for a second head of 192 (see there). The sizes of 32 and 64
pixels are reductions of ours with the same blocks, and so is the class-conditional
generator, which has an embedding beside z. Images go through tanh, as the authors' of
1024 pixels do.
"""

import itertools
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn

from gan_vae.errors import UserError
from gan_vae.keys import normals
from gan_vae.models import layers, resnet

NETWORKS = {
    'generator': {
        'fastgan': ('Generator', {}),
        'fastgan_class': ('ConditionalGenerator', {}),
    },
}

INIT = nn.initializers.normal(0.02)
EMBEDDING = 64  # units of G's class embedding


class Sizes(NamedTuple):
    """Channels over width, and what feeds what."""

    up: tuple[float, ...]  # of G from 4 pixels up
    gates: dict[int, int]  # of G: {resolution of the gate: that of what is gated}
    down: tuple[float, ...]  # of D from the image down to 8 pixels
    decoder: tuple[float, ...]  # of D, after each doubling from 8 pixels
    top: float  # of D's last map over its channels
    skips: int  # gates of D, three halvings further
    branch: tuple[float, ...] = ()  # of D's branch of half the resolution


_SIZES = {
    32: Sizes((4, 3, 2, 1), {4: 16, 8: 32}, (1, 2, 4), (1, 0.5), 1, 0),
    64: Sizes((8, 4, 2, 1.5, 1), {4: 32, 8: 64}, (1, 2, 4, 8), (2, 1, 1), 1, 0),
    256: Sizes(
        up=(32, 16, 8, 4, 4, 2, 1),
        gates={4: 64, 8: 128, 16: 256},
        down=(0.5, 1, 2, 4, 8, 16),
        decoder=(4, 2, 2, 1),
        top=2,
        skips=3,
        branch=(1, 2, 4, 8),
    ),
}


def sizes(image_size: int) -> Sizes:
    """Of images of so many pixels; UserError where there are none."""
    if image_size not in _SIZES:
        raise UserError(
            f'config.data.image_size={image_size}: the fastgan networks take '
            f'{", ".join(map(str, _SIZES))}'
        )
    return _SIZES[image_size]


def glu(x):
    """a sigmoid(b) [..., C] of x [..., 2C], a the first half of the channels."""
    a, b = jnp.split(x, 2, axis=-1)
    return a * nn.sigmoid(b)


def pooled(x, size: int):
    """Means over equal squares: [B, H, W, C] -> [B, size, size, C]."""
    b, h, w, c = x.shape
    x = x.reshape(b, size, h // size, size, w // size, c)
    return jnp.mean(x, axis=(2, 4))


class _FromLatent(layers._Layer):
    """Transposed convolution of one pixel: [B, I] -> [B, h, w, features]."""

    function = staticmethod(lambda x, k, _: jnp.einsum('bi,hwio->bhwo', x, k))


class _ToPixel(layers._Layer):
    """Convolution of one place: [B, h, w, I] -> [B, features]."""

    function = staticmethod(lambda x, k, _: jnp.einsum('bhwi,hwio->bo', x, k))


class Noise(nn.Module):
    """x [B, H, W, C] + s n, one n [H, W] an image, s a number that starts at 0.

    n is drawn by `keys` [B]; without them it is the same for all images, so that an
    image is a function of its z.
    """

    @nn.compact
    def __call__(self, x, keys, number: int):
        scale = self.param('scale', nn.initializers.zeros, ())
        fold = jax.vmap(lambda key: jax.random.fold_in(key, number))
        keys = jax.random.key(0)[None] if keys is None else keys
        noise = normals(fold(keys), x.shape[1:3])
        return x + (scale * noise[..., None]).astype(x.dtype)


class Network(nn.Module):
    """What G and D share: how their layers are made."""

    image_size: int = 32
    width: int = 32
    axis_name: str | None = None
    dtype: Any = None

    def layer(self, cls, features, *size, train, **fields):
        shared = {'spectral': True, 'use_bias': False, 'kernel_init': INIT}
        return cls(int(features), *size, train=train, dtype=self.dtype, **shared)

    def norm(self, x, train):
        return resnet.batch_norm(self, train, 1e-5)()(x)

    def glu_norm(self, x, train):
        return glu(self.norm(x, train))

    def lrelu_norm(self, x, train):
        return nn.leaky_relu(self.norm(x, train), 0.2)

    def gate(self, x, low, train):
        """x [B, H, W, C] times a gate of its channels by a map `low`."""
        layer, channels = partial(self.layer, train=train), x.shape[-1]
        g = nn.swish(layer(_ToPixel, channels, (4, 4))(pooled(low, 4)))
        g = layer(layers.Dense, channels)(g)
        return x * nn.sigmoid(g)[:, None, None]


class Body(Network):
    """What makes images [B, S, S, channels] of x [B, D].

    twice: at which resolutions there are two convolutions and noise.
    """

    channels: int = 3
    twice: str = 'every other'  # 'all', 'none'

    def images(self, x, train, keys):
        """In [-1, 1]; keys [B]: of the noise."""
        layer, plan = partial(self.layer, train=train), sizes(self.image_size)
        first, *channels = (int(c * self.width) for c in plan.up)
        numbers = itertools.count()

        def noise(x):
            return Noise()(x, keys, next(numbers))

        x = self.glu_norm(layer(_FromLatent, 2 * first, (4, 4))(x), train)
        gates = {plan.gates[4]: x}
        for level, features in enumerate(channels):
            size = 8 << level
            twice = {'all': True, 'none': False}.get(self.twice, level % 2 == 0)
            x = layer(layers.UpConv, 2 * features)(x)
            x = self.glu_norm(noise(x) if twice else x, train)
            if twice:
                x = noise(layer(layers.Conv, 2 * features, (3, 3))(x))
                x = self.glu_norm(x, train)
            if size in gates:
                x = self.gate(x, gates[size], train)
            if size in plan.gates:
                gates[plan.gates[size]] = x
        return self.head(x, train)

    def head(self, x, train):
        x = self.layer(layers.Conv, self.channels, (3, 3), train=train)(x)
        return nn.tanh(x.astype(jnp.float32))


class Generator(Body):
    """z [B, D] -> images [B, S, S, channels] in [-1, 1]; keys [B]: of the noise."""

    @nn.compact
    def __call__(self, z, train: bool = False, keys=None):
        return self.images(z, train, keys)


class WithClass(nn.Module):
    """z [B, D], condition int [B] -> z beside an embedding of the class."""

    classes: int

    @nn.compact
    def __call__(self, z, condition):
        normal = nn.initializers.normal(1.0)
        e = layers.Embed(self.classes, EMBEDDING, normal)(condition)
        return jnp.concatenate([z, e], axis=-1)


class ConditionalGenerator(Body):
    """z [B, D], condition int [B] -> images."""

    classes: int = 0

    @nn.compact
    def __call__(self, z, train: bool = False, keys=None, *, condition):
        return self.images(WithClass(self.classes)(z, condition), train, keys)
