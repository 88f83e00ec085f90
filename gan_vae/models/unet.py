"""U-Net with skips, from picture to picture.

    down   conv4 C, 2C, 4C, 8C, 8C ..., stride 2, leaky ReLU of 0.2 before each but the
           first
    up     ReLU, transposed conv4, stride 2, of [what comes from below, the skip]

Isola et al. 2017, arXiv:1611.07004: `pix2pix` goes down to one pixel, with BatchNorm
after all but the first, the lowest and the last, and dropout of one half after layers
of 8C to 8C above the lowest. `unet` stops at 4 pixels and normalises each image by
itself (Ulyanov et al. 2016, arXiv:1607.08022), so that a picture is made of it in the
same way in training, and whatever else is in the batch; it has no dropout.
"""

from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn

from gan_vae.errors import UserError
from gan_vae.models import layers

NETWORKS = {
    'translator': {
        'pix2pix': ('UNet', {'bottom': 1, 'batch_norm': True, 'dropout': 0.5}),
        'unet': ('UNet', {'bottom': 4}),
    }
}

_INIT = nn.initializers.normal(0.02)


class UNet(nn.Module):
    """images [B, S, S, C] -> images [B, S, S, channels] in [-1, 1]; S a power of two.

    dropout takes the key 'dropout' in training.
    """

    image_size: int = 64
    channels: int = 3
    width: int = 64
    bottom: int = 4  # pixels of the smallest map
    batch_norm: bool = False
    dropout: float = 0.0
    axis_name: str | None = None
    dtype: Any = None

    @nn.compact
    def __call__(self, x, train: bool = False):
        depth = (self.image_size // self.bottom).bit_length() - 1
        if self.image_size != self.bottom << depth or depth < 2:
            raise UserError(
                f'config.data.image_size={self.image_size}: this network takes 16, '
                '32, 64, 128 ...'
            )
        widths = [self.width * min(1 << level, 8) for level in range(depth)]

        def norm(x):
            if not self.batch_norm:
                return _of_image(x, self)
            return nn.BatchNorm(
                use_running_average=not train,
                momentum=0.9,
                axis_name=self.axis_name,
                dtype=self.dtype,
            )(x)

        shared = {'kernel_init': _INIT, 'dtype': self.dtype}
        skips = []
        for level, features in enumerate(widths):
            x = x if level == 0 else jax.nn.leaky_relu(x, 0.2)
            x = layers.Conv(features, (4, 4), (2, 2), use_bias=False, **shared)(x)
            if 0 < level < depth - 1:
                x = norm(x)
            skips.append(x)
        x = skips.pop()
        for level in reversed(range(1, depth)):
            up = {'use_bias': False, **shared}
            features = widths[level - 1]
            x = layers.ConvTranspose(features, (4, 4), (2, 2), **up)(nn.relu(x))
            x = norm(x)
            if self.dropout and 4 <= level < depth - 1:  # of 8C to 8C
                x = nn.Dropout(self.dropout, deterministic=not train)(x)
            x = jnp.concatenate([skips.pop(), x], -1)
        last = layers.ConvTranspose(self.channels, (4, 4), (2, 2), **shared)
        return nn.tanh(last(nn.relu(x)).astype(jnp.float32))


def _of_image(x, module):
    """Each channel of each image with mean 0 and variance 1, times a gain, plus a
    bias."""
    alone = {'num_groups': None, 'group_size': 1, 'epsilon': 1e-5}
    return nn.GroupNorm(**alone, dtype=module.dtype)(x)
