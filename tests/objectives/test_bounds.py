"""Terms of bounds: closed forms, Monte Carlo, a linear Gaussian model, extremes."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from scipy import stats

from gan_vae.objectives import bounds

KEY = jax.random.key(0)
SCALE, X = 0.7, np.random.default_rng(4).normal(size=5)
SKEWED = np.random.default_rng(3).normal(size=(5, 2))  # no factorised posterior
ORTHOGONAL = np.linalg.qr(SKEWED)[0] * [1.5, 0.6]


def exact(w):
    """log p(x) of x = W z + s eps; the factorised posterior nearest to the true."""
    precision = np.eye(2) + w.T @ w / SCALE**2
    mean = np.linalg.solve(precision, w.T @ X) / SCALE**2
    log_p = stats.multivariate_normal.logpdf(X, cov=w @ w.T + SCALE**2 * np.eye(5))
    return log_p, (mean, -np.log(np.diag(precision)))


def posteriors(w, n, shift=0.0):
    return [jnp.tile(jnp.asarray(a) + shift, (n, 1)) for a in exact(w)[1]]


def log_weights(w, posterior):
    """z [K, B, 2] -> log w [K, B] of K draws for B copies of x."""

    def of(z):
        log_scale = 2 * np.log(SCALE)
        log_likelihood = bounds.gaussian_log_prob(X, z @ w.T, log_scale).sum(-1)
        return log_likelihood - bounds.kl_sampled(z, *posterior).sum(-1)

    return of


@jax.jit
def plain(w, posterior, noise):
    z = bounds.sample_gaussian(noise, *posterior)
    return bounds.importance_bound(log_weights(w, posterior)(z))


@jax.jit
def dreg(w, posterior, noise):
    z = bounds.sample_gaussian(noise, *posterior)
    return bounds.dreg_bound(log_weights(w, lax.stop_gradient(posterior)), z)


@partial(jax.jit, static_argnums=0)
def encoders(bound, posterior, noise, w, weight=1.0):
    """Gradients [B, 4] of the bound of each x, in its own mean and log variance."""
    grads = jax.grad(lambda p: weight * jnp.sum(bound(w, p, noise)))(posterior)
    return jnp.concatenate(grads, axis=1)


def test_gaussian_log_prob_is_scipys():
    z, mean, log_variance = jax.random.normal(KEY, (3, 4, 3))
    expected = stats.norm.logpdf(z, mean, np.exp(log_variance / 2))
    found = bounds.gaussian_log_prob(z, mean, log_variance)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_kl_is_zero_at_the_prior_and_positive_elsewhere():
    assert bounds.kl_to_standard_normal(jnp.zeros(3), jnp.zeros(3)).sum() == 0
    mean, log_variance = jax.random.normal(KEY, (2, 100))
    assert (bounds.kl_to_standard_normal(mean, log_variance) > 0).all()
    assert (bounds.kl_gaussians(mean, log_variance, mean, log_variance) == 0).all()


def test_kl_agrees_with_monte_carlo():
    posterior = jnp.array([0.7, -1.2]), jnp.array([-1.0, 0.4])
    prior = jnp.array([-0.3, 0.5]), jnp.array([0.6, -0.5])
    z = bounds.sample_gaussian(
        jax.random.normal(jax.random.key(1), (100_000, 2)), *posterior
    )
    for of, exact in [
        ((), bounds.kl_to_standard_normal(*posterior)),
        (prior, bounds.kl_gaussians(*posterior, *prior)),
    ]:
        sampled = bounds.kl_sampled(z, *posterior, *of)
        error = 4 * sampled.std(0) / np.sqrt(len(z))
        assert (np.abs(sampled.mean(0) - exact) < error).all()
        assert (error < exact / 10).all()


@pytest.mark.parametrize('k', [1, 6])
def test_every_weight_at_the_true_posterior_is_the_evidence(k):
    posterior = posteriors(ORTHOGONAL, 3)
    noise = jax.random.normal(KEY, (k, 3, 2))
    for bound in (plain, dreg):
        found = bound(ORTHOGONAL, posterior, noise)
        np.testing.assert_allclose(found, exact(ORTHOGONAL)[0], rtol=2e-6)


def test_bound_grows_with_k_and_stays_below_the_evidence():
    n, log_p = 4000, exact(SKEWED)[0]
    posterior = posteriors(SKEWED, n)
    noise = jax.random.normal(KEY, (25, n, 2))
    found = [plain(SKEWED, posterior, noise[:k]) for k in (1, 5, 25)]
    means = [float(b.mean()) for b in found]
    error = max(b.std() for b in found) / np.sqrt(n)
    assert means[0] + 4 * error < means[1] < means[2] < log_p
    kl = bounds.kl_to_standard_normal(*posterior)[0].sum()
    mean, variance = posterior[0][0], jnp.exp(posterior[1][0])
    square = np.sum((X - SKEWED @ mean) ** 2) + np.sum(SKEWED**2 * variance)
    elbo = -square / (2 * SCALE**2) - 2.5 * np.log(2 * np.pi * SCALE**2) - kl
    assert abs(means[0] - elbo) < 4 * error < 0.05


def test_value_of_both_bounds_is_the_bound_not_its_surrogate():
    log_w = np.array([[-3.0, 2.0], [-1.0, 2.0], [-7.0, 2.0]])
    expected = np.log(np.exp(log_w).mean(0))
    z = jnp.zeros((3, 2, 1))
    found = bounds.dreg_bound(lambda z: log_w + z.sum(-1), z)
    np.testing.assert_allclose(bounds.importance_bound(log_w), expected, rtol=1e-6)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    share = np.exp(log_w) / np.exp(log_w).sum(0)
    assert found[0] + 0.5 < (share * log_w).sum(0)[0]  # above: by log K - H(share)


@pytest.mark.parametrize('weight', [1.0, -2.5, 0.0])
def test_dreg_squares_the_shares_for_the_encoder_and_not_for_the_decoder(weight):
    posterior = posteriors(SKEWED, 3, shift=0.3)
    noise = jax.random.normal(KEY, (4, 3, 2))
    z = bounds.sample_gaussian(noise, *posterior)
    of = log_weights(SKEWED, posterior)
    shares = jax.nn.softmax(of(z), axis=0)[..., None]
    slopes = jax.grad(lambda z: of(z).sum())(z) * shares**2
    expected = slopes, slopes * noise * jnp.exp(posterior[1] / 2) / 2
    expected = weight * np.concatenate([e.sum(0) for e in expected], axis=1)
    found = encoders(dreg, posterior, noise, SKEWED, weight)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    decoders = [
        jax.grad(lambda w, b=b: weight * b(w, posterior, noise).sum())(SKEWED)
        for b in (plain, dreg)
    ]
    np.testing.assert_allclose(*decoders, rtol=1e-5, atol=1e-5)


def test_dreg_and_plain_gradients_of_the_encoder_have_one_mean():
    n = 20_000
    posterior = posteriors(SKEWED, n, shift=0.4)
    noise = jax.random.normal(KEY, (4, n, 2))
    ours, plains = (encoders(b, posterior, noise, SKEWED) for b in (dreg, plain))
    difference = ours - plains
    error = difference.std(0) / np.sqrt(n)
    assert (np.abs(difference.mean(0)) < 3 * error).all()
    assert (3 * error < 0.2 * np.abs(plains.mean(0))).all()


def test_dreg_has_no_variance_at_the_true_posterior_and_the_plain_gradient_has():
    posterior = posteriors(ORTHOGONAL, 50)
    noise = jax.random.normal(KEY, (4, 50, 2))
    ours, plains = (encoders(b, posterior, noise, ORTHOGONAL) for b in (dreg, plain))
    np.testing.assert_allclose(ours, 0, atol=1e-5)
    assert (plains.std(0) > 0.1).all()


def test_free_bits_hold_each_units_mean_over_the_batch():
    kl = jnp.array([[0.1, 3.0, 0.0], [0.5, 1.0, 1.2]])  # means 0.3, 2.0, 0.6
    value, slope = jax.value_and_grad(bounds.free_bits)(kl, 0.5)
    assert value == pytest.approx(0.5 + 2.0 + 0.6)
    np.testing.assert_allclose(slope, [[0, 0.5, 0.5]] * 2)
    assert bounds.free_bits(kl, 0.0) == pytest.approx(kl.sum(1).mean())
    doubled = jnp.concatenate([kl, kl])
    assert bounds.free_bits(doubled, 0.5) == pytest.approx(value)


def test_capacity_pulls_the_kl_to_its_target_from_both_sides():
    assert bounds.capacity(jnp.array(7.0), 10.0, 1000.0) == 3000
    slopes = [jax.grad(bounds.capacity)(kl, 10.0, 1000.0) for kl in (7.0, 12.0)]
    assert slopes == [-1000, 1000]


def test_warm_up_is_linear_then_flat():
    found = [bounds.warm_up(step, 4, 25.0) for step in (0, 1, 3, 4, 100)]
    assert found == [6.25, 12.5, 25, 25, 25]
    assert bounds.warm_up(0, 0) == 1


@pytest.mark.parametrize('extreme', [-1e3, 1e3])
@pytest.mark.parametrize(
    'term',
    [
        bounds.kl_to_standard_normal,
        lambda m, v: bounds.kl_gaussians(m, v, -m, v),
        lambda m, v: bounds.kl_gaussians(m, v, -m, -v),
        lambda m, v: bounds.kl_sampled(bounds.sample_gaussian(1.0, m, v), m, v),
        lambda m, v: bounds.gaussian_log_prob(0.0, m, v),
        lambda m, v: bounds.free_bits(bounds.kl_to_standard_normal(m, v), 1.0),
        lambda m, v: bounds.importance_bound(jnp.stack([m, -m, v])),
        lambda m, v: bounds.dreg_bound(
            lambda z: bounds.kl_sampled(z, m, v).sum(-1),
            bounds.sample_gaussian(jnp.ones((3, 2, 1)), m, v),
        ),
    ],
)
def test_finite_with_its_gradient_at_extremes(term, extreme):
    total = jax.jit(
        jax.value_and_grad(lambda m, v: jnp.sum(term(m, v)), argnums=(0, 1))
    )
    for mean in (0.0, 1e4):
        value, slopes = total(jnp.full((2, 1), mean), jnp.full((2, 1), extreme))
        assert np.isfinite(value) and np.isfinite(slopes).all()
