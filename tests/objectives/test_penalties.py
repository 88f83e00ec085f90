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


def dirac_gan(gamma):
    """Mescheder et al. 2018: D(x) = psi x, data at 0, G at theta: the direction of
    simultaneous descent of D and ascent of G on the minimax game."""

    def value(psi, theta):
        penalty = penalties.r1(lambda x: psi * x[:, 0], jnp.zeros((1, 1)), gamma)
        return jax.nn.softplus(psi * theta) + penalty

    def direction(state):
        slope_psi, slope_theta = jax.grad(value, (0, 1))(*state)
        return jnp.stack([-slope_psi, slope_theta])

    return direction


@pytest.mark.parametrize('gamma', [0.0, 0.3, 1.0, 2.0])
def test_r1_gives_the_dirac_gan_its_eigenvalues(gamma):
    """-gamma/2 +- sqrt(gamma^2/4 - 1/4) at the equilibrium: inwards only with R1."""
    jacobian = np.asarray(jax.jacobian(dirac_gan(gamma))(jnp.zeros(2)), np.float64)
    root = np.sqrt(complex(gamma**2 / 4 - 1 / 4))
    expected = np.array([-gamma / 2 + root, -gamma / 2 - root])
    characteristic = np.poly(jacobian), np.poly(expected)  # no matter the order
    np.testing.assert_allclose(*characteristic, atol=1e-6)


def test_the_dirac_gan_circles_outwards_without_r1():
    step = jax.jit(lambda _, state: state + 0.1 * dirac_gan(0.0)(state))
    end = jax.lax.fori_loop(0, 500, step, jnp.ones(2))
    assert jnp.linalg.norm(end) > 2.0  # from 1.41
