"""The KL term: closed form, Monte Carlo, extremes."""

import jax
import jax.numpy as jnp
import numpy as np

from gan_vae.objectives import bounds


def test_kl_is_zero_at_the_prior_and_positive_elsewhere():
    assert bounds.kl_to_standard_normal(jnp.zeros(3), jnp.zeros(3)).sum() == 0
    mean, log_variance = jax.random.normal(jax.random.key(0), (2, 100))
    assert (bounds.kl_to_standard_normal(mean, log_variance) > 0).all()


def test_kl_agrees_with_monte_carlo():
    mean, log_variance = jnp.array([[0.7, -1.2]]), jnp.array([[-1.0, 0.4]])
    noise = jax.random.normal(jax.random.key(1), (200_000, 2))
    z = bounds.sample_gaussian(noise, mean, log_variance)
    log_q = -0.5 * (noise**2 + log_variance)
    log_p = -0.5 * z**2
    estimate, exact = (
        (log_q - log_p).mean(0),
        bounds.kl_to_standard_normal(mean, log_variance),
    )
    error = (log_q - log_p).std(0) / np.sqrt(len(z))
    assert (np.abs(estimate - exact[0]) < 4 * error).all()


def test_finite_at_extreme_log_variances():
    for extreme in (-1e3, 1e3):
        value, slope = jax.value_and_grad(
            lambda v: bounds.kl_to_standard_normal(jnp.zeros(()), v)
        )(extreme)
        assert np.isfinite(value) and np.isfinite(slope)
