"""3x3 convolutions in groups of channels, which XLA:CPU has in slow forms alone.

    y_g = C(x_g, k_g),    x_g, y_g the g-th I of the channels

Of XLA:CPU's grouped convolution the gradients take minutes. Here neighbouring groups
are joined until they have BLOCK channels, whose kernel is zero off its diagonal, and
each block is one of the convolutions of convolutions.py: more multiplications, and less
time, as those of few channels are bound by memory.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from gan_vae.models import convolutions

BLOCK = 32  # channels; 64 and 16 took longer


def conv(x, k) -> Any:
    """Images [B, H, W, G I], kernel [3, 3, I, G I] -> [B, H, W, G I], 'SAME'.

    The kernel is as `lax.conv_general_dilated` takes it with G groups, of which that of
    output o is o // I.
    """
    size, channels = k.shape[2:]
    if jax.default_backend() != 'cpu':
        return lax.conv_general_dilated(
            x,
            k,
            (1, 1),
            'SAME',
            dimension_numbers=('NHWC', 'HWIO', 'NHWC'),
            feature_group_count=channels // size,
        )
    block = max(size, min(BLOCK, channels))
    if channels % block or block % size:
        block = size
    blocks, n = channels // block, block // size
    k = jnp.moveaxis(k.reshape(3, 3, size, blocks, n, size), 3, 0)
    k = jnp.einsum('byxino,nm->byxmino', k, jnp.eye(n, dtype=k.dtype))
    k = k.reshape(blocks, 3, 3, block, block)
    if blocks == 1:
        return convolutions.conv(x, k[0], (1, 1))
    parts = jnp.moveaxis(x.reshape(*x.shape[:3], blocks, block), 3, 0)
    y = jax.vmap(lambda x, k: convolutions.conv(x, k, (1, 1)))(parts, k)
    return jnp.moveaxis(y, 0, 3).reshape(x.shape)
