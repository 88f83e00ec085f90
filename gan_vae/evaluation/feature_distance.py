"""How far apart two pictures look to a network, from its maps.

    d(a, b) = sum over maps l of mean over pixels p of |u_l(a)_p - u_l(b)_p|^2,

with u the vector of channels at a pixel scaled to length one. The manner of LPIPS
(Zhang et al. 2018, arXiv:1801.03924) with all weights 1 and another network, hence
neither its name nor its values: a figure is called distance_X of the extractor X, as
values of different extractors cannot be compared.
"""

from functools import partial

import jax
import jax.numpy as jnp

from gan_vae.errors import UserError
from gan_vae.extractors import Extractor
from gan_vae.extractors.perceptual import unit


def distance(extractor: Extractor, a, b) -> jax.Array:
    """[n], zero for equal pictures, at most 4 for each map (2 after relu).

    `a`, `b`: [n, H, W, C], uint8 or float in 0..255; differentiable in the latter.
    Compiled once a process. A UserError if the extractor gives no maps.
    """
    return _distance(extractor._replace(params=None), extractor.params, a, b)


# Params come apart: no program holds them as constants.
@partial(jax.jit, static_argnums=0)
def _distance(extractor: Extractor, params, a, b):
    maps = [extractor.apply(params, images) for images in (a, b)]
    names = [name for name, value in maps[0].items() if value.ndim == 4]
    if not names:
        raise UserError(
            f'the extractor {extractor.name!r} has no maps to compare: use vgg_hed or '
            'random'
        )
    squares = ((unit(maps[0][n]) - unit(maps[1][n])) ** 2 for n in names)
    return sum(jnp.mean(jnp.sum(square, -1), (1, 2)) for square in squares)
