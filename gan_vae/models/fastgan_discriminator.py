"""FastGAN's discriminator: it reconstructs the real images that it sees.

    down      h <- mean of lrelu(norm(conv3(lrelu(norm(conv4/2(h)))))) and
                           lrelu(norm(conv1(pool2(h))))

Liu et al. 2021, arXiv:2101.04775. Logits are of patches, 5 by 5 of an 8 by 8 map. Two
decoders take that map to the image, and a random quarter of the map of 16 by 16 to that
quarter of the image. At 256 pixels there are gates as in G and a branch of half the
resolution, with logits and a decoder of its own: it sees the image itself, halved,
where the authors' G has a head of 128 pixels for it. Sizes are as in fastgan.py.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn

from gan_vae.keys import keys_of
from gan_vae.models import layers
from gan_vae.models.fastgan import Network, pooled, sizes
from gan_vae.models.patches import Patches, Projection

NETWORKS = {
    'discriminator': {
        'fastgan': ('Discriminator', {}),
        'fastgan_class': ('ConditionalDiscriminator', {}),
    },
}


def quadrant(x, which):
    """The quarter of each row of x [B, H, W, C] that `which` int [B] names: [B, H/2,
    W/2, C]; 0 to 3 are top left, top right, bottom left, bottom right."""
    b, h, w, c = x.shape
    x = x.reshape(b, 2, h // 2, 2, w // 2, c).swapaxes(2, 3)
    x = x.reshape(b, 4, h // 2, w // 2, c)
    chosen = jnp.arange(4) == which[:, None]
    return jnp.sum(jnp.where(chosen[:, :, None, None, None], x, 0), axis=1)


class Reconstructions(NamedTuple):
    """What D's decoders make of images [B, S, S, C]."""

    whole: tuple[jax.Array, ...]  # images [B, s, s, C] of all of it
    part: jax.Array  # [B, s, s, C] of a quarter of it
    which: jax.Array  # int [B]: of which, as `quadrant` counts them


class Body(Network):
    """What tells of images x [B, S, S, C]."""

    def judge(self, x, train, indices, reconstruct, project=None):
        """Logits [B, P]; with `reconstruct` and Reconstructions.

        project: maps [B, h, w, C] -> what is added to their logits [B, p, p].
        """
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
            y = pooled(images, self.image_size // 2)
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
        x = layer(layers.Conv, features, (1, 1))(pooled(x, x.shape[1] // 2))
        return 0.5 * (self.lrelu_norm(y, train) + self.lrelu_norm(x, train))

    def decoded(self, x, channels, train):
        """A map of 8 by 8 -> an image in [-1, 1]."""
        layer = partial(self.layer, train=train)
        for of_width in sizes(self.image_size).decoder:
            x = layer(layers.UpConv, int(2 * of_width * self.width))(x)
            x = self.glu_norm(x, train)
        return nn.tanh(layer(layers.Conv, channels, (3, 3))(x).astype(jnp.float32))


class Discriminator(Body):
    """images [B, S, S, C] -> logits [B, P] of patches, high means real.

    With `reconstruct` (logits, Reconstructions): of real images, in training.
    `indices` [B]: the examples' places in the global batch, for random quarters.
    """

    @nn.compact
    def __call__(self, x, train: bool = False, indices=None, reconstruct: bool = False):
        return self.judge(x, train, indices, reconstruct)


class ConditionalDiscriminator(Body):
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
        project = partial(Projection(self.classes, train), condition=condition)
        return self.judge(x, train, indices, reconstruct, project)
