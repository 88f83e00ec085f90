"""How far apart two pictures look to a network, from its maps.

    d(a, b) = sum over maps l of mean over pixels p of |u_l(a)_p - u_l(b)_p|^2,

with u the vector of channels at a pixel scaled to length one. The manner of LPIPS
(Zhang et al. 2018, arXiv:1801.03924) with all weights 1 and another network, hence
neither its name nor its values: a figure is called distance_X of the extractor X, as
values of different extractors cannot be compared.
"""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp

from gan_vae.errors import UserError
from gan_vae.extractors import Extractor

_SMALL = 1e-10  # added to squared lengths: a pixel without activations stays zero


def distance(extractor: Extractor, a, b) -> jax.Array:
    """[n], zero for equal pictures, at most 4 for each map (2 after relu).

    `a`, `b`: [n, H, W, C], uint8 or float in 0..255; differentiable in the latter. A
    UserError if the extractor gives no maps.
    """
    maps_a, maps_b = (_maps(extractor, images) for images in (a, b))
    total = 0.0
    for name, of_a in maps_a.items():
        squares = (_unit(of_a) - _unit(maps_b[name])) ** 2
        total = total + jnp.mean(jnp.sum(squares, -1), (1, 2))
    return total


def compiled(extractor: Extractor) -> Callable:
    """`distance` of an extractor, compiled once a process."""
    return partial(_distance, extractor._replace(params=None), extractor.params)


# Params come apart: no program holds them as constants.
@partial(jax.jit, static_argnums=0)
def _distance(extractor: Extractor, params, a, b):
    return distance(extractor._replace(params=params), a, b)


def _maps(extractor: Extractor, images) -> dict:
    out = extractor.apply(extractor.params, images)
    maps = {name: value for name, value in out.items() if value.ndim == 4}
    if not maps:
        raise UserError(
            f'the extractor {extractor.name!r} has no maps to compare: use vgg_hed or '
            'random'
        )
    return maps


def _unit(x):
    return x * jax.lax.rsqrt(jnp.sum(x * x, -1, keepdims=True) + _SMALL)
