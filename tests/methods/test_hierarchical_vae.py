"""The ELBO of a hierarchy: its terms in float64, whatever the devices or the batch."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from gan_vae import config as config_lib
from gan_vae import methods
from gan_vae.config import Reads, default
from gan_vae.data.source import Spec
from gan_vae.devices.mesh import put
from gan_vae.errors import UserError
from gan_vae.evaluation.importance import iwae_bound
from gan_vae.keys import keys_of, normals, purpose_key
from gan_vae.runs.program import build

SPEC = Spec(8, 8, 3)
SIZES = [2, 2 * 4, 2 * 64]
NAMES = ['kl/00_1x1', 'kl/01_2x2', 'kl/02_8x8']
TINY = {
    'data.image_size': 8,
    'method.name': 'hierarchical_vae',
    'method.likelihood': 'gaussian_fixed',
    'method.likelihood_scale': 2.0,
    'model.latent_dim': 2,
    'model.encoder_blocks': '8d4,2d2,1x1',
    'model.decoder_blocks': '1x1,2m1,8m2',
    'optimizer.skip_ratio': 10.0,
}


@pytest.fixture(scope='module')
def made():
    """What `vae` has made, by config: what was compiled of it is compiled once."""
    return {}


@pytest.fixture
def vae(config, made):
    def make(**changes):
        default.update(config, TINY)
        changes = {k.replace('__', '.'): v for k, v in changes.items()}
        default.update(config, changes)
        config_lib.validate(config)
        if (key := config.to_json()) not in made:
            method = methods.make(Reads(config.copy_and_resolve_references()), SPEC)
            names = ('init', 'train_step', 'evaluate_step')
            jitted = {name: jax.jit(getattr(method, name)) for name in names}
            made[key] = (
                dataclasses.replace(method, **jitted),
                jitted['init'](jax.random.key(0)),
            )
        return made[key]

    return make


def batch(n, seed=0):
    x = jax.random.uniform(jax.random.key(seed), (n, 8, 8, 3), minval=-1)
    return {'image': x, 'index': jnp.arange(n), 'mask': jnp.ones(n)}


def moved(state, by=0.3):
    """A state whose averaged weights are not those of the beginning."""
    leaves, tree = jax.tree.flatten(state.ema)
    rng = np.random.default_rng(0)
    new = [a + by * rng.normal(size=a.shape).astype(np.float32) for a in leaves]
    return state.replace(ema=jax.tree.unflatten(tree, new))


def noise_of(key, n):
    noise = normals(keys_of(key, jnp.arange(n)), (sum(SIZES),))
    return np.split(np.asarray(noise), np.cumsum(SIZES)[:-1], 1)


@pytest.mark.slow
def test_the_coder_walks_to_the_terms_of_the_elbo(vae):
    """KLs and likelihood in float64 of the Gaussians that it gives."""
    method, state = vae()
    state, x = moved(state), batch(4)['image']

    @jax.jit
    def walk(noises):
        coder, found = method.density.coder(state.weights()), []
        features, carry = coder.features(x), coder.start(4)
        assert coder.groups == len(SIZES)
        for number, noise in enumerate(noises):
            q = coder.posterior(number, carry, features)
            p = coder.prior(number, carry)
            z = q[0] + jnp.exp(q[1] / 2) * noise
            found.append((z, q, p))
            carry = coder.descend(number, carry, z)
        outputs = coder.outputs(carry)
        return found, coder.likelihood.log_prob(coder.params, outputs, x), outputs

    found, told, outputs = walk(noise_of(purpose_key(state.rng, 'evaluate'), 4))
    f64 = partial(np.asarray, dtype=np.float64)
    told_here = stats.norm.logpdf(f64(x), f64(outputs), 2).sum((1, 2, 3))
    np.testing.assert_allclose(told, told_here, rtol=1e-5)
    sums = method.evaluate_step(state, batch(4))
    total = 0
    for name, (_, (m, v), (m0, v0)) in zip(NAMES, found, strict=True):
        m, v, m0, v0 = map(f64, (m, v, m0, v0))
        kl = np.sum((np.exp(v) + (m - m0) ** 2) / np.exp(v0) - 1 + v0 - v) / 2
        np.testing.assert_allclose(sums[name], kl, rtol=2e-5)
        total += kl
    np.testing.assert_allclose(sums['kl'], total, rtol=2e-5)
    np.testing.assert_allclose(sums['elbo'], told_here.sum() - total, rtol=2e-5)

    key = jax.random.key(5)  # the same walk at other noise
    weights = jax.jit(method.density.log_weight)(state.weights(), key, x)
    found, told, _ = walk(noise_of(key, 4))
    for z, q, p in found:
        for sign, (m, v) in ((-1, q), (1, p)):
            log_p = stats.norm.logpdf(f64(z), f64(m), np.exp(f64(v) / 2))
            told = told + sign * log_p.sum(1)
    np.testing.assert_allclose(weights, told, rtol=2e-5)


@pytest.mark.slow
def test_at_the_beginning_the_prior_is_standard(vae):
    """Its last convolutions are zero: KL_l = KL(q_l || N(0, I)), and small."""
    method, state = vae()
    coder, x = method.density.coder(state.weights()), batch(4)['image']
    carry, features = coder.start(4), coder.features(x)
    sums = method.evaluate_step(state, batch(4))
    noises = noise_of(purpose_key(state.rng, 'evaluate'), 4)
    for number, noise in enumerate(noises):
        for prior in coder.prior(number, carry):
            assert not np.any(prior)
        mean, log_variance = map(np.asarray, coder.posterior(number, carry, features))
        kl = np.sum(mean**2 + np.exp(log_variance) - 1 - log_variance) / 2
        np.testing.assert_allclose(sums[NAMES[number]], kl, rtol=1e-3, atol=1e-6)
        assert 0 < kl < 0.05 * 4 * SIZES[number]
        z = mean + np.exp(log_variance / 2) * noise
        carry = coder.descend(number, carry, z)


def test_masked_rows_do_not_count_and_places_do_not_matter(vae):
    method, state = vae()
    whole, padded = batch(4), batch(8)
    padded['mask'] = padded['mask'].at[4:].set(0)
    turned = {k: v[::-1] for k, v in padded.items()}
    expected = method.evaluate_step(state, whole)
    assert expected['count'] == 4 and set(NAMES) < set(expected)
    for shown in (padded, turned):
        found = method.evaluate_step(state, shown)
        for name, value in expected.items():
            np.testing.assert_allclose(found[name], value, rtol=1e-5)


def after_steps(config, **changes):
    given = config.copy_and_resolve_references()
    settings = {'optimizer.eps': 1e-3, 'optimizer.learning_rate': 0.01}
    settings |= {'model.encoder_blocks': '8d8,1x1', 'model.decoder_blocks': '1x1,8m1'}
    changes = {k.replace('__', '.'): v for k, v in changes.items()}
    default.update(given, TINY | settings | changes)
    program = build(given, SPEC)
    state = jax.jit(program.method.init)(jax.random.key(0))
    state = jax.device_put(state, program.sharding)
    images = np.random.default_rng(0).integers(0, 256, (8, 8, 8, 3), np.uint8)
    shown = put(batch(8) | {'image': images}, program.mesh)
    for _ in range(2):
        state, metrics = program.train_step(state, shown)
    return jax.device_get((state.params, state.ema, metrics))


@pytest.mark.slow
def test_devices_and_memory_change_nothing(config):
    one = after_steps(config)
    ways = {'parallel__shard_state': True, 'parallel__remat': True}
    other = after_steps(config, parallel__devices=2, **ways)
    same = partial(np.testing.assert_allclose, rtol=2e-4, atol=2e-5)
    jax.tree.map(same, one[:2], other[:2])
    assert one[2]['skipped'] == 0
    for name, value in one[2].items():
        np.testing.assert_allclose(value, other[2][name], rtol=2e-4, atol=1e-4)


TRAINED = {
    'optimizer__learning_rate': 5e-3,
    'method__beta': 3.0,
    'method__likelihood_scale': 0.5,
}


@pytest.mark.slow
def test_loss_weighs_the_kl(vae):
    method, state = vae(**TRAINED)
    _, m = method.train_step(state, batch(8))
    np.testing.assert_allclose(m['loss'], m['reconstruction'] + 3 * m['kl'], rtol=1e-6)
    np.testing.assert_allclose(m['elbo'], -m['reconstruction'] - m['kl'], rtol=1e-6)
    np.testing.assert_allclose(m['kl'], sum(m[name] for name in NAMES), rtol=1e-5)


@pytest.mark.slow
def test_weights_average_to_the_elbo_and_bounds_grow(vae):
    method, state = vae()
    state, n = moved(state, 0.03), 200
    x = jnp.tile(batch(1)['image'], (n, 1, 1, 1))
    key = jax.random.key(3)
    analytic = np.asarray(method.density.elbo(state.weights(), key, x))
    bound = partial(iwae_bound, method.density.log_weight, state.weights(), key, x)
    found = {k: bound(k) for k in (1, 8)}
    error = found[1].std() / np.sqrt(n)
    assert abs(found[1].mean() - analytic.mean()) < 4 * error < 1
    assert found[8].mean() > found[1].mean() + 4 * error


@pytest.mark.slow
def test_encoded_means_are_decoded(vae):
    """Noise of the posteriors' means; samples are of the prior's noise."""
    method, state = vae()
    weights, x = moved(state).weights(), batch(3)['image']
    coder = method.density.coder(weights)
    carry, features = coder.start(3), coder.features(x)
    for number in range(coder.groups):
        z, _ = coder.posterior(number, carry, features)
        carry = coder.descend(number, carry, z)
    expected = coder.likelihood.mean(coder.outputs(carry))
    codes = jax.jit(method.latents.encode)(weights, x)
    assert codes.shape == (3, sum(SIZES))
    decode = jax.jit(method.latents.decode)
    np.testing.assert_allclose(decode(weights, codes), expected, rtol=1e-3, atol=1e-3)
    key = jax.random.key(7)
    made = jax.jit(method.generate, static_argnums=2)(weights, key, 3)
    again = decode(weights, method.latents.prior(key, 3))
    np.testing.assert_allclose(made, again, rtol=1e-4, atol=1e-5)
    assert np.abs(method.latents.prior(key, 50, 0.5)).max() <= 0.5


@pytest.mark.slow
def test_training_raises_the_elbo(vae):
    method, state = vae(**TRAINED)
    flat = jnp.linspace(-1, 1, 8)[:, None, None, None]
    shown = batch(8) | {'image': batch(8)['image'] * 0 + flat}
    found = []
    for _ in range(60):
        state, metrics = method.train_step(state, shown)
        found.append(float(metrics['elbo']))
    assert metrics['skipped'] == 0
    assert found[-1] > found[0] + 100


def test_grey_pixels_are_no_coins(vae):
    with pytest.raises(UserError, match='binary pixels'):
        vae(method__likelihood='bernoulli')
