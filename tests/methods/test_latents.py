"""Where latents come from: their laws, their codes, their truncation."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from gan_vae.errors import UserError
from gan_vae.keys import keys_of
from gan_vae.methods import latents

KEYS = keys_of(jax.random.key(0), jnp.arange(4000))


def prior(**model):
    return latents.make(3, **model)


@pytest.mark.parametrize('truncation', [0.3, 1.0, 2.5])
def test_truncation_draws_again_and_does_not_scale(truncation):
    """The law of a normal number given that it is within +- t."""
    z = np.asarray(prior().draw(KEYS, truncation))
    assert np.abs(z).max() <= truncation
    law = stats.truncnorm(-truncation, truncation)
    assert stats.kstest(z.ravel(), law.cdf).pvalue > 1e-3
    assert stats.kstest(z.ravel() * 0.9, law.cdf).pvalue < 1e-3


def test_full_and_no_truncation_are_the_law_and_its_mean():
    assert stats.kstest(np.ravel(prior().draw(KEYS)), 'norm').pvalue > 1e-3
    np.testing.assert_array_equal(prior().draw(KEYS[:5], 0.0), np.zeros((5, 3)))
    uniform = np.ravel(prior(noise='uniform').draw(KEYS))
    assert stats.kstest(uniform, stats.uniform(-1, 2).cdf).pvalue > 1e-3
    with pytest.raises(UserError, match='uniform'):
        prior(noise='uniform').draw(KEYS, 1.0)


def test_codes_come_after_the_noise_and_are_independent_of_it():
    plain, made = prior(), prior(categories=4, continuous=2)
    assert (made.size, made.codes) == (9, 6)
    z = np.asarray(made.draw(KEYS))
    np.testing.assert_array_equal(z[:, :3], plain.draw(KEYS))
    category, numbers = z[:, 3:7], z[:, 7:]
    assert set(np.unique(category)) == {0, 1} and (category.sum(1) == 1).all()
    assert stats.chisquare(category.sum(0)).pvalue > 1e-3
    assert stats.kstest(numbers.ravel(), stats.uniform(-1, 2).cdf).pvalue > 1e-3
    correlation = np.corrcoef(np.column_stack([z[:, :4], numbers]).T)
    assert np.abs(correlation - np.eye(6)).max() < 0.08
