"""Projected GAN: a discriminator that sees images through a frozen network.

    f1, ..., f4 = F(x) of four resolutions,   c_i = C_i f_i,
    y_4 = up(P_4 c_4),   y_i = up(P_i (y_{i+1} + c_i)),   logits D_1(y_1), ..., D_4(y_4)

Sauer et al. 2021, arXiv:2111.01007. F is EfficientNet-Lite0 of ImageNet, and the 1x1
convolutions C_i and P_i are drawn once: all of these are kept in the collection
'frozen', and in checkpoints. What learns is a D_i at each resolution: convolutions of
4x4 that halve the map until it has 8 pixels or fewer, and one more to logits of
patches, all of which count alike. Images are enlarged to `projection_size` pixels: 224,
or fewer to save time (with `width` 64 and 224 the networks are the authors').

G is FastGAN's, of unit latents and without tanh: its images may leave [-1, 1]. Its
sizes below 256 pixels, and the class-conditional networks, are ours, as in fastgan.py.
Whoever measures such a GAN by distances of features must take those of another network.
"""

from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from gan_vae.errors import UserError
from gan_vae.extractors import efficientnet_lite0
from gan_vae.models import fastgan, layers, resnet
from gan_vae.models.fastgan import WithClass
from gan_vae.models.patches import Patches, Projection

NETWORKS = {
    'generator': {
        'projected': ('Generator', {'twice': 'all'}),
        'projected_lite': ('Generator', {'twice': 'none'}),
        'projected_class': ('ConditionalGenerator', {'twice': 'all'}),
        'projected_lite_class': ('ConditionalGenerator', {'twice': 'none'}),
    },
    'discriminator': {
        'projected': ('Discriminator', {}),
        'projected_class': ('ConditionalDiscriminator', {}),
    },
}
SEES = 'efficientnet_lite0'  # the extractor, by whose features nothing is measured

_BLOCKS = (2, 4, 10, 15)  # after which f1, ..., f4 are taken


class _Body(fastgan.Body):
    def head(self, x, train):
        layer = partial(layers.Conv, kernel_init=fastgan.INIT, dtype=self.dtype)
        x = layer(self.channels, (3, 3), spectral=True, train=train)(x)
        return x.astype(jnp.float32)


class Generator(_Body):
    """z [B, D] -> images [B, S, S, channels]; keys [B]: of the noise."""

    @nn.compact
    def __call__(self, z, train: bool = False, keys=None):
        return self.images(_unit(z), train, keys)


class ConditionalGenerator(_Body):
    """z [B, D], condition int [B] -> images."""

    classes: int = 0

    @nn.compact
    def __call__(self, z, train: bool = False, keys=None, *, condition):
        z = WithClass(self.classes)(_unit(z), condition)
        return self.images(z, train, keys)


def _unit(z):
    """z of mean square 1 in each row."""
    return z * jax.lax.rsqrt(jnp.mean(jnp.square(z), -1, keepdims=True) + 1e-8)


def enlarged(x, size: int, corners: bool = True):
    """[B, H, W, C] -> [B, size, size, C], bilinear; centres of the corners' pixels lie
    on each other, or else the corners themselves do."""
    for axis, product in ((1, 'bhwc,ph->bpwc'), (2, 'bhwc,pw->bhpc')):
        n, places = x.shape[axis], np.arange(size)
        if corners:
            places = places * ((n - 1) / (size - 1))
        else:
            places = np.clip((places + 0.5) * (n / size) - 0.5, 0, n - 1)
        weights = np.maximum(0, 1 - abs(places[:, None] - np.arange(n)))
        x = jnp.einsum(product, x, jnp.asarray(weights, x.dtype))
    return x


class Features(nn.Module):
    """images [B, S, S, 3] in [-1, 1] -> y_1, ..., y_4, all of frozen weights."""

    size: int = 224
    width: int = 64
    dtype: Any = None

    @nn.compact
    def __call__(self, x):
        if x.shape[-1] != 3:
            raise UserError(
                'config.data.channels=1: a projected discriminator sees colour, take 3'
            )
        x = x.astype(self.dtype or jnp.float32)
        taps = self.taps(enlarged(x, self.size, corners=False))
        frozen = partial(_Frozen, dtype=self.dtype)
        mixed = [
            frozen(self.width << i, name=f'channels_{i}')(tap)
            for i, tap in enumerate(taps)
        ]
        outputs, below = [], 0.0
        for i in reversed(range(len(mixed))):
            features = self.width << max(0, i - 1)
            # before the enlargement, with which it commutes
            y = frozen(features, name=f'scales_{i}')(mixed[i] + below)
            below = enlarged(y, 2 * y.shape[1])
            outputs.append(below)
        return outputs[::-1]

    def taps(self, x):
        def start(name):
            return jax.tree.map(jnp.asarray, _network()[name])

        params = {
            name: self.variable('frozen', name, start, name).value
            for name in efficientnet_lite0.layers(_BLOCKS[-1])
        }
        params = jax.tree.map(lambda w: w.astype(x.dtype), params)
        maps = enumerate(efficientnet_lite0.maps(params, x))
        return [tap for n, tap in maps if n in _BLOCKS]


@cache
def _network() -> dict:
    """The weights of F; UserError where they are not installed."""
    return efficientnet_lite0.load().params


class _Frozen(nn.Module):
    """1x1 convolution with bias, both U(-1, 1) / sqrt(inputs), that never learns."""

    features: int
    dtype: Any = None

    @nn.compact
    def __call__(self, x):
        bound = x.shape[-1] ** -0.5

        def start(shape):
            key = self.make_rng('params')
            return jax.random.uniform(key, shape, minval=-bound, maxval=bound)

        shapes = {'kernel': (x.shape[-1], self.features), 'bias': (self.features,)}
        kernel, bias = (
            self.variable('frozen', name, start, shape).value.astype(x.dtype)
            for name, shape in shapes.items()
        )
        return x @ kernel + bias


class _Heads(nn.Module):
    """What judges images [B, S, S, 3]. width: channels of c_1; those of the others
    double."""

    width: int = 64
    projection_size: int = 224
    axis_name: str | None = None
    dtype: Any = None

    def judge(self, x, train, project=None):
        """project: maps [B, h, w, C] -> what is added to their logits [B, p, p]."""
        maps = Features(self.projection_size, self.width, self.dtype)(x)
        logits = [self.head(y, train, project) for y in maps]
        return jnp.concatenate(logits, axis=-1)

    def head(self, x, train, project):
        """A map [B, h, w, C] -> logits [B, p * p]."""
        options = {'kernel_init': fastgan.INIT, 'dtype': self.dtype}
        options |= {'spectral': True, 'train': train}
        norm = resnet.batch_norm(self, train, 1e-5)
        while x.shape[1] > 8:
            half = x.shape[1] // 2
            most = 64 * self.width >> (half - 1).bit_length()
            features = min(2 * x.shape[-1], most)
            x = layers.Conv(features, (4, 4), (2, 2), **options)(x)
            x = nn.leaky_relu(norm()(x), 0.2)
        logits = Patches(1, (4, 4), use_bias=False, **options)(x)[..., 0]
        logits = logits.astype(jnp.float32)
        if project:
            logits += project(x)
        return logits.reshape(x.shape[0], -1)


class Discriminator(_Heads):
    """images [B, S, S, 3] -> logits [B, P] of patches; high means real."""

    @nn.compact
    def __call__(self, x, train: bool = False):
        return self.judge(x, train)


class ConditionalDiscriminator(_Heads):
    """images, condition int [B] -> logits [B, P]."""

    classes: int = 0

    @nn.compact
    def __call__(self, x, train: bool = False, *, condition):
        def project(maps):
            return Projection(self.classes, train)(maps, condition)

        return self.judge(x, train, project)
