"""Total correlation and covariances: enumerations, closed forms, discriminators."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special, stats

from gan_vae.errors import UserError
from gan_vae.objectives import bounds, disentangling

KEY = jax.random.key(0)


def codes(n, d, seed=0):
    """z, mean, log variance [n, d] of n examples."""
    noise, mean, log_variance = jax.random.normal(jax.random.key(seed), (3, n, d))
    log_variance = 0.5 * log_variance - 0.5
    return bounds.sample_gaussian(noise, mean, log_variance), mean, log_variance


def enumerated(z, mean, log_variance):
    """log q(z) [n] and log q(z_d) [n, d], the mean of all n posteriors."""
    each = stats.norm.logpdf(z[:, None], mean, np.exp(np.asarray(log_variance) / 2))
    log_n = np.log(len(mean))
    joint = special.logsumexp(each.sum(-1), axis=1) - log_n
    return joint, special.logsumexp(each, axis=1) - log_n


def test_stratified_sampling_of_all_the_data_is_exact():
    found = disentangling.aggregate(*codes(7, 3), size=7)
    for ours, exact in zip(found, enumerated(*codes(7, 3)), strict=True):
        np.testing.assert_allclose(ours, exact, rtol=1e-5, atol=1e-5)


def test_stratified_sampling_has_the_mean_of_the_aggregate_over_batches():
    """exp log q(z_0), over all batches of 3 of 6 examples that hold the first."""
    joint, units = enumerated(*codes(6, 2))
    found = []
    for others in itertools.combinations(range(1, 6), 2):
        rows = jnp.array([0, *others])
        batch = [a[rows] for a in codes(6, 2)]
        a, b = disentangling.aggregate(*batch, size=6)
        found.append(np.exp([a[0], *b[0]]))
    expected = np.exp([joint[0], *units[0]])
    np.testing.assert_allclose(np.mean(found, axis=0), expected, rtol=1e-5)


@pytest.mark.parametrize('correlation', [0.0, 0.8])
def test_total_correlation_of_a_gaussian_aggregate(correlation):
    """Means N(0, S - v I), posteriors' variance v: q(z) = N(0, S), TC = -log|S| / 2."""
    n, v = 256, 0.15
    points = stats.qmc.Sobol(4, seed=0).random(n)  # evenly spread: little noise
    standard = stats.norm.ppf(points)
    s = np.array([[1, correlation], [correlation, 1]])
    mean = standard[:, :2] @ np.linalg.cholesky(s - v * np.eye(2)).T
    log_variance = np.full((n, 2), np.log(v))
    z = bounds.sample_gaussian(standard[:, 2:], mean, log_variance)
    exact = -0.5 * np.log(np.linalg.det(s))
    tc = disentangling.total_correlation(z, mean, log_variance, n)
    assert tc.mean() == pytest.approx(exact, abs=0.05)


def test_batches_that_cannot_be_are_errors():
    with pytest.raises(UserError, match='twice'):
        disentangling.aggregate(*codes(4, 2), 3)
    with pytest.raises(UserError, match='at least 2'):
        disentangling.aggregate(*codes(1, 2), 9)


def test_permuted_units_keep_their_marginals_and_part():
    z = jnp.arange(64.0)[:, None] + jnp.array([0, 1000, 2000])
    shuffled = disentangling.permute_dims(jax.random.split(KEY, 3), z)
    np.testing.assert_array_equal(np.sort(shuffled, axis=0), z)
    order = np.asarray(shuffled) % 1000
    assert np.abs(np.corrcoef(order.T) - np.eye(3)).max() < 0.4  # 1 before
    assert np.abs(np.corrcoef(order[:, 0], np.arange(64))[0, 1]) < 0.4


def test_best_discriminators_logits_are_the_total_correlation():
    """Two bits: the loss is least at log q(z) / prod_d q(z_d), their mean is the TC."""
    joint, product = np.array([3, 1, 1, 3]), np.array([2, 2, 2, 2])
    best = jnp.log(joint / product)

    def loss(table):
        return disentangling.density_ratio_loss(
            jnp.repeat(table, joint), jnp.repeat(table, product)
        )

    np.testing.assert_allclose(jax.grad(loss)(best), 0, atol=1e-7)
    assert loss(best) < loss(jnp.zeros(4)) == pytest.approx(np.log(2))
    tc = np.sum(joint / 8 * np.log(joint / product))
    found = disentangling.density_ratio(jnp.repeat(best, joint))
    assert found == pytest.approx(tc, rel=1e-5)


def whitened(n=40, d=3):
    x = np.random.default_rng(0).normal(size=(n, d)) + 5
    x = x - x.mean(0)
    return x @ np.linalg.inv(np.linalg.cholesky(x.T @ x / n)).T


def test_dip_of_a_whitened_batch_is_zero():
    mean = whitened()
    assert disentangling.dip_i(mean + 2, 10.0, 100.0) == pytest.approx(0, abs=1e-8)
    log_variance = np.full(mean.shape, np.log(0.36))
    found = disentangling.dip_ii(0.8 * mean, log_variance, 10.0, 10.0)
    assert found == pytest.approx(0, abs=1e-8)


def test_dip_is_the_weighted_distance_of_a_covariance_from_the_identity():
    covariance = np.array([[2.0, 0.5, 0.0], [0.5, 1.0, -0.3], [0.0, -0.3, 1.5]])
    mean = whitened() @ np.linalg.cholesky(covariance).T
    others, own = 2 * (0.5**2 + 0.3**2), 1.0**2 + 0.5**2
    assert disentangling.dip_i(mean, 10.0, 7.0) == pytest.approx(10 * others + 7 * own)
    doubled = np.concatenate([mean, mean])
    assert disentangling.dip_i(doubled, 10.0, 7.0) == pytest.approx(
        10 * others + 7 * own
    )
    rows = np.log([[0.1] * 3, [0.3] * 3])  # variances of the mean 0.2
    found = disentangling.dip_ii(mean, np.tile(rows, (20, 1)), 10.0, 7.0)
    own = 1.2**2 + 0.2**2 + 0.7**2
    assert found == pytest.approx(10 * others + 7 * own)


@pytest.mark.parametrize('extreme', [-1e3, 1e3])
@pytest.mark.parametrize(
    'term',
    [
        lambda m, v: disentangling.total_correlation(m, m, v, 9),
        lambda m, v: disentangling.dip_i(m, 1.0, 1.0),
        lambda m, v: disentangling.dip_ii(m, v, 1.0, 1.0),
        lambda m, v: disentangling.density_ratio_loss(m[:, 0], m[:, 1]),
    ],
)
def test_finite_with_its_gradient_at_extremes(term, extreme):
    mean = jnp.array([[1e4, -1e4], [0.0, 1e4], [-1e4, 3.0]])
    total = jax.value_and_grad(lambda m, v: jnp.sum(term(m, v)), argnums=(0, 1))
    value, slopes = jax.jit(total)(mean, jnp.full((3, 2), extreme))
    assert np.isfinite(value) and np.isfinite(slopes[0]).all()
    assert np.isfinite(slopes[1]).all()
