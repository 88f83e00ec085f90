"""Which of many patches is the same place: noise-contrastive estimation.

    L = -mean_i log softmax_j(q_i . k_j / T)_i,    q, k of length 1

van den Oord et al. 2018, arXiv:1807.03748; of the patches of one image, each of which
has the others as negatives, Park et al. 2020, arXiv:2007.15651.
"""

import jax
import jax.numpy as jnp
from jax import lax

TEMPERATURE = 0.07


def patch_nce(q: jax.Array, k: jax.Array) -> jax.Array:
    """L [B] in nats of q, k [B, n, d], no gradient through k; log n is chance."""
    q, k = unit(q), lax.stop_gradient(unit(k))
    logits = jnp.einsum('bid,bjd->bij', q, k) / TEMPERATURE
    log_share = jax.nn.log_softmax(logits, -1)
    return -jnp.mean(jnp.diagonal(log_share, axis1=1, axis2=2), -1)


def unit(x: jax.Array) -> jax.Array:
    """x [..., d] over its length."""
    return x * lax.rsqrt(jnp.sum(x * x, -1, keepdims=True) + 1e-12)


def picked(keys: jax.Array, maps: jax.Array, count: int) -> jax.Array:
    """[B, n, C]: n = min(count, h w) different places of maps [B, h, w, C], by keys."""
    flat = maps.reshape(maps.shape[0], -1, maps.shape[-1])
    n = min(count, flat.shape[1])
    places = jax.vmap(lambda key: jax.random.permutation(key, flat.shape[1])[:n])(keys)
    return jnp.take_along_axis(flat, places[..., None], 1)
