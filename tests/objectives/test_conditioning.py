"""What is said of class and code, against closed forms and optax."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from gan_vae.objectives.conditioning import cross_entropy, information

LOGITS = 3 * jax.random.normal(jax.random.key(0), (6, 5))
LABEL = jnp.array([0, 4, 2, 2, 1, 3])


def test_cross_entropy_is_optaxs():
    expected = optax.softmax_cross_entropy_with_integer_labels(LOGITS, LABEL).mean()
    np.testing.assert_allclose(cross_entropy(LOGITS, LABEL), expected, rtol=1e-6)
    assert np.isfinite(cross_entropy(1e4 * LOGITS, LABEL))


@pytest.mark.parametrize('categories, continuous', [(5, 0), (0, 2), (5, 2)])
def test_information_is_all_of_the_entropy_or_none(categories, continuous):
    """Told exactly: log K, and the entropy of U(-1, 1) plus log N(0; 0, 1). Not told,
    with all outputs 0: none, and as much less as the codes' squares say."""
    category = jax.nn.one_hot(LABEL, categories) if categories else jnp.zeros((6, 0))
    numbers = jnp.linspace(-1, 1, 100_001)[:: 100_000 // 5][:, None] * jnp.ones(
        continuous
    )
    codes = jnp.concatenate([category, numbers], 1)
    told, numbers_told = information(
        jnp.concatenate([1e3 * category, numbers], 1), codes, categories
    )
    np.testing.assert_allclose(told, np.log(categories or 1), atol=1e-6)
    constant = continuous * np.log(2 / np.sqrt(2 * np.pi))
    np.testing.assert_allclose(numbers_told, constant, atol=1e-6)
    mute, numbers_mute = information(jnp.zeros_like(codes), codes, categories)
    np.testing.assert_allclose(mute, 0, atol=1e-6)
    expected = constant - 0.5 * jnp.sum(numbers**2) / 6
    np.testing.assert_allclose(numbers_mute, expected, atol=1e-6)


def test_information_is_a_lower_bound_that_a_wrong_answer_lowers_below_zero():
    codes = jax.nn.one_hot(LABEL, 5)
    wrong, _ = information(4 * jnp.roll(codes, 1, axis=1), codes, 5)
    assert wrong < 0
