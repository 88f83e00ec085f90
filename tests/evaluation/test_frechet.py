"""Fréchet distances: closed forms of Gaussians, any rank, moments in any pieces."""

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


FORMS = {
    'moments': lambda x, y: fd.distance(fd.moments(x), fd.moments(y)),
    'features': fd.distance_of,
}


@pytest.mark.parametrize('form', FORMS)
@pytest.mark.parametrize('variances', [(1.0, 4.0, 9.0), (1.0, 4.0, 0.0)])
def test_gaussians_of_commuting_covariances(form, variances):
    """|m1 - m2|^2 + sum (s1 - s2)^2, also where a direction does not vary."""
    x = with_moments(np.array([0.0, 0, 0]), variances, 50)
    y = with_moments(np.array([1.0, 2, 3]), (4.0, 1.0, 0.25), 40)
    deviations = np.sqrt(variances) - np.sqrt((4.0, 1.0, 0.25))
    np.testing.assert_allclose(FORMS[form](x, y), 14 + np.sum(deviations**2), rtol=1e-9)


@pytest.mark.parametrize('n, m', [(200, 300), (20, 30), (20, 300), (300, 20)])
def test_both_forms_agree_at_any_rank_and_are_symmetric(n, m):
    x, y = features(n, 48), features(m, 48, seed=1, scale=1.3, shift=0.2)
    of_features = fd.distance_of(x, y)
    np.testing.assert_allclose(FORMS['moments'](x, y), of_features, rtol=1e-9)
    np.testing.assert_allclose(fd.distance_of(y, x), of_features, rtol=1e-9)


@pytest.mark.parametrize('form', FORMS)
@pytest.mark.parametrize('n', [2, 20, 500])
@pytest.mark.parametrize('shift', [0.0, 100.0])
def test_a_set_is_at_zero_from_itself(form, n, shift):
    """The root of a product of covariances misses this by 1e-7, by more in float32."""
    x = features(n, 48, shift=shift)
    assert 0 <= FORMS[form](x, x) < 1e-9
    assert 0 <= FORMS[form](x, x[::-1]) < 1e-9


def test_constant_features_are_at_the_distance_of_their_means():
    for distance in FORMS.values():
        np.testing.assert_allclose(distance(np.zeros((5, 3)), np.ones((9, 3))), 3)


@pytest.mark.parametrize('size', [1, 7, 64, 1000])
def test_moments_in_pieces_are_those_of_the_whole(size):
    x = features(1000, 24, shift=50.0).astype(np.float32)
    whole = fd.moments(x)
    pieces = [x[i : i + size] for i in range(0, len(x), size)]
    merged = fd.moments(pieces[0])
    for piece in pieces[1:]:
        merged = fd.merge(merged, fd.moments(piece))
    for other in (merged, fd.of_batches(pieces)):
        assert other.n == 1000
        np.testing.assert_allclose(other.mean, whole.mean, rtol=1e-10)
        np.testing.assert_allclose(other.m2, whole.m2, rtol=1e-10, atol=1e-10)
    expected = np.cov(x.astype(np.float64), rowvar=False)
    np.testing.assert_allclose(fd.covariance(merged), expected, atol=1e-10)


@pytest.mark.parametrize(
    'wrong, message',
    [
        (lambda: fd.distance_of(features(9, 3), features(9, 4)), '3 and 4 dim'),
        (lambda: fd.distance_of(features(1, 3), features(9, 3)), 'at least 2'),
        (lambda: FORMS['moments'](features(1, 3), features(9, 3)), 'at least 2'),
        (lambda: FORMS['moments'](features(9, 4), features(9, 3)), '4 and 3 dim'),
        (lambda: fd.of_batches([features(2, 3), features(2, 4)]), '3 and 4 dim'),
        (lambda: fd.moments(np.full((4, 3), np.nan)), 'NaN'),
        (lambda: fd.moments(np.zeros(3)), r'shape \(3,\)'),
        (lambda: fd.of_batches([]), 'no batch'),
    ],
)
def test_mistakes_are_told_in_one_line(wrong, message):
    with pytest.raises(UserError, match=message):
        wrong()
