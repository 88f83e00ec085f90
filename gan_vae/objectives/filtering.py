"""Bounds on log p(x_1..T) of a model with a latent at each step, by particles.

  p^_N = prod over segments of 1/N sum_i w_i,   E[log p^_N] <= log p(x_1..T)

w_i is the product of a particle's weights alpha_t = p(x_t, z_t | z_<t) / q(z_t | ..)
since it was last resampled. Never: IWAE (Burda et al. 2016), of N = 1 the ELBO. When
the effective sample size is below half of N: FIVO (Maddison et al. 2017,
arXiv:1705.09279). p^_N is unbiased either way.
"""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.nn import logsumexp
from jax.typing import ArrayLike

from gan_vae.keys import purpose_key


def log_evidence(
    step: Callable[[Any, Any, jax.Array], tuple[Any, jax.Array]],
    carry: Any,
    inputs: Any,
    length: jax.Array,
    keys: jax.Array,
    particles: int,
    threshold: float = 0.5,
) -> jax.Array:
    """log p^_N [B] in nats, of the first `length` [B] steps of each sequence.

    step: (carry, inputs at t, keys [N, B]) -> (carry, log alpha_t [N, B]), on a carry
    whose leaves are [N, B, ...]. inputs: leaves [T, B, ...]. keys [B]: one a sequence,
    so that neither padding nor the rest of the batch changes a bound. threshold: share
    of N below which the effective sample size asks for new particles; 0: never.
    """

    def one(before: Any, at: Any):
        carry, log_w, total = before
        t, x = at
        now = keys_of_step(keys, t)
        of_particles = jax.vmap(lambda n: keys_of_step(now, n))(jnp.arange(particles))
        new, log_alpha = step(carry, x, of_particles)
        real = t < length
        carry = jax.tree.map(lambda a, b: jnp.where(_like(real, b), b, a), carry, new)
        log_w = log_w + jnp.where(real, log_alpha, 0.0)
        if threshold:
            poor = real & (log_effective(log_w) < math.log(threshold * particles))
            mean = logsumexp(log_w, 0) - math.log(particles)
            key = jax.vmap(lambda k: purpose_key(k, 'resample'))(now)
            chosen = jax.vmap(systematic, (0, 1), 1)(key, log_w)
            stay = jnp.arange(particles)[:, None]
            chosen = jnp.where(poor, chosen, stay)
            carry = jax.tree.map(lambda leaf: _at(leaf, chosen), carry)
            total = total + jnp.where(poor, mean, 0.0)
            log_w = jnp.where(poor, 0.0, log_w)
        return (carry, log_w, total), None

    count = jax.tree.leaves(inputs)[0].shape[0]
    zeros = jnp.zeros((particles, length.shape[0]))
    (_, log_w, total), _ = lax.scan(
        one, (carry, zeros, zeros[0]), (jnp.arange(count), inputs)
    )
    return total + logsumexp(log_w, 0) - math.log(particles)


def log_effective(log_w: jax.Array) -> jax.Array:
    """log of (sum w)^2 / sum w^2 [B] of log w [N, B]: from 0 to log N."""
    return 2 * logsumexp(log_w, 0) - logsumexp(2 * log_w, 0)


def systematic(key: jax.Array, log_w: jax.Array) -> jax.Array:
    """Indices [N] of particles, each i on average N w_i / sum w times; log w [N]."""
    count = log_w.shape[0]
    ends = jnp.cumsum(jax.nn.softmax(log_w))
    places = (jnp.arange(count) + jax.random.uniform(key)) / count
    return jnp.clip(jnp.searchsorted(ends / ends[-1], places, 'right'), 0, count - 1)


def keys_of_step(keys: jax.Array, number: ArrayLike) -> jax.Array:
    """keys [B] of a step, or of a particle, of each sequence."""
    return jax.vmap(lambda key: jax.random.fold_in(key, number))(keys)


def _like(flags: jax.Array, leaf: jax.Array):
    """[B] as [1, B, 1, ...] beside a leaf [N, B, ...]."""
    return flags.reshape(1, -1, *(1,) * (leaf.ndim - 2))


def _at(leaf: jax.Array, chosen: jax.Array):
    """leaf[chosen[n, b], b] of a leaf [N, B, ...]."""
    index = chosen.reshape(*chosen.shape, *(1,) * (leaf.ndim - 2))
    return jnp.take_along_axis(leaf, index, 0)
