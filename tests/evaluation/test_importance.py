"""Bounds: exact for a linear Gaussian model, growing with K, whatever the chunks."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.scipy.stats import multivariate_normal as law
from scipy import stats

from gan_vae import methods
from gan_vae.config import Reads, default
from gan_vae.data.source import Spec
from gan_vae.errors import UserError
from gan_vae.evaluation.importance import bits_per_dim, dequantised, iwae_bound
from gan_vae.keys import keys_of, normals

KEY = jax.random.key(0)
N = 800


def linear_gaussian(n):
    """x = W z + s eps with two latents: n times one x, log p(x) and two posteriors."""
    w, s = np.random.default_rng(3).normal(size=(5, 2)), 0.7
    x = np.random.default_rng(4).normal(size=5)
    precision = np.eye(2) + w.T @ w / s**2
    mean = np.linalg.solve(precision, w.T @ x) / s**2
    exact = stats.multivariate_normal.logpdf(x, cov=w @ w.T + s**2 * np.eye(5))
    covariance = np.linalg.inv(precision)
    mean_field = np.diag(1 / np.diag(precision))  # what the best factorised q is
    images = jnp.tile(jnp.asarray(x, jnp.float32).reshape(1, 5, 1, 1), (n, 1, 1, 1))
    return images, exact, (w, s, mean, covariance), (w, s, mean, mean_field)


def log_weight(state, rng, images):
    w, s, mean, covariance = (jnp.asarray(a, jnp.float32) for a in state)
    x = images.reshape(len(images), -1)
    noise = normals(keys_of(rng, jnp.arange(len(x))), (2,))
    z = mean + noise @ jnp.linalg.cholesky(covariance).T
    return (
        law.logpdf(x - z @ w.T, jnp.zeros(5), s**2 * jnp.eye(5))
        + law.logpdf(z, jnp.zeros(2), jnp.eye(2))
        - law.logpdf(z, mean, covariance)
    )


@pytest.mark.parametrize('k', [1, 7])
def test_exact_with_the_true_posterior(k):
    images, exact, state, _ = linear_gaussian(20)
    bound = iwae_bound(log_weight, state, KEY, images, k)
    assert bound.shape == (20,) and bound.dtype == np.float64
    np.testing.assert_allclose(bound, exact, rtol=2e-6)


def test_grows_from_the_elbo_to_log_p():
    images, exact, _, state = linear_gaussian(N)
    w, s, mean, covariance = state
    x = np.asarray(images[0]).ravel()
    kl = 0.5 * (
        mean @ mean + np.trace(covariance) - 2 - np.linalg.slogdet(covariance)[1]
    )
    error = np.sum((x - w @ mean) ** 2) + np.trace(w @ covariance @ w.T)
    elbo = -0.5 * error / s**2 - 2.5 * np.log(2 * np.pi * s**2) - kl
    found = {k: iwae_bound(log_weight, state, KEY, images, k) for k in (1, 5, 50, 300)}
    standard = found[1].std() / np.sqrt(N)
    assert abs(found[1].mean() - elbo) < 4 * standard < (exact - elbo) / 2
    means = [bound.mean() for bound in found.values()]
    assert means == sorted(means) and means[0] < means[1] < exact
    last = found[300].std() / np.sqrt(N)
    assert abs(means[-1] - exact) < 4 * last < (exact - elbo) / 10


def test_chunks_change_nothing():
    images, _, _, state = linear_gaussian(4)
    whole = iwae_bound(log_weight, state, KEY, images, 7, chunk=7)
    for chunk in (1, 3, 16):
        found = iwae_bound(log_weight, state, KEY, images, 7, chunk=chunk)
        np.testing.assert_allclose(found, whole, rtol=1e-6)
    assert len(np.unique(whole)) == 4  # each example has its own noise


def test_weights_of_a_vae():
    """A decoder blind to z, q = N(m, v): E[log w] = log p(x) - KL, E[w] = p(x)."""
    config = default.with_variant(default.get_config('vae'), 'tiny')
    config.data.image_size = 16
    config.model.encoder = config.model.decoder = 'mlp'
    method = methods.make(Reads(config), Spec(16, 16, 3))
    state = jax.jit(method.init)(KEY)
    ema = jax.tree.map(jnp.zeros_like, state.ema)
    m, log_v = np.linspace(-0.4, 0.4, 8), np.linspace(-0.4, 0.1, 8)
    ema['encoder']['Dense_1']['bias'] = jnp.asarray(m, jnp.float32)
    ema['encoder']['Dense_2']['bias'] = jnp.asarray(log_v, jnp.float32)
    trained, n = state.replace(ema=ema).weights(), 2000
    x = jnp.broadcast_to(jax.random.normal(KEY, (16, 16, 3)), (n, 16, 16, 3))
    exact = stats.norm.logpdf(np.asarray(x[0], np.float64)).sum()
    kl = 0.5 * np.sum(m**2 + np.exp(log_v) - 1 - log_v)
    weights = iwae_bound(method.density.log_weight, trained, KEY, x, 1) - exact
    assert abs(weights.mean() + kl) < 4 * weights.std() / np.sqrt(n) < kl / 4
    ratio = np.exp(weights)
    assert abs(ratio.mean() - 1) < 4 * ratio.std() / np.sqrt(n) < 0.2
    bound = iwae_bound(method.density.log_weight, trained, KEY, x[:2], 3000, chunk=1000)
    np.testing.assert_allclose(bound, exact, atol=0.1)


@pytest.mark.parametrize(
    'likelihood, nats',
    [('logistic_mixture', -np.log(256)), ('gaussian', -np.log(512 / 255))],
)
def test_uniform_pixels_are_eight_bits(likelihood, nats):
    """A probability of 1/256, and a density over 256 grey levels of width 2/255."""
    assert bits_per_dim(48 * nats, (4, 4, 3), likelihood) == pytest.approx(8, abs=1e-12)


def test_dequantised_density_is_the_probability_of_a_grey_level():
    mean, scale, level = 0.1, 0.004, 139 / 127.5 - 1

    def density(state, rng, images):
        return jax.scipy.stats.norm.logpdf(images, mean, scale).sum((1, 2, 3))

    x = jnp.full((4, 1, 1, 1), level)
    bound = iwae_bound(dequantised(density), None, KEY, x, 20_000, chunk=5000)
    edges = stats.norm.cdf([level - 1 / 255, level + 1 / 255], mean, scale)
    exact = -np.log2(edges[1] - edges[0])
    for nats in bound:
        assert bits_per_dim(nats, (1, 1, 1), 'gaussian') == pytest.approx(
            exact, rel=0.01
        )


def test_bernoulli_has_bits_of_binary_pixels():
    assert bits_per_dim(-12 * np.log(2), (2, 2, 3), 'bernoulli') == 1


def test_no_samples_is_an_error():
    with pytest.raises(UserError, match='at least 1'):
        iwae_bound(log_weight, None, KEY, jnp.zeros((1, 5, 1, 1)), 0)
