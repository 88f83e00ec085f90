"""Fréchet distances: closed forms of Gaussians, any rank."""

import numpy as np
import pytest

from gan_vae.errors import UserError
from gan_vae.evaluation.metrics import fd


def features(n, d, seed=0, scale=1.0, shift=0.0):
    return np.random.default_rng(seed).normal(shift, scale, (n, d))


def with_moments(mean, variances, n):
    """Features [n, d] of exactly this mean and this diagonal covariance."""
    white, _ = np.linalg.qr(features(n, len(mean)) - features(n, len(mean)).mean(0))
    return mean + white * np.sqrt((n - 1) * np.asarray(variances))


@pytest.mark.parametrize('variances', [(1.0, 4.0, 9.0), (1.0, 4.0, 0.0)])
def test_gaussians_of_commuting_covariances(variances):
    """|m1 - m2|^2 + sum (s1 - s2)^2, also where a direction does not vary."""
    x = with_moments(np.array([0.0, 0, 0]), variances, 50)
    y = with_moments(np.array([1.0, 2, 3]), (4.0, 1.0, 0.25), 40)
    deviations = np.sqrt(variances) - np.sqrt((4.0, 1.0, 0.25))
    np.testing.assert_allclose(
        fd.distance_of(x, y), 14 + np.sum(deviations**2), rtol=1e-9
    )


@pytest.mark.parametrize('n, m', [(200, 300), (20, 30), (20, 300), (300, 20)])
def test_is_the_formula_at_any_rank_and_symmetric(n, m):
    x, y = features(n, 48), features(m, 48, seed=1, scale=1.3, shift=0.2)
    covariances = [np.cov(f, rowvar=False) for f in (x, y)]
    roots = np.sqrt(np.maximum(np.linalg.eigvals(np.dot(*covariances)).real, 0))
    expected = np.sum((x.mean(0) - y.mean(0)) ** 2) - 2 * roots.sum()
    expected += sum(map(np.trace, covariances))
    np.testing.assert_allclose(fd.distance_of(x, y), expected, rtol=1e-6)
    np.testing.assert_allclose(fd.distance_of(y, x), fd.distance_of(x, y), rtol=1e-9)


@pytest.mark.parametrize('n', [2, 20, 500])
@pytest.mark.parametrize('shift', [0.0, 100.0])
def test_a_set_is_at_zero_from_itself(n, shift):
    """The root of a product of covariances misses this by 1e-7, by more in float32."""
    x = features(n, 48, shift=shift)
    assert 0 <= fd.distance_of(x, x) < 1e-9
    assert 0 <= fd.distance_of(x, x[::-1]) < 1e-9


def test_constant_features_are_at_the_distance_of_their_means():
    np.testing.assert_allclose(fd.distance_of(np.zeros((5, 3)), np.ones((9, 3))), 3)


@pytest.mark.parametrize(
    'wrong, message',
    [
        (lambda: fd.distance_of(features(9, 3), features(9, 4)), '3 and 4 dim'),
        (lambda: fd.distance_of(features(1, 3), features(9, 3)), 'at least 2'),
        (lambda: fd.distance_of(np.full((4, 3), np.nan), features(9, 3)), 'NaN'),
        (lambda: fd.distance_of(np.zeros(3), features(9, 3)), r'shape \(3,\)'),
    ],
)
def test_mistakes_are_told_in_one_line(wrong, message):
    with pytest.raises(UserError, match=message):
        wrong()
