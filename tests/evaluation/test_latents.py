"""Active units, KL and the information bound, against closed forms."""

import numpy as np
import pytest

from gan_vae.errors import UserError
from gan_vae.evaluation import latents
from gan_vae.objectives.bounds import kl_to_standard_normal

A2 = 0.8  # variance of the means where q is the posterior of a Gaussian code


def gaussian_posteriors(n=500, d=3, seed=0):
    """Means of covariance A2 I to rounding, variances 1 - A2: N(0, I) together."""
    x = np.random.default_rng(seed).normal(size=(n, d))
    x -= x.mean(0)
    mean = x @ np.linalg.inv(np.linalg.cholesky(x.T @ x / n)).T * np.sqrt(A2)
    return mean, np.full((n, d), np.log(1 - A2))


def test_kl_is_that_of_the_objective():
    mean, log_variance = np.random.default_rng(0).normal(size=(2, 50, 4))
    expected = np.mean(kl_to_standard_normal(mean, log_variance), 0)
    np.testing.assert_allclose(
        latents.kl_per_unit(mean, log_variance), expected, rtol=1e-5
    )


def test_active_by_the_variance_of_means():
    signs = np.array([[1.0], [-1.0]])
    mean = signs * np.sqrt([0.0099, 0.0101, 0.0, 4.0]) + 5
    assert latents.active_units(mean).tolist() == [False, True, False, True]
    assert latents.active_units(mean, threshold=1.0).sum() == 1


def test_information_is_exact_for_a_gaussian_aggregate():
    """I = KL = -d/2 log(1 - a^2) where the aggregate is the prior."""
    found = latents.collapsed([gaussian_posteriors()])
    exact = -1.5 * np.log(1 - A2)
    assert found['mutual_information_at_most'] == pytest.approx(exact, rel=1e-12)
    assert found['kl'] == pytest.approx(exact, rel=1e-12)
    assert found['active_units'] == 3 and found['inactive_share'] == 0
    assert found['collapsed'] is False


def test_repeated_units_add_kl_and_less_information():
    mean, log_variance = (np.repeat(a, 2, 1) for a in gaussian_posteriors(d=1))
    found = latents.collapsed([(mean, log_variance)])
    assert found['kl'] == pytest.approx(-np.log(1 - A2), rel=1e-12)
    exact = 0.5 * np.log((1 + A2) / (1 - A2))
    assert found['mutual_information_at_most'] == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize('shift', [0, 1e5])
def test_batches_change_nothing(shift):
    mean, log_variance = gaussian_posteriors()
    mean += shift
    whole = latents.collapsed([(mean, log_variance)])
    cuts = np.split(np.arange(500), [1, 7, 300])
    parts = latents.collapsed((mean[i], log_variance[i]) for i in cuts)
    for name, value in whole.items():
        assert parts[name] == pytest.approx(value, rel=1e-9)
    assert parts['active_units'] == 3


@pytest.mark.parametrize('shift', [0, 3])
def test_a_constant_posterior_is_collapsed_whatever_its_kl(shift):
    found = latents.collapsed([(np.full((9, 4), shift), np.zeros((9, 4)))])
    assert found['collapsed'] is True and found['inactive_share'] == 1
    assert found['kl'] == 4 * shift**2 / 2
    assert found['low_kl_share'] == (shift == 0)
    assert found['mutual_information_at_most'] == pytest.approx(0, abs=1e-12)


def test_active_means_under_a_wide_posterior_are_collapsed():
    """Variance 0.04 of the means is active, and drowns in a variance of 1."""
    mean = np.array([[0.2], [-0.2]])
    found = latents.collapsed([(mean, np.zeros((2, 1)))])
    assert found['active_units'] == 1 and found['collapsed'] is True


@pytest.mark.parametrize('batches', [[], [(np.zeros((3, 2)), np.zeros((3, 1)))]])
def test_errors(batches):
    with pytest.raises(UserError, match='posteriors'):
        latents.collapsed(batches)


@pytest.mark.parametrize(
    'values, said',
    [
        ({'eval/kl': 0.09}, True),
        ({'eval/kl': 0.11}, False),
        ({'eval/kl': 9.0, 'eval/collapsed': 1.0}, True),
        ({'eval/kl': 9.0, 'eval/collapsed': 0.0}, False),
        ({'eval/loss_g': 1.0}, False),
    ],
)
def test_the_alarm_is_of_a_small_kl_or_of_latents_that_tell_nothing(values, said):
    assert bool(latents.alarm(values)) == said
