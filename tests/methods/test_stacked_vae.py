"""Layers of latents: weights whose mean is p(x), and one layer as the VAE has it."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import norm

from gan_vae import config as config_lib
from gan_vae import methods
from gan_vae.config import default
from gan_vae.data.source import Spec
from gan_vae.errors import UserError
from gan_vae.evaluation.importance import iwae_bound
from gan_vae.methods.stacked_vae import Networks

SPEC = Spec(4, 4, 1)


def jitted(capability, *names):
    changed = {name: jax.jit(getattr(capability, name)) for name in names}
    return dataclasses.replace(capability, **changed)


@pytest.fixture
def stacked(config):
    def make(layers, scale=1.5, **changes):
        default.use_method(config, 'stacked_vae')
        config.method.likelihood, config.data.binarize = 'bernoulli', 'threshold'
        config.method.bound, config.method.bound_samples = 'iwae', 5
        config.model.stochastic_layers = layers
        changes = {k.replace('__', '.'): v for k, v in changes.items()}
        default.update(config, changes)
        config_lib.validate(config)
        method = methods.make(config, SPEC)
        state = jax.jit(method.init)(jax.random.key(0))
        method = dataclasses.replace(
            method,
            train_step=jax.jit(method.train_step),
            evaluate_step=jax.jit(method.evaluate_step),
            latents=jitted(method.latents, 'encode', 'decode'),
            density=jitted(method.density, 'log_weight'),
        )
        louder = jax.tree.map(lambda a: scale * a + 0.1, state.ema)
        return method, state.replace(ema=louder, params=louder)

    return make


def images(n, seed=0):
    bits = jax.random.bernoulli(jax.random.key(seed), 0.4, (n, 4, 4, 1))
    return 2 * bits.astype(jnp.float32) - 1


def dense(p, x):
    return x @ np.asarray(p['kernel'], np.float64) + np.asarray(p['bias'], np.float64)


def gaussian(p, x):
    """Mean and deviation [..., D] in NumPy."""
    for name in ('Dense_0', 'Dense_1'):
        x = np.tanh(dense(p[name], x))
    return dense(p['Dense_2'], x), np.exp(dense(p['Dense_3'], x) / 2)


@pytest.mark.slow
def test_the_mean_weight_is_the_evidence(stacked):
    """p(x) = int p(z_2) p(z_1 | z_2) p(x | z_1), on a grid in float64."""
    method, state = stacked('6x1,5x1', scale=0.7)
    net, x = state.ema['network'], images(1)
    z = np.linspace(-9, 9, 1201)
    cell = z[1] - z[0]
    mean, deviation = gaussian(net['down_0'], z[:, None])
    below = norm.pdf(z, mean, deviation)  # [z_2, z_1]
    p_z1 = norm.pdf(z) @ below * cell
    assert p_z1.sum() * cell == pytest.approx(1, abs=1e-3)
    h = z[:, None]
    for name in ('Dense_0', 'Dense_1'):
        h = np.tanh(dense(net['decoder'][name], h))
    logits = dense(net['decoder']['Dense_2'], h)
    sign = np.asarray(x, np.float64).reshape(-1)
    exact = np.log(p_z1 @ np.exp(np.log(expit(sign * logits)).sum(1)) * cell)

    n = 4000
    many = jnp.tile(x, (n, 1, 1, 1))
    found = np.asarray(
        method.density.log_weight(state.weights(), jax.random.key(1), many), np.float64
    )
    weights = np.exp(found - exact)
    error = weights.std() / np.sqrt(n)
    assert error < 0.05 and abs(weights.mean() - 1) < 4 * error
    assert found.mean() < exact - 0.05  # the ELBO, far enough for the next to tell
    key = jax.random.key(2)
    tight = iwae_bound(
        method.density.log_weight, state.weights(), key, many[:100], 64
    ).mean()
    assert found.mean() + 0.02 < tight < exact + 0.02
    method, _ = stacked('6x1,5x1', method__bound_samples=64)
    _, metrics = method.train_step(state, {'image': many[:100]})
    assert found.mean() + 0.02 < metrics['bound'] < exact + 0.02


@pytest.mark.slow
def test_one_layer_is_the_vae(stacked, config):
    method, state = stacked('8x3')
    default.use_method(config, 'vae')
    config.model.encoder = config.model.decoder = 'iwae'
    config.model.width, config.model.latent_dim = 8, 3
    vae = methods.make(config, SPEC)
    net = state.ema['network']
    same = {'encoder': net['encoder'], 'decoder': net['decoder'], 'likelihood': {}}
    other = state.replace(ema=same, params=same)
    x, key = images(6), jax.random.key(3)
    weights = (
        method.density.log_weight(state.weights(), key, x),
        vae.density.log_weight(other.weights(), key, x),
    )
    np.testing.assert_allclose(*weights, rtol=1e-5)
    codes = method.latents.encode(state.weights(), x)
    np.testing.assert_allclose(
        codes, vae.latents.encode(other.weights(), x), rtol=1e-5, atol=1e-6
    )
    made = (
        method.latents.decode(state.weights(), codes),
        vae.latents.decode(other.weights(), codes),
    )
    np.testing.assert_allclose(*made, rtol=1e-5, atol=1e-6)


def test_codes_are_the_noise_of_the_means(stacked):
    method, state = stacked('6x3,5x2')
    net, x = state.ema['network'], images(3)
    z1, _ = gaussian(net['encoder'], (np.asarray(x, np.float64).reshape(3, -1) + 1) / 2)
    z2, _ = gaussian(net['up_0'], z1)
    mean, deviation = gaussian(net['down_0'], z2)
    expected = np.concatenate([z2, (z1 - mean) / deviation], 1)
    np.testing.assert_allclose(
        method.latents.encode(state.weights(), x), expected, rtol=1e-4, atol=1e-4
    )
    h = z1
    for name in ('Dense_0', 'Dense_1'):
        h = np.tanh(dense(net['decoder'][name], h))
    shown = 2 * expit(dense(net['decoder']['Dense_2'], h)).reshape(3, 4, 4, 1) - 1
    codes = method.latents.encode(state.weights(), x)
    np.testing.assert_allclose(
        method.latents.decode(state.weights(), codes), shown, rtol=1e-4, atol=1e-4
    )
    key = jax.random.key(0)
    cold = method.generate(state.weights(), key, 2, None, 0.0)
    np.testing.assert_allclose(
        cold, method.latents.decode(state.weights(), jnp.zeros((2, 5))), rtol=1e-5
    )


def test_evaluation_is_of_the_mask_and_sums_its_layers(stacked):
    method, state = stacked('6x3,5x2')
    shown = {'image': images(6), 'index': jnp.arange(6), 'mask': jnp.ones(6)}
    few = shown | {'mask': jnp.arange(6) < 4}
    sums = method.evaluate_step(state, few)
    four = jax.tree.map(lambda a: a[3::-1], shown)
    for name, value in method.evaluate_step(state, four).items():
        np.testing.assert_allclose(sums[name], value, rtol=1e-5)
    assert sums['count'] == 4
    np.testing.assert_allclose(sums['kl'], sums['kl/1'] + sums['kl/2'], rtol=1e-5)
    elbo = -sums['reconstruction'] - sums['kl']
    np.testing.assert_allclose(sums['elbo'], elbo, rtol=1e-5)


@pytest.mark.slow
def test_training_raises_the_bound(stacked):
    method, state = stacked('16x4,8x2', optimizer__learning_rate=5e-3)
    shown = {'image': images(8)}
    found = []
    for _ in range(150):
        state, metrics = method.train_step(state, shown)
        found.append(float(metrics['bound']))
    assert metrics['loss'] == -metrics['bound']
    assert np.mean(found[-10:]) > np.mean(found[:10]) + 3


@pytest.mark.parametrize(
    'changes, said',
    [
        ({'method__bound': 'dreg'}, "method.bound 'dreg'"),
        ({'method__bound': 'elbo'}, 'elbo of 1 sample'),
        ({'data__binarize': 'none'}, 'binary pixels'),
    ],
)
def test_what_does_not_go_together_is_one_line(stacked, changes, said):
    with pytest.raises(UserError, match=said):
        stacked('8x3,4x2', **changes)


@pytest.mark.parametrize('text', ['', '8', '8x', 'x3', '8x3,', '0x3', '8y3', '8x-3'])
def test_layers_that_are_none(text):
    with pytest.raises(UserError, match='is not like 200x100'):
        Networks(text).check()


def test_layers_by_hand():
    assert Networks('200x100, 100x50').layers() == [(200, 100), (100, 50)]
