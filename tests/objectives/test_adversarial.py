"""Adversarial losses against TF-GAN's test vectors, and their use on a known game."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from gan_vae.objectives import adversarial, penalties

REAL = jnp.array([-5.0, 1.4, 12.5, 2.7])
FAKE = jnp.array([10.0, 4.4, -5.5, 3.6])


@pytest.mark.parametrize(
    'name, generator, discriminator',
    [
        ('saturating', -4.51082, 5.83387),
        ('non_saturating', 1.38582, 5.83387),
        ('least_squares', 17.69625, 41.73375),
        ('hinge', -3.125, 6.75),
        ('margin_hinge', -3.125, 6.65),
        ('wasserstein', -3.125, 0.225),
        ('relativistic', 4.597435, 4.822435),
    ],
)
def test_golden_values(name, generator, discriminator):
    loss = adversarial.LOSSES[name]
    real = REAL if loss.paired else None  # the others do without
    for value, golden in (
        (loss.generator(FAKE, real), generator),
        (loss.discriminator(REAL, FAKE), discriminator),
    ):
        assert abs(float(value) - golden) < 6e-6  # to the digits printed


def test_the_margin_hinge_is_the_mean_of_hinges_whose_margin_is_drawn():
    logits = jnp.array([0.0, 0.9, 1.0, 0.85, -3.0])
    margins = np.linspace(0.8, 1.0, 20_001)[:, None]
    drawn = np.maximum(0, margins - np.asarray(logits)).mean(0)
    of_each = jax.vmap(adversarial._margin_hinge)(logits)
    np.testing.assert_allclose(of_each, drawn, atol=1e-5)
    np.testing.assert_allclose(of_each[:3], [0.9, 0.025, 0], atol=1e-6)
    slope = -(margins > np.asarray(logits)).mean(0)
    gradient = jax.vmap(jax.grad(adversarial._margin_hinge))(logits)
    np.testing.assert_allclose(gradient, slope, atol=1e-4)


@pytest.mark.parametrize('name', adversarial.LOSSES)
def test_finite_at_extreme_logits(name):
    loss = adversarial.LOSSES[name]
    x = jnp.array([-1e4, 1e4])
    for value in jax.value_and_grad(
        lambda x: loss.discriminator(x, -x) + loss.generator(x, -x)
    )(x):
        assert np.isfinite(value).all()


@pytest.mark.parametrize('name', adversarial.LOSSES)
def test_each_player_wants_what_the_other_does_not(name):
    """D: real logits up and fake ones down; G: fake ones up, and paired real down."""
    loss = adversarial.LOSSES[name]
    x = jnp.array([0.3])  # inside the hinge, and below least squares' target
    assert jax.grad(lambda r: loss.discriminator(r, x)[()])(x) < 0
    assert jax.grad(lambda f: loss.discriminator(x, f)[()])(x) > 0
    assert jax.grad(lambda f: loss.generator(f, x)[()])(x) < 0


def test_relativistic_losses_are_of_pairs_and_of_their_differences():
    """They change with the pairing and not with D + c; L_D(r, f) = L_G(f, r); L_D - L_G
    is mean(f - r). Huang et al. 2025, arXiv:2501.05441."""
    d, g = adversarial.LOSSES['relativistic'][:2]
    np.testing.assert_allclose(d(REAL + 100, FAKE + 100), 4.822435, rtol=1e-5)
    np.testing.assert_allclose(g(FAKE + 100, REAL + 100), 4.597435, rtol=1e-5)
    np.testing.assert_allclose(d(REAL, FAKE), g(REAL, FAKE))
    np.testing.assert_allclose(d(REAL, FAKE) - g(FAKE, REAL), 0.225, rtol=1e-4)
    assert abs(float(d(REAL[::-1], FAKE) - d(REAL, FAKE))) > 0.1
    ones = jnp.ones(4)
    np.testing.assert_allclose([d(ones, ones), g(ones, ones)], np.log(2), rtol=1e-6)


def test_a_penalised_critic_measures_the_distance_of_two_gaussians():
    """W_1(N(0, 1), N(3, 1)) = 3, over functions of slope at most 1."""
    fake, real = np.random.default_rng(0).standard_normal((2, 128, 1)) + [[[0]], [[3]]]
    exact = np.abs(np.sort(real, 0) - np.sort(fake, 0)).mean()  # of these samples
    assert abs(exact - 3) < 0.2
    loss, optimizer = adversarial.LOSSES['wasserstein'], optax.adam(0.02, b1=0, b2=0.9)
    keys = jax.random.split(jax.random.key(0))
    params = {
        'in': jax.random.normal(keys[0], (1, 16)),
        'bias': jnp.zeros(16),
        'out': jnp.zeros((16, 1)),  # nothing yet; a slope of -1 would be a trap
    }

    def critic(p, x):
        return (jax.nn.softplus(x @ p['in'] + p['bias']) @ p['out'])[:, 0]

    def distance(p):
        return -loss.discriminator(critic(p, real), critic(p, fake))

    def objective(p, key):
        mix = jax.random.uniform(key, (len(real),))
        penalty = penalties.wgan_gp(lambda x: critic(p, x), real, fake, mix, 10.0)
        return penalty - distance(p)

    def step(i, state):
        p, moments = state
        gradient = jax.grad(objective)(p, jax.random.fold_in(keys[1], i))
        updates, moments = optimizer.update(gradient, moments)
        return optax.apply_updates(p, updates), moments

    assert distance(params) == 0
    state = jax.lax.fori_loop(0, 300, step, (params, optimizer.init(params)))
    np.testing.assert_allclose(distance(state[0]), exact, rtol=0.05)
