"""Codes of a known mixture: what is fitted, how far the prior is, what is drawn."""

import numpy as np
import pytest

from gan_vae.art import aggregate
from gan_vae.errors import UserError

pytest.importorskip('sklearn', reason='pip install "gan_vae[metrics]"')
pytestmark = pytest.mark.oracle


def known(n: int, apart: float):
    """Codes and posterior means: unit 0 of two modes, 1 the prior's, 2 says nothing.

    The mode above is three times as wide as that below.
    """
    rng = np.random.default_rng(0)
    mode = rng.choice([-apart, apart], n)
    means = np.stack([mode, rng.standard_normal(n) * 0.8, np.zeros(n)], axis=1)
    deviations = np.stack([0.2 + 0.1 * np.sign(mode), 0.6 + 0 * mode, 1 + 0 * mode], 1)
    return means + deviations * rng.standard_normal((n, 3)), means


def true_mismatch(apart: float) -> float:
    """KL of the modes' half-and-half mixture to N(0, 1), by quadrature."""
    x = np.linspace(-8, 8, 20001)
    modes = ((-apart, 0.1), (apart, 0.3))
    q = sum(np.exp(-0.5 * ((x - m) / s) ** 2) / s for m, s in modes)
    q /= 2 * np.sqrt(2 * np.pi)
    log_p = -0.5 * (x**2 + np.log(2 * np.pi))
    return float(np.trapezoid(q * (np.log(q + 1e-300) - log_p), x))


@pytest.mark.parametrize('apart', [1.0, 2.0])
def test_the_mismatch_of_a_known_mixture(apart):
    mixture = aggregate.fit(*known(6000, apart))
    assert mixture.active.tolist() == [True, True, False]
    assert len(mixture.weights) > 1
    assert mixture.mismatch == pytest.approx(true_mismatch(apart), abs=0.05)
    assert 0 < mixture.error < 0.05


def test_codes_of_the_prior_have_no_mismatch():
    z = np.random.default_rng(1).standard_normal((4000, 4))
    mixture = aggregate.fit(z, z)
    assert abs(mixture.mismatch) < 3 * mixture.error + 0.01


def test_draws_are_of_the_mixture_and_row_by_row():
    z, means = known(6000, 2.0)
    mixture = aggregate.fit(z, means)
    drawn = aggregate.draw(mixture, 3, 3000)
    np.testing.assert_array_equal(aggregate.draw(mixture, 3, 7), drawn[:7])
    assert np.abs(np.abs(drawn[:, 0]) - 2).mean() < 0.4
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(z.T), atol=0.2)
    for side, width in ((drawn[:, 0] < 0, 0.1), (drawn[:, 0] > 0, 0.3)):
        assert drawn[side, 0].std() == pytest.approx(width, rel=0.2)
    cold = aggregate.draw(mixture, 3, 500, temperature=0.0)
    assert len(np.unique(cold.round(5), axis=0)) <= len(mixture.weights)
    assert np.all(cold[:, 2] == 0)


def test_codes_are_of_the_posterior_each_with_noise_of_its_own():
    def posterior(x):
        return x, np.full_like(x, np.log(0.25))

    x = np.arange(8000.0).reshape(4000, 2)
    z, means = aggregate.codes(posterior, ((x[:2000],), (x[2000:],)), seed=0)
    np.testing.assert_array_equal(means, x)
    assert np.std(z - x) == pytest.approx(0.5, rel=0.05)
    assert abs(np.corrcoef((z - x).T)[0, 1]) < 0.05


def test_what_cannot_be_fitted_is_one_line():
    z = np.random.default_rng(0).standard_normal((10, 5))
    with pytest.raises(UserError, match='10 images are too few'):
        aggregate.fit(z, z)
    with pytest.raises(UserError, match='collapsed'):
        aggregate.fit(z, 0 * z)
