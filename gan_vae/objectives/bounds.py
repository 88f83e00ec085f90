"""Terms of the evidence lower bound, in nats per example."""

import jax
import jax.numpy as jnp

LOG_VARIANCE = (-30.0, 20.0)  # of a posterior: exp stays finite whatever a network says


def sample_gaussian(noise: jax.Array, mean: jax.Array, log_variance: jax.Array):
    """z = mean + exp(log_variance / 2) * noise, all [B, D]."""
    return mean + jnp.exp(0.5 * jnp.clip(log_variance, *LOG_VARIANCE)) * noise


def kl_to_standard_normal(mean: jax.Array, log_variance: jax.Array) -> jax.Array:
    """KL(N(mean, exp(log_variance)) || N(0, 1)) [B, D]: per unit, not summed.

    1/2 (mean^2 + exp(lv) - 1 - lv). Kingma & Welling 2013, arXiv:1312.6114, appendix B.
    """
    log_variance = jnp.clip(log_variance, *LOG_VARIANCE)
    return 0.5 * (jnp.square(mean) + jnp.expm1(log_variance) - log_variance)
