"""PatchGAN: a logit for each patch of a picture.

    conv4 C, stride 2;  conv4 2C, 4C ..., stride 2, `halvings` of them in all;
    conv4 of twice as many, and conv4 to one logit, of stride 1 without their last place

Leaky ReLU of 0.2 after all but the last, normalised but for the first. A patch has 16,
34 and 70 pixels with 1, 2 and 3 halvings. Isola et al. 2017, arXiv:1611.07004, whose D
has BatchNorm; `patch_spectral` has spectral normalisation in its place.
"""

from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax

from gan_vae.errors import UserError
from gan_vae.models import layers

NETWORKS = {
    'discriminator': {
        'patch': ('Discriminator', {}),
        'patch_spectral': ('Discriminator', {'spectral': True}),
    }
}

_INIT = nn.initializers.normal(0.02)


def _shrunk(x, k, _):
    """Convolution of one place of zeros around: 4x4 leaves a row and a column less."""
    numbers = ('NHWC', 'HWIO', 'NHWC')
    around = ((1, 1), (1, 1))
    return lax.conv_general_dilated(x, k, (1, 1), around, dimension_numbers=numbers)


class Shrinking(layers._Layer):
    """[B, H, W, I] -> [B, H - 1, W - 1, features], of 4x4."""

    kernel_size: Any = (4, 4)
    function = staticmethod(_shrunk)


class Discriminator(nn.Module):
    """images [B, S, S, C] -> logits [B, P] of patches; high means real."""

    width: int = 64
    halvings: int = 2
    spectral: bool = False
    axis_name: str | None = None
    dtype: Any = None

    @nn.compact
    def __call__(self, x, train: bool = False):
        if x.shape[1] < 4 << self.halvings:
            raise UserError(
                f'a patch discriminator of {self.halvings} halvings takes images of '
                f'{4 << self.halvings} pixels at least: fewer config.model.'
                'discriminator_halvings'
            )
        shared = {'kernel_init': _INIT, 'dtype': self.dtype}
        if self.spectral:
            shared |= {'spectral': True, 'train': train}

        def normed(x):
            if self.spectral:
                return x
            return nn.BatchNorm(
                use_running_average=not train,
                momentum=0.9,
                axis_name=self.axis_name,
                dtype=self.dtype,
            )(x)

        for level in range(self.halvings):
            bias = level == 0 or self.spectral
            features = self.width * min(1 << level, 8)
            x = layers.Conv(features, (4, 4), (2, 2), use_bias=bias, **shared)(x)
            x = jax.nn.leaky_relu(x if level == 0 else normed(x), 0.2)
        features = self.width * min(1 << self.halvings, 8)
        x = Shrinking(features, use_bias=self.spectral, **shared)(x)
        x = Shrinking(1, **shared)(jax.nn.leaky_relu(normed(x), 0.2))
        return x.reshape(x.shape[0], -1).astype(jnp.float32)
