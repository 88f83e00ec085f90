"""A picture out of a map, such as one of labels or lines, which enters at every layer.

    SPADE(h, m) = norm(h) (1 + gamma(m)) + beta(m),  gamma, beta = conv3(relu(conv3(m)))
    block       x + conv3(leaky(SPADE(conv3(leaky(SPADE(x, m))), m))), the sum with
                conv1(SPADE(x, m)) in place of x where the number of channels changes

m is the map at the size of h. Park et al. 2019, arXiv:1903.07291: from a map of 4x4
pixels by conv3 and a block, then doubled and a block until it is as large as the map.
Here each image is normalised by itself (Ulyanov et al. 2016, arXiv:1607.08022), not the
batch, and weights are not divided by their largest singular value.
"""

from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn

from gan_vae.errors import UserError
from gan_vae.models import layers

NETWORKS = {'translator': {'spade': ('SpadeGenerator', {})}}

_INIT = nn.initializers.xavier_normal()
START = 4  # pixels of the smallest map
MULTIPLES = 16, 16, 16, 8, 4, 2, 1  # of the width, at 4, 8 ... 256 pixels


class Spade(nn.Module):
    """h [B, h, w, C], m [B, h, w, M] -> [B, h, w, C]."""

    hidden: int
    dtype: Any = None

    @nn.compact
    def __call__(self, h, m):
        features = h.shape[-1]
        conv = {'kernel_init': _INIT, 'dtype': self.dtype}
        seen = nn.relu(layers.Conv(self.hidden, (3, 3), **conv)(m))
        both = layers.Conv(2 * features, (3, 3), **conv)(seen)
        gamma, beta = jnp.split(both, 2, -1)
        alone = {'num_groups': None, 'group_size': 1, 'epsilon': 1e-5}
        plain = {'use_bias': False, 'use_scale': False, 'dtype': self.dtype}
        return nn.GroupNorm(**alone, **plain)(h) * (1 + gamma) + beta


class Block(nn.Module):
    """x [B, h, w, C], m [B, h, w, M] -> [B, h, w, features]."""

    features: int
    hidden: int
    dtype: Any = None

    @nn.compact
    def __call__(self, x, m):
        conv = {'kernel_init': _INIT, 'dtype': self.dtype}
        least = min(x.shape[-1], self.features)
        h = x
        for features in (least, self.features):
            h = jax.nn.leaky_relu(Spade(self.hidden, self.dtype)(h, m), 0.2)
            h = layers.Conv(features, (3, 3), **conv)(h)
        if x.shape[-1] != self.features:
            x = Spade(self.hidden, self.dtype)(x, m)
            x = layers.Conv(self.features, (1, 1), use_bias=False, **conv)(x)
        return x + h


class SpadeGenerator(nn.Module):
    """maps [B, S, S, M] -> images [B, S, S, channels] in [-1, 1]; S 16, 32 ... 256."""

    image_size: int = 64
    channels: int = 3
    width: int = 64
    axis_name: str | None = None
    dtype: Any = None

    @nn.compact
    def __call__(self, m, train: bool = False):
        levels = (self.image_size // START).bit_length()
        if self.image_size != START << levels - 1 or not 2 < levels <= len(MULTIPLES):
            raise UserError(
                f'config.data.image_size={self.image_size}: spade takes 16, 32, 64, '
                '128 or 256'
            )
        hidden = min(128, 2 * self.width)
        m = m.astype(self.dtype or jnp.float32)
        conv = {'kernel_init': _INIT, 'dtype': self.dtype}
        multiples = MULTIPLES[-levels:]
        every = self.image_size // START
        first = layers.Conv(multiples[0] * self.width, (3, 3), **conv)
        x = first(m[:, ::every, ::every])
        for level, multiple in enumerate(multiples):
            every = self.image_size // (START << level)
            if level:
                x = x.repeat(2, 1).repeat(2, 2)
            block = Block(multiple * self.width, hidden, self.dtype)
            x = block(x, m[:, ::every, ::every])
        x = jax.nn.leaky_relu(x, 0.2)
        last = layers.Conv(self.channels, (3, 3), **conv)
        return nn.tanh(last(x).astype(jnp.float32))
