"""R1 against closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_vae.objectives import penalties


def test_r1_of_linear_and_quadratic_discriminators():
    x = jax.random.normal(jax.random.key(0), (5, 4, 4, 2))
    a = jax.random.normal(jax.random.key(1), (4, 4, 2))
    linear = penalties.r1(lambda x: jnp.sum(a * x, (1, 2, 3)), x, gamma=3.0)
    np.testing.assert_allclose(linear, 1.5 * jnp.sum(a**2), rtol=1e-5)
    quadratic = penalties.r1(lambda x: jnp.sum(x**2, (1, 2, 3)), x, gamma=1.0)
    np.testing.assert_allclose(
        quadratic, 2 * jnp.mean(jnp.sum(x**2, (1, 2, 3))), rtol=1e-5
    )


def test_r1_is_finite_with_its_gradient_where_the_gradient_is_zero():
    def penalty(scale):
        return penalties.r1(
            lambda x: scale * jnp.sum(x**2, (1, 2, 3)), jnp.zeros((2, 4, 4, 1)), 1.0
        )

    assert np.isfinite(jax.grad(penalty)(1.0))


@pytest.mark.parametrize(
    'gamma, expected', [(0.0, 2.2536), (0.3, 9.2e-4), (2.0, 1.2e-3)]
)
def test_dirac_gan_turns_inwards_only_with_r1(gamma, expected):
    """Mescheder et al. 2018: D(x) = psi x, data at 0, G at theta; simultaneous gradient
    descent on the minimax game, h = 0.1, from (1, 1): the norm after 500 steps."""

    def value(psi, theta):
        penalty = penalties.r1(lambda x: psi * x[:, 0], jnp.zeros((1, 1)), gamma)
        return jax.nn.softplus(psi * theta) + penalty  # D descends, G ascends

    def step(_, state):
        psi, theta = state
        slope_psi, slope_theta = jax.grad(value, (0, 1))(psi, theta)
        return psi - 0.1 * slope_psi, theta + 0.1 * slope_theta

    end = jax.lax.fori_loop(0, 500, step, (jnp.array(1.0), jnp.array(1.0)))
    np.testing.assert_allclose(jnp.linalg.norm(jnp.stack(end)), expected, rtol=0.1)
