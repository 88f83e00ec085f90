"""Gradient penalties on a discriminator."""

from collections.abc import Callable

import jax
import jax.numpy as jnp


def r1(logits: Callable, real: jax.Array, gamma: float) -> jax.Array:
    """R1 = gamma / 2 * E_x |grad_x D(x)|^2, at real images (not augmented).

    `logits(images [B, ...]) -> [B]`. Sum over pixels, mean over the batch. Mescheder
    et al. 2018, arXiv:1801.04406, equation 9.
    """
    gradient = jax.grad(lambda x: jnp.sum(logits(x)))(real)
    squared = jnp.sum(jnp.square(gradient), axis=tuple(range(1, real.ndim)))
    return 0.5 * gamma * jnp.mean(squared)
