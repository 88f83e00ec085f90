"""FastGAN: a generator with gates from low to high resolution, and a discriminator that
reconstructs what it sees.

    up        h <- GLU(norm(conv3(up(h)))),  GLU(a, b) = a sigmoid(b), channels halved
    up twice  the same, then h <- GLU(norm(conv3(h))), both with noise before the norm
    gate      h <- h sigmoid(conv1(swish(conv4(pool4(l))))),  l of a lower resolution
    down      h <- mean of lrelu(norm(conv3(lrelu(norm(conv4/2(h)))))) and
                           lrelu(norm(conv1(pool2(h))))

Liu et al. 2021, arXiv:2101.04775. D scores patches, 5 by 5 of an 8 by 8 map. Its two
decoders take that map to the image, and a random quarter of the map of 16 by 16 to that
quarter of the image; at 256 pixels a third takes D's branch of half the resolution to
the image. All convolutions are spectrally normalised and without bias.

At width 32 and 256 pixels the parameters are the authors', but for a second head of G
(192): there D's branch of 128 pixels sees the image itself, halved. The sizes of 32 and
64 pixels are reductions of ours with the same blocks. So are the class-conditional
networks: an embedding beside z, and a projection of the class (Miyato & Koyama 2018,
arXiv:1802.05637) at each patch of D. Images go through tanh, as the authors' of 1024
pixels do.
"""

import itertools
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn

from gan_vae.errors import UserError
from gan_vae.keys import keys_of, normals
from gan_vae.models import layers, resnet

NETWORKS = {
    'generator': {
        'fastgan': ('Generator', {}),
        'fastgan_class': ('ConditionalGenerator', {}),
    },
    'discriminator': {
        'fastgan': ('Discriminator', {}),
        'fastgan_class': ('ConditionalDiscriminator', {}),
    },
}

INIT = nn.initializers.normal(0.02)
EMBEDDING = 64  # units of G's class embedding


class Sizes(NamedTuple):
    """Channels over width, and what feeds what."""

    up: tuple[float, ...]  # of G from 4 pixels up
    gates: dict[int, int]  # of G: {resolution of the gate: that of what is gated}
    down: tuple[float, ...]  # of D from the image down to 8 pixels
    decoder: tuple[float, ...]  # after each doubling from 8 pixels
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


def quadrant(x, which):
    """The quarter of each row of x [B, H, W, C] that `which` int [B] names: [B, H/2,
    W/2, C]; 0 to 3 are top left, top right, bottom left, bottom right."""
    b, h, w, c = x.shape
    x = x.reshape(b, 2, h // 2, 2, w // 2, c).swapaxes(2, 3)
    x = x.reshape(b, 4, h // 2, w // 2, c)
    chosen = jnp.arange(4) == which[:, None]
    return jnp.sum(jnp.where(chosen[:, :, None, None, None], x, 0), axis=1)


def _pooled(x, size: int):
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


def _patches(x, k, _):
    """'VALID' convolution to few channels: a product, then a sum of shifted maps."""
    h, w = (n - size + 1 for n, size in zip(x.shape[1:3], k.shape[:2], strict=True))
    parts = jnp.einsum('bhwi,yxio->yxbhwo', x, k)
    return sum(
        parts[i, j, :, i : i + h, j : j + w]
        for i in range(k.shape[0])
        for j in range(k.shape[1])
    )


class Patches(layers._Layer):
    """[B, H, W, I] -> [B, H - h + 1, W - w + 1, features]."""

    function = staticmethod(_patches)


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


class _Network(nn.Module):
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
        g = nn.swish(layer(_ToPixel, channels, (4, 4))(_pooled(low, 4)))
        g = layer(layers.Dense, channels)(g)
        return x * nn.sigmoid(g)[:, None, None]


class Generator(_Network):
    """z [B, D] -> images [B, S, S, channels] in [-1, 1]; keys [B]: of the noise.

    twice: at which resolutions there are two convolutions and noise.
    """

    channels: int = 3
    twice: str = 'every other'  # 'all', 'none'

    @nn.compact
    def __call__(self, z, train: bool = False, keys=None):
        return self.images(z, train, keys)

    def images(self, x, train, keys):
        """Of x [B, D], z and what is beside it."""
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


class WithClass(nn.Module):
    """z [B, D], condition int [B] -> z beside an embedding of the class."""

    classes: int

    @nn.compact
    def __call__(self, z, condition):
        normal = nn.initializers.normal(1.0)
        e = layers.Embed(self.classes, EMBEDDING, normal)(condition)
        return jnp.concatenate([z, e], axis=-1)


class ConditionalGenerator(Generator):
    """z [B, D], condition int [B] -> images."""

    classes: int = 0

    @nn.compact
    def __call__(self, z, train: bool = False, keys=None, *, condition):
        return self.images(WithClass(self.classes)(z, condition), train, keys)


class Reconstructions(NamedTuple):
    """What D's decoders make of images [B, S, S, C]."""

    whole: tuple[jax.Array, ...]  # images [B, s, s, C] of all of it
    part: jax.Array  # [B, s, s, C] of a quarter of it
    which: jax.Array  # int [B]: of which, as `quadrant` counts them


class Discriminator(_Network):
    """images [B, S, S, C] -> logits [B, P] of patches, high means real.

    With `reconstruct` (logits, Reconstructions): of real images, in training.
    `indices` [B]: the examples' places in the global batch, for random quarters.
    """

    @nn.compact
    def __call__(self, x, train: bool = False, indices=None, reconstruct: bool = False):
        return self.judge(x, train, indices, reconstruct)

    def judge(self, x, train, indices, reconstruct, project=None):
        """project: maps [B, h, w, C] -> what is added to their logits [B, p, p]."""
        layer, plan = partial(self.layer, train=train), sizes(self.image_size)
        images, rows = x, x.shape[0]
        first, *channels = (c * self.width for c in plan.down)
        x = nn.leaky_relu(layer(layers.Conv, first, (3, 3))(x), 0.2)
        maps = [x]
        for level, features in enumerate(channels, 1):
            x = self.down(x, features, train)
            if 3 <= level < 3 + plan.skips:
                x = self.gate(x, maps[level - 3], train)
            maps.append(x)
        high, low = maps[-2:]
        x = layer(layers.Conv, plan.top * channels[-1], (1, 1))(low)
        x = self.lrelu_norm(x, train)
        logits = layer(Patches, 1, (4, 4))(x)[..., 0].astype(jnp.float32)
        if project:
            logits += project(x)
        logits, wholes = [logits.reshape(rows, -1)], [low]
        if plan.branch:
            y = _pooled(images, self.image_size // 2)
            for level, of_width in enumerate(plan.branch):
                y = layer(layers.Conv, of_width * self.width, (4, 4), (2, 2))(y)
                y = self.lrelu_norm(y, train) if level else nn.leaky_relu(y, 0.2)
            patches = layer(Patches, 1, (4, 4))(y).astype(jnp.float32)
            logits.append(patches.reshape(rows, -1))
            wholes.append(y)
        logits = jnp.concatenate(logits, axis=-1)
        if not (reconstruct or self.is_initializing()):
            return logits
        which = jnp.zeros(rows, jnp.int32)
        if not self.is_initializing():
            keys = keys_of(self.make_rng('dropout'), indices)
            which = jax.vmap(lambda key: jax.random.randint(key, (), 0, 4))(keys)
        decode = partial(self.decoded, channels=images.shape[-1], train=train)
        parts = decode(quadrant(high, which))
        made = Reconstructions(tuple(decode(m) for m in wholes), parts, which)
        return (logits, made) if reconstruct else logits

    def down(self, x, features, train):
        """[B, H, W, C] -> [B, H/2, W/2, features]."""
        layer = partial(self.layer, train=train)
        y = layer(layers.Conv, features, (4, 4), (2, 2))(x)
        y = layer(layers.Conv, features, (3, 3))(self.lrelu_norm(y, train))
        x = layer(layers.Conv, features, (1, 1))(_pooled(x, x.shape[1] // 2))
        return 0.5 * (self.lrelu_norm(y, train) + self.lrelu_norm(x, train))

    def decoded(self, x, channels, train):
        """A map of 8 by 8 -> an image in [-1, 1]."""
        layer = partial(self.layer, train=train)
        for of_width in sizes(self.image_size).decoder:
            x = layer(layers.UpConv, int(2 * of_width * self.width))(x)
            x = self.glu_norm(x, train)
        return nn.tanh(layer(layers.Conv, channels, (3, 3))(x).astype(jnp.float32))


class Projection(nn.Module):
    """Maps [B, H, W, C] -> what the class adds to logits of windows of 4 by 4, [B, H -
    3, W - 3]: e(y).m, m the mean of the map in the window."""

    classes: int
    train: bool

    @nn.compact
    def __call__(self, x, condition):
        embed = partial(layers.Embed, spectral=True, train=self.train)
        e = embed(self.classes, x.shape[-1], INIT)(condition)
        p = jnp.einsum('bhwc,bc->bhw', x, e.astype(x.dtype))[..., None]
        p = nn.avg_pool(p, window_shape=(4, 4), padding='VALID')
        return p[..., 0].astype(jnp.float32)


class ConditionalDiscriminator(Discriminator):
    """images, condition int [B] -> logits [B, P]."""

    classes: int = 0

    @nn.compact
    def __call__(
        self,
        x,
        train: bool = False,
        indices=None,
        reconstruct: bool = False,
        *,
        condition,
    ):
        projection = Projection(self.classes, train)
        project = partial(projection, condition=condition)
        return self.judge(x, train, indices, reconstruct, project)
