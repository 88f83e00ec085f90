"""Likelihoods are probabilities: they sum to one, match closed forms, stay finite."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from gan_vae.images import from_uint8
from gan_vae.objectives import likelihoods

LEVELS = from_uint8(np.arange(256, dtype=np.uint8))


def outputs(likelihood, seed=0, scale=1.0):
    shape = (1, 1, 1, likelihood.outputs)
    return scale * jax.random.normal(jax.random.key(seed), shape)


def test_bernoulli_is_the_log_probability_of_each_pixel():
    one = likelihoods.bernoulli(1)
    logits = jnp.array([-2.0, 0.5, 3.0]).reshape(1, 1, 3, 1)
    x = jnp.array([1.0, -1.0, 1.0]).reshape(1, 1, 3, 1)
    p = 1 / (1 + np.exp(-np.asarray(logits).ravel()))
    expected = np.log(p[0]) + np.log(1 - p[1]) + np.log(p[2])
    np.testing.assert_allclose(one.log_prob({}, logits, x)[0], expected, rtol=1e-5)
    np.testing.assert_allclose(one.mean(logits).ravel(), 2 * p - 1, rtol=1e-5)


def test_gaussian_is_scipys_and_its_best_scale_is_the_error():
    one = likelihoods.gaussian(3)
    x, mean = jax.random.normal(jax.random.key(0), (2, 4, 5, 5, 3))
    params = {'log_scale': jnp.array(-0.3)}
    expected = stats.norm.logpdf(x, mean, np.exp(-0.3)).sum((1, 2, 3))
    np.testing.assert_allclose(one.log_prob(params, mean, x), expected, rtol=1e-5)
    best = jnp.log(jnp.sqrt(jnp.mean((x - mean) ** 2)))
    slope = jax.grad(lambda s: jnp.sum(one.log_prob({'log_scale': s}, mean, x)))
    assert abs(slope(best)) < 1e-2 < abs(slope(best + 0.1))


@pytest.mark.parametrize('scale', [0.3, 1.0, 4.0])
def test_logistic_mixture_sums_to_one_over_grey_levels(scale):
    one = likelihoods.logistic_mixture(1, mixtures=4)
    x = LEVELS.reshape(256, 1, 1, 1)
    tiled = jnp.broadcast_to(outputs(one, 3, scale), (256, 1, 1, one.outputs))
    total = np.exp(np.asarray(one.log_prob({}, tiled, x), np.float64)).sum()
    np.testing.assert_allclose(total, 1, rtol=1e-4)


@pytest.mark.slow
def test_logistic_mixture_sums_to_one_over_all_colours_of_a_coarse_chain():
    """P(r, g, b) over all (r, g, b) is a probability."""
    one = likelihoods.logistic_mixture(3, mixtures=2)
    tiled = outputs(one, 1)

    def log_prob(colours):
        x = from_uint8(np.asarray(colours, np.uint8)).reshape(-1, 1, 1, 3)
        return np.asarray(
            one.log_prob({}, jnp.broadcast_to(tiled, (len(x), 1, 1, 20)), x)
        )

    @jax.jit
    def over_red_green(rg):
        b = jnp.asarray(LEVELS)
        x = jnp.concatenate([jnp.broadcast_to(rg, (256, 2)), b[:, None]], 1)
        x = x.reshape(256, 1, 1, 3)
        return jax.nn.logsumexp(
            one.log_prob({}, jnp.broadcast_to(tiled, (256, 1, 1, 20)), x)
        )

    grid = jnp.asarray(list(itertools.product(LEVELS, LEVELS)))
    total = np.exp(
        np.asarray(jax.lax.map(over_red_green, grid, batch_size=512), np.float64)
    )
    np.testing.assert_allclose(total.sum(), 1, rtol=1e-3)
    assert log_prob([[0, 0, 0]])[0] < 0


def test_uniform_limit_is_eight_bits():
    """One very wide logistic: the inner bins are all alike."""
    one = likelihoods.logistic_mixture(1, mixtures=1)
    wide = jnp.array([0.0, 0.0, 8.0]).reshape(1, 1, 1, 3)
    inner = [
        one.log_prob({}, wide, LEVELS[i].reshape(1, 1, 1, 1))[0] for i in (5, 128, 250)
    ]
    np.testing.assert_allclose(inner, inner[0], rtol=1e-5)


@pytest.mark.parametrize('name', likelihoods.LIKELIHOODS)
@pytest.mark.parametrize('size', [1e2, 1e4])
def test_finite_with_its_gradient_at_extreme_outputs(name, size):
    one = likelihoods.LIKELIHOODS[name](3)
    x = jnp.array([-1.0, 1.0, -1.0]).reshape(1, 1, 1, 3)
    for sign in (1, -1):
        extreme = jnp.full((1, 1, 1, one.outputs), sign * size)
        value, slope = jax.value_and_grad(lambda o: one.log_prob(one.params, o, x)[0])(
            extreme
        )
        assert np.isfinite(value) and np.isfinite(slope).all()
