"""Adversarial losses against TF-GAN's test vectors."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_vae.objectives import adversarial

REAL = jnp.array([-5.0, 1.4, 12.5, 2.7])
FAKE = jnp.array([10.0, 4.4, -5.5, 3.6])


@pytest.mark.parametrize(
    'name, generator, discriminator', [('non_saturating', 1.38582, 5.83387)]
)
def test_golden_values(name, generator, discriminator):
    loss = adversarial.LOSSES[name]
    np.testing.assert_allclose(loss.generator(FAKE), generator, rtol=1e-5)
    np.testing.assert_allclose(loss.discriminator(REAL, FAKE), discriminator, rtol=1e-5)


@pytest.mark.parametrize('name', adversarial.LOSSES)
def test_finite_at_extreme_logits(name):
    loss = adversarial.LOSSES[name]
    x = jnp.array([-1e4, 1e4])
    for value in jax.value_and_grad(
        lambda x: loss.discriminator(x, x) + loss.generator(x)
    )(x):
        assert np.isfinite(value).all()
