"""Gradient penalties against closed forms, and what they do to the Dirac-GAN."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_vae.objectives import adversarial, penalties

X, FAKE = jax.random.normal(jax.random.key(0), (2, 5, 4, 4, 2))
A = jax.random.normal(jax.random.key(1), (4, 4, 2))
MIX = jnp.array([0.0, 0.25, 0.5, 0.9, 1.0])


def linear(x):
    return jnp.sum(A * x, (1, 2, 3))


def quadratic(x):
    return jnp.sum(x**2, (1, 2, 3)) / 2


def norm(x):
    return np.sqrt(np.sum(np.square(np.asarray(x, np.float64)), axis=(-3, -2, -1)))


def test_zero_centred_penalties_of_linear_and_quadratic_discriminators():
    for penalty, images in ((penalties.r1, X), (penalties.r2, FAKE)):
        np.testing.assert_allclose(
            penalty(linear, images, 3.0), 1.5 * norm(A) ** 2, rtol=1e-5
        )
        np.testing.assert_allclose(
            penalty(quadratic, images, 3.0), 1.5 * np.mean(norm(images) ** 2), rtol=1e-5
        )


def test_the_matching_aware_penalty_is_of_power_six():
    for d, of in ((linear, A), (quadratic, X)):
        expected = 2 * np.mean(norm(of) ** 6)
        np.testing.assert_allclose(penalties.ma_gp(d, X, 2.0), expected, rtol=1e-4)


def test_a_discriminator_of_patches_is_the_mean_of_its_logits():
    def patches(x):  # 1, 2 and 6 times D(x)
        return linear(x)[:, None] * jnp.array([1.0, 2.0, 6.0])

    np.testing.assert_allclose(
        penalties.r1(patches, X, 3.0), 1.5 * (3 * norm(A)) ** 2, rtol=1e-5
    )


def test_one_centred_penalties_of_a_linear_discriminator():
    expected = 10 * (norm(A) - 1) ** 2
    for value in (
        penalties.wgan_gp(linear, X, FAKE, MIX, 10.0),
        penalties.dragan(linear, X, 0.3 * FAKE, 10.0),
    ):
        np.testing.assert_allclose(value, expected, rtol=1e-5)
    # TF-GAN's: D(x) = 2 x.1 in 4 dimensions has a gradient of norm 4
    ones = jnp.ones((3, 4))
    golden = penalties.wgan_gp(lambda x: 2 * x.sum(1), ones, 0 * ones, MIX[:3], 1.0)
    np.testing.assert_allclose(golden, 9.0, rtol=1e-6)


def test_where_one_centred_penalties_look():
    """Of |x|^2 / 2 the gradient is x: the penalty tells the points."""
    mix = np.asarray(MIX).reshape(-1, 1, 1, 1)
    for value, points in (
        (penalties.wgan_gp(quadratic, X, FAKE, MIX, 1.0), mix * X + (1 - mix) * FAKE),
        (penalties.dragan(quadratic, X, 0.3 * FAKE, 1.0), X + 0.3 * FAKE),
    ):
        np.testing.assert_allclose(value, np.mean((norm(points) - 1) ** 2), rtol=1e-5)
    uniform = jax.random.uniform(jax.random.key(2), X.shape)
    noise = penalties.dragan_noise(uniform, MIX, X)
    deviation = np.std(np.asarray(X, np.float64), axis=(1, 2, 3))
    np.testing.assert_allclose(
        noise, 0.5 * mix * deviation.reshape(-1, 1, 1, 1) * uniform, rtol=1e-5
    )


@pytest.mark.parametrize('name', ['r1', 'r2', 'wgan_gp', 'dragan'])
def test_finite_with_its_gradient_where_the_gradient_is_zero(name):
    more = {'wgan_gp': (X, MIX), 'dragan': (X,)}.get(name, ())

    def penalty(scale):
        return getattr(penalties, name)(lambda x: scale * quadratic(x), X, *more, 1.0)

    value, slope = jax.value_and_grad(penalty)(0.0)
    assert value == (1.0 if more else 0.0) and np.isfinite(slope)


def dirac_gan(gamma):
    """Mescheder et al. 2018: D(x) = psi x, data at 0, G at theta: the direction of
    simultaneous descent of both on the minimax game."""
    loss = adversarial.LOSSES['saturating']

    def direction(state):
        theta, psi = state

        def of_d(psi):
            real, fake = jnp.zeros((1, 1)), theta[None, None]
            penalty = penalties.r1(lambda x: psi * x[:, 0], real, gamma)
            return loss.discriminator(psi * real, psi * fake) + penalty

        def of_g(theta):
            return loss.generator(psi * theta[None, None])

        return -jnp.stack([jax.grad(of_g)(theta), jax.grad(of_d)(psi)])

    return direction


@pytest.mark.slow
@pytest.mark.parametrize(
    'gamma, eigenvalues, norm_after_500',
    [
        (0.0, (0.5j, -0.5j), 2.2536),
        (0.3, (-0.15 + 0.4770j, -0.15 - 0.4770j), 9.2e-4),
        (1.0, (-0.5, -0.5), 2.3e-10),
        (2.0, (-0.1340, -1.8660), 1.2e-3),
    ],
)
def test_r1_makes_the_dirac_gan_converge(gamma, eigenvalues, norm_after_500):
    """-gamma/2 +- sqrt(gamma^2/4 - 1/4) at the equilibrium: inwards only with R1, and
    without it 500 steps of .1 lead away. From theta = 1, psi = -1,
    which is (1, 1) in the paper: its D is high on what is generated."""
    with jax.enable_x64(True):
        direction = dirac_gan(gamma)
        jacobian = np.asarray(jax.jacobian(direction)(jnp.zeros(2)))
        characteristic = np.poly(jacobian), np.poly(eigenvalues)  # in any order
        np.testing.assert_allclose(*characteristic, atol=1e-4)
        step = jax.jit(lambda _, state: state + 0.1 * direction(state))
        end = jax.lax.fori_loop(0, 500, step, jnp.array([1.0, -1.0]))
        digits = 5e-5 if gamma == 0 else 0.025 * norm_after_500
        assert abs(float(jnp.linalg.norm(end)) - norm_after_500) < digits
