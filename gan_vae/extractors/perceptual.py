"""How far apart two pictures look, as a term of a loss: by maps of VGG's shape.

    d(a, b) = sum over maps l of mean over pixels p of |u_l(a)_p - u_l(b)_p|^2,

with u the vector of channels at a pixel, of length one, at the picture's own size: the
manner of LPIPS (Zhang et al. 2018, arXiv:1801.03924) with all weights 1, and without
its network. The network is `random`, which was never trained, or `vgg_hed`.
"""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp

from gan_vae.errors import UserError
from gan_vae.extractors import style, vgg_hed

MAPS = ('conv1_2', 'conv2_2', 'conv3_3')
SIDE = style.SIDE  # pixels, the smallest
_SMALL = 1e-10  # added to squared lengths: a pixel without activations stays zero

network = style.network  # name -> kernels and biases


def distance(params, a, b) -> jax.Array:
    """[B] of images [B, H, W, C] in [-1, 1]; no gradient is of the network."""
    maps = [vgg_hed.apply(params, (x + 1) * 127.5) for x in (a, b)]
    squares = [jnp.square(unit(maps[0][n]) - unit(maps[1][n])) for n in MAPS]
    each = [jnp.mean(jnp.sum(square, -1), (1, 2)) for square in squares]
    return jnp.sum(jnp.stack(each), 0)


def of_weight(settings, side: int) -> Callable | None:
    """(images, images) -> distances [B], by the network config.method.features; None
    where config.method.feature_weight is 0. A UserError for images of fewer pixels a
    side than it sees."""
    if not (weight := settings.feature_weight):
        return None
    if side < SIDE:
        raise UserError(
            f'config.method.feature_weight={weight:g}: images of {side} pixels are too '
            f'small, it needs {SIDE}'
        )
    return partial(distance, network(settings.features))


def unit(x) -> jax.Array:
    """x [..., C] over its length."""
    return x * jax.lax.rsqrt(jnp.sum(x * x, -1, keepdims=True) + _SMALL)
