"""StyleGAN2's networks, for images of 8, 16, 32, ... pixels, with a class or without.

    x <- layer(x, w),   image <- up(image) + toRGB(x, w)        at 4, 8, ... pixels
    D:  x <- (x + skip x) / sqrt(2)                             at ..., 8 pixels

Layers with a style w are in modulation.py, and what doubles and halves in
resampling.py. D named `stylegan2_plain` has no skips. The deviation within groups of
images is one more channel of its last features; with a class its logit is
<h(x), m(y)> / sqrt(C), m(y) mapped as w is. Karras et al. 2019, arXiv:1912.04958; by
class, Karras et al. 2020, arXiv:2006.06676.

Features are `width` next to the image and twice as many at each halving, at most
`channel_max`: the authors' `channel_base` is width x image_size. Noise is drawn anew
from `keys`, one an image; without keys it is the same for all images. With `key`, one
for all rows, styles are mixed: with the probability `style_mixing`, all layers from a
random one on have the style of another latent. G keeps the mean of w in the collection
'styles', which moves where that is mutable. Images are not limited to [-1, 1].
"""

import math
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jax import lax

from gan_vae.errors import UserError
from gan_vae.keys import normals, purpose_key
from gan_vae.models import equalised, resampling
from gan_vae.models.conditional import minibatch_stddev
from gan_vae.models.equalised import NORMAL, leaky
from gan_vae.models.modulation import Mapping, StyledConv, ToRGB

NETWORKS = {
    'generator': {
        'stylegan2': ('Generator', {}),
        'stylegan2_class': ('ClassGenerator', {}),
    },
    'discriminator': {
        'stylegan2': ('Discriminator', {'residual': True}),
        'stylegan2_class': ('ClassDiscriminator', {'residual': True}),
        'stylegan2_plain': ('Discriminator', {'residual': False}),
        'stylegan2_plain_class': ('ClassDiscriminator', {'residual': False}),
    },
}

MEAN_DECAY = 0.995  # of the mean of w, at each update of G


def sizes(image_size: int) -> list[int]:
    """4, 8, ..., image_size: a UserError for a size that is no power of two."""
    if image_size < 8 or image_size & (image_size - 1):
        raise UserError(
            f'config.data.image_size={image_size}: stylegan2 takes 8, 16, 32, 64, ...'
        )
    return [1 << n for n in range(2, image_size.bit_length())]


def channels_at(network, size: int) -> int:
    """Features of `network` at a size in pixels."""
    return min(network.width * network.image_size // size, network.channel_max)


class _Generator(nn.Module):
    """z [B, D] -> images [B, S, S, channels], float32."""

    image_size: int = 32
    channels: int = 3
    width: int = 64
    channel_max: int = 512
    style_dim: int = 512
    mapping_layers: int = 8
    style_mixing: float = 0.9
    axis_name: str | None = None
    dtype: Any = None

    @property
    def layers(self) -> int:
        """How many styles an image has, one a layer, coarse to fine."""
        return 2 * len(sizes(self.image_size))

    def setup(self):
        size, classes = self.style_dim, getattr(self, 'classes', 0)
        self.mapping = Mapping(size, self.mapping_layers, classes, self.dtype)
        self.mean = self.variable('styles', 'mean', jnp.zeros, (size,))
        bottom, *features = [channels_at(self, n) for n in sizes(self.image_size)]
        self.constant = self.param('constant', NORMAL, (4, 4, bottom))
        self.convs = [StyledConv(bottom, up=False)] + [
            StyledConv(f, up) for f in features for up in (True, False)
        ]
        self.to_rgb = [ToRGB(self.channels) for _ in (bottom, *features)]

    def generate(self, z, train: bool, label, keys, key):
        """Images, with mixed styles and noise that is drawn in training alone."""
        keys, key = (keys, key) if train else (None, None)
        return self.draw(self.styles(z, label, keys, key), keys)

    def styles(self, z, label=None, keys=None, key=None):
        """The style of each layer, [B, layers, style_dim], mixed where there is a key;
        keys: of each row, for the other latent."""
        w = self.mapping(z, label)
        if self.is_mutable_collection('styles') and not self.is_initializing():
            mean = jnp.mean(lax.stop_gradient(w), axis=0)
            if self.axis_name:
                mean = lax.pmean(mean, self.axis_name)
            self.mean.value += (1 - MEAN_DECAY) * (mean - self.mean.value)
        ws = jnp.broadcast_to(w[:, None], (w.shape[0], self.layers, w.shape[-1]))
        if key is None or not self.style_mixing:
            return ws
        other = self.mapping(normals(_for('mixing', keys), z.shape[1:]), label)
        mixes = jax.random.uniform(purpose_key(key, 'gate')) < self.style_mixing
        cut = jax.random.randint(purpose_key(key, 'cut'), (), 1, self.layers)
        later = mixes & (jnp.arange(self.layers) >= cut)
        return jnp.where(later[:, None], other[:, None], ws)

    def draw(self, ws, keys=None):
        """Images of styles [B, layers, style_dim]; keys: of each row, for the noise."""
        x = jnp.broadcast_to(self.constant, (ws.shape[0], *self.constant.shape))
        x, image, layer = x.astype(self.dtype or jnp.float32), None, 0
        noise = _noise(keys, self._noisy())
        for to_rgb, size in zip(self.to_rgb, sizes(self.image_size), strict=True):
            for _ in range(1 if size == 4 else 2):
                x = self.convs[layer](x, ws[:, layer], noise[layer])
                layer += 1
            rgb = to_rgb(x, ws[:, layer])
            image = rgb if image is None else resampling.up(image) + rgb
        return image

    def _noisy(self) -> list[int]:
        """The sizes of the convolutions' images."""
        return [n for n in sizes(self.image_size) for _ in range(1 if n == 4 else 2)]


def _for(purpose: str, keys):
    return jax.vmap(lambda key: purpose_key(key, purpose))(keys)


def _noise(keys, of_sizes: list[int]) -> list[jax.Array]:
    """[B, size, size, 1] by the keys; without, [1, ...] that is always the same.

    One draw for all, as each would be a program of 600 instructions.
    """
    pixels = [n * n for n in of_sizes]
    if keys is None:
        fixed = np.random.Generator(np.random.Philox(0)).standard_normal(sum(pixels))
        drawn = jnp.asarray(fixed, jnp.float32)[None]
    else:
        drawn = normals(_for('noise', keys), (sum(pixels),))
    parts = jnp.split(drawn, np.cumsum(pixels)[:-1], axis=1)
    return [x.reshape(-1, n, n, 1) for x, n in zip(parts, of_sizes, strict=True)]


class Generator(_Generator):
    """Without classes."""

    def __call__(self, z, train: bool = False, *, keys=None, key=None):
        return self.generate(z, train, None, keys, key)


class ClassGenerator(_Generator):
    """Of a class, `condition` int [B]."""

    classes: int = 2

    def __call__(self, z, train: bool = False, *, condition, keys=None, key=None):
        return self.generate(z, train, condition, keys, key)


class _Discriminator(nn.Module):
    """images [B, S, S, C] -> logits [B], high means real; float32."""

    image_size: int = 32
    width: int = 64
    channel_max: int = 512
    stddev_group: int = 4
    class_layers: int = 8
    residual: bool = True
    axis_name: str | None = None
    dtype: Any = None

    @nn.compact
    def judge(self, x, train: bool, label=None):
        conv = partial(equalised.Conv, dtype=self.dtype)
        dense = partial(equalised.Dense, dtype=self.dtype)
        of_sizes = sizes(x.shape[1])
        x = leaky(conv(channels_at(self, of_sizes[-1]), 1)(x))
        for size in reversed(of_sizes[:-1]):
            before, features = x, channels_at(self, size)
            x = leaky(conv(x.shape[-1])(x))
            x = leaky(conv(features, function=resampling.down_conv)(x))
            if self.residual:
                before = conv(features, 1, use_bias=False)(resampling.down(before))
                x = (x + before) / math.sqrt(2)
        x, features = self._with_deviation(x, train), channels_at(self, 4)
        x = leaky(conv(features)(x)).reshape(x.shape[0], -1)
        x = leaky(dense(features)(x))
        if label is None:
            return dense(1)(x)[:, 0]
        classes = getattr(self, 'classes', 0)
        mapping = Mapping(
            features, self.class_layers, classes, self.dtype, name='mapping'
        )
        x = dense(features)(x)
        return jnp.sum(x * mapping(None, label), axis=-1) / math.sqrt(features)

    def _with_deviation(self, x, train: bool):
        """Groups that the rows do not divide into are refused in training alone. Of a
        number of rows that an export leaves open, each is a group."""
        axis_name = None if self.is_initializing() else self.axis_name
        devices = lax.axis_size(axis_name) if axis_name else 1
        rows, group = x.shape[0] * devices, 1
        if isinstance(rows, int):
            group = min(self.stddev_group, rows)
            group = group if train else math.gcd(group, rows)
        return minibatch_stddev(x, group, axis_name)


class Discriminator(_Discriminator):
    """Without classes."""

    def __call__(self, x, train: bool = False):
        return self.judge(x, train)


class ClassDiscriminator(_Discriminator):
    """Of a class, `condition` int [B]."""

    classes: int = 2

    def __call__(self, x, train: bool = False, *, condition):
        return self.judge(x, train, condition)
