"""R3GAN: residual networks without normalisation, for relativistic losses and R1 + R2.

    block     h <- h + W3 a(b2 + K a(b1 + W1 h)),  a = lrelu(0.2),  W3 = 0 at the start
    G         h0 = c . (W z), c [4, 4, C] learned;  blocks; up, W, blocks; ...; W to RGB
    D         W of RGB; blocks; W, down, blocks; ...; logit = w . sum of c . h

with 1x1 convolutions W, W1 (C to 2C) and W3 (2C to C), and K of 3x3 in groups of 16
channels. Huang et al. 2025, arXiv:2501.05441. Resampling is by [1, 3, 3, 1]; a 1x1
convolution stands at it only where the channels change. Weights are of N(0, g^2 /
inputs), with g^2 = 2 / 1.04 L^(-1/2) in the blocks (L of them in all) and 1 elsewhere.
At the start every block is the identity, and D is linear in its image. Images are not
squashed: they may leave [-1, 1].

By class an embedding of 64 stands beside z, and the logit is the product of D's last
vector with another embedding of the class.
"""

import math
from functools import partial
from typing import Any

import jax.numpy as jnp
from flax import linen as nn

from gan_vae.errors import UserError
from gan_vae.models import grouped, layers, resampling
from gan_vae.models.dcgan import levels

NETWORKS = {
    'generator': {
        'r3gan': ('Generator', {}),
        'r3gan_class': ('ConditionalGenerator', {}),
    },
    'discriminator': {
        'r3gan': ('Discriminator', {}),
        'r3gan_class': ('ConditionalDiscriminator', {}),
    },
}

EMBEDDING = 64  # units of G's class embedding
_LEAKY = math.sqrt(2 / (1 + 0.2**2))  # gain that keeps squares through a


def scaled(gain: float = 1.0):
    """N(0, gain^2 / inputs of an output)."""
    return nn.initializers.variance_scaling(gain**2, 'fan_in', 'normal')


class _Grouped(layers._Layer):
    """3x3 convolution in groups: `group` inputs of an output."""

    group: int = 16

    @nn.compact
    def __call__(self, x):
        shape = 3, 3, self.group, x.shape[-1]
        k = self.param('kernel', self.kernel_init, shape)
        dtype = self.dtype or jnp.float32
        y = grouped.conv(x.astype(dtype), k.astype(dtype))
        bias = self.param('bias', self.bias_init, x.shape[-1:])
        return y + bias.astype(dtype)


class Block(nn.Module):
    """[B, H, W, C] -> the same."""

    group: int
    total: int  # blocks of the network
    dtype: Any = None

    @nn.compact
    def __call__(self, x):
        channels = x.shape[-1]
        init = scaled(_LEAKY * self.total**-0.25)
        pointwise = partial(layers.Conv, kernel_size=(1, 1), dtype=self.dtype)
        h = nn.leaky_relu(pointwise(2 * channels, kernel_init=init)(x), 0.2)
        shared = {'kernel_init': init, 'dtype': self.dtype}
        h = _Grouped(2 * channels, (3, 3), group=self.group, **shared)(h)
        zeros = nn.initializers.zeros
        last = pointwise(channels, use_bias=False, kernel_init=zeros)
        return x + last(nn.leaky_relu(h, 0.2))


class _Network(nn.Module):
    """What G and D share.

    widths: the channels at 4, 8, 16, ... pixels, as '512,256,64,32'; '': width each.
    """

    image_size: int = 32
    channels: int = 3
    width: int = 768
    widths: str = ''
    blocks: int = 2  # at each resolution
    group: int = 16
    dtype: Any = None

    def plan(self) -> list[int]:
        """Channels by resolution, from 4 pixels up; UserError where they do not fit."""
        stages = levels(self.image_size) + 1
        where = f'config.model.widths={self.widths!r}'
        try:
            given = [int(w) for w in self.widths.split(',') if self.widths]
        except ValueError:
            raise UserError(
                f'{where}: whole numbers with commas between them'
            ) from None
        plan = given or [self.width] * stages
        if len(plan) != stages:
            raise UserError(
                f'{where} is of {len(plan)} resolutions: images of {self.image_size} '
                f'pixels have {stages}, from 4 pixels up'
            )
        for w in plan:
            if w < 1 or 2 * w % self.group:
                raise UserError(
                    f'config.model.{"widths" if given else "width"}={w}: twice it must '
                    f'be a multiple of group={self.group}'
                )
        return plan

    def stage(self, x, total):
        for _ in range(self.blocks):
            x = Block(self.group, total, self.dtype)(x)
        return x

    def pointwise(self, x, features):
        shared = {'use_bias': False, 'kernel_init': scaled(), 'dtype': self.dtype}
        return layers.Conv(features, (1, 1), **shared)(x)


class _Generator(_Network):
    def images(self, z):
        first, *others = plan = self.plan()
        total = self.blocks * len(plan)
        basis = self.param('basis', nn.initializers.normal(1.0), (4, 4, first))
        init = {'use_bias': False, 'kernel_init': scaled(), 'dtype': self.dtype}
        x = layers.Dense(first, **init)(z)
        x = self.stage(x[:, None, None] * basis.astype(x.dtype), total)
        for features in others:
            if features != x.shape[-1]:
                x = self.pointwise(x, features)  # commutes with `up`, and costs less
            x = self.stage(resampling.up(x), total)
        return self.pointwise(x, self.channels).astype(jnp.float32)


class Generator(_Generator):
    """z [B, D] -> images [B, S, S, channels]."""

    @nn.compact
    def __call__(self, z, train: bool = False):
        return self.images(z)


class ConditionalGenerator(_Generator):
    """z [B, D], condition int [B] -> images."""

    classes: int = 0

    @nn.compact
    def __call__(self, z, train: bool = False, *, condition):
        init = nn.initializers.normal(self.classes**-0.5)
        e = layers.Embed(self.classes, EMBEDDING, init)(condition)
        return self.images(jnp.concatenate([z, e], axis=-1))


class _Discriminator(_Network):
    def vector(self, x, size):
        """images -> [B, size], float32."""
        *others, last = plan = self.plan()[::-1]
        total = self.blocks * len(plan)
        x = self.pointwise(x, plan[0])
        for i in range(len(others)):
            x = resampling.down(self.stage(x, total))
            if plan[i + 1] != x.shape[-1]:
                x = self.pointwise(x, plan[i + 1])
        x = self.stage(x, total)
        basis = self.param('basis', nn.initializers.normal(0.25), (4, 4, last))
        x = jnp.einsum('bhwc,hwc->bc', x, basis.astype(x.dtype))
        init = {'use_bias': False, 'kernel_init': scaled(), 'dtype': self.dtype}
        return layers.Dense(size, **init)(x).astype(jnp.float32)


class Discriminator(_Discriminator):
    """images [B, S, S, C] -> logits [B]; high means real."""

    @nn.compact
    def __call__(self, x, train: bool = False):
        return self.vector(x, 1)[:, 0]


class ConditionalDiscriminator(_Discriminator):
    """images, condition int [B] -> logits [B]."""

    classes: int = 0

    @nn.compact
    def __call__(self, x, train: bool = False, *, condition):
        vector = self.vector(x, self.plan()[0])
        size = vector.shape[-1]
        init = nn.initializers.normal((self.classes * size) ** -0.5)
        return jnp.sum(vector * layers.Embed(self.classes, size, init)(condition), -1)
