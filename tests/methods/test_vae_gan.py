"""VAE-GAN: whom each gradient reaches, who waits, devices, what it gives."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_vae import config as config_lib
from gan_vae import methods, models
from gan_vae.config import Reads, default
from gan_vae.data.source import Spec
from gan_vae.devices.mesh import put
from gan_vae.errors import UserError
from gan_vae.keys import keys_of, normals
from gan_vae.learning.state import step_key
from gan_vae.methods.vae_gan.method import LOSSES, NETWORKS, learning
from gan_vae.objectives import augment
from gan_vae.runs.program import build

SIZE, ROWS, LATENT = 8, 6, 8
SPEC = Spec(SIZE, SIZE, 3)
SETTINGS = {
    'data.image_size': SIZE,
    'data.batch_size': ROWS,
    'method.name': 'vae_gan',
    'method.loss': 'saturating',
    'method.reconstruction_weight': 0.3,
    'method.balance_equilibrium': 1.0,
    'method.balance_margin': 0.29,
    'model.encoder': 'vae_gan',
    'model.generator': 'vae_gan',
    'model.discriminator': 'vae_gan',
    'method.ema_decay': 0.5,
    'optimizer.learning_rate': 3e-3,
    'optimizer.b1': 0.0,  # Adam's first moment is then the gradient itself
}
close = partial(np.testing.assert_allclose, rtol=2e-4, atol=2e-6)


@pytest.fixture(scope='module')
def made():
    """What `vae_gan` has made, by config: what was compiled of it is compiled once."""
    return {}


@pytest.fixture
def vae_gan(config, made):
    def make(**changes):
        changes = {k.replace('__', '.'): v for k, v in changes.items()}
        default.update(config, SETTINGS | changes)
        config_lib.validate(config)
        if (key := config.to_json()) not in made:
            method = methods.make(Reads(config.copy_and_resolve_references()), SPEC)
            method = dataclasses.replace(method, train_step=jax.jit(method.train_step))
            made[key] = method, jax.jit(method.init)(jax.random.key(0))
        return made[key]

    return make


def batch(n=ROWS, seed=0):
    x = jax.random.uniform(jax.random.key(seed), (n, SIZE, SIZE, 3), minval=-1)
    return {'image': x, 'index': jnp.arange(n), 'mask': jnp.ones(n)}


def gradients(state):
    return {name: state.opt_state[name][0].mu for name in NETWORKS}


def equal(a, b):
    return all(jax.tree.leaves(jax.tree.map(lambda x, y: bool((x == y).all()), a, b)))


def with_head(state, scale, bias):
    """The state with another last layer of D, which is after Dis_l.

    By their costs G waits at a scale of -100, D at a scale and a bias of 0; at a bias
    of 3, with which all images look real, both would wait, and so all learn.
    """
    d = state.params['discriminator']
    head = {'kernel': scale * d['Dense_1']['kernel'], 'bias': jnp.full(1, bias)}
    d = d | {'Dense_1': head}
    return state.replace(params=state.params | {'discriminator': d})


def written_out(state, x, gamma, policy):
    """Algorithm 1, line by line: a loss for each network, of its parameters alone."""
    fields = {'image_size': SIZE, 'width': 8, 'latent_dim': LATENT, 'channels': 3}
    networks = {n: models.make(n, 'vae_gan', **fields) for n in NETWORKS}
    keys = {
        p: keys_of(step_key(state, p), jnp.arange(len(x)))
        for p in ('posterior', 'prior', 'augment_pair', 'augment_drawn')
    }
    noise, z_p = (normals(keys[p], (LATENT,)) for p in ('posterior', 'prior'))
    change = augment.make(policy)

    def losses(changed):
        params = state.params | changed

        def run(name, given):
            variables = {'params': params[name], **state.variables[name]}
            return networks[name].apply(
                variables, given, train=True, mutable=['batch_stats']
            )[0]

        mean, log_variance = run('encoder', x)
        variance = jnp.exp(log_variance)
        z = mean + jnp.sqrt(variance) * noise
        prior = 0.5 * (mean**2 + variance - log_variance - 1).sum() / len(x)
        again, drawn = jnp.split(run('generator', jnp.concatenate([z, z_p])), 2)
        seen = [change(keys['augment_pair'], images) for images in (x, again)]
        seen.append(change(keys['augment_drawn'], drawn))
        logits, features = run('discriminator', jnp.concatenate(seen))
        p = jax.nn.sigmoid(logits)
        shown, again, _ = jnp.split(features, 3)
        llike = 0.5 * jnp.square(shown - again).sum() / len(x)
        real, rest = jnp.log(p[: len(x)]), jnp.log(1 - p[len(x) :])
        return prior, llike, (real.sum() + rest.sum()) / len(x)

    def loss_of(name, parameters):
        prior, llike, gan = losses(
            {name: parameters}
        )  # gan: the paper's, which D lifts
        return {
            'encoder': prior + llike,
            'generator': gamma * llike + gan,
            'discriminator': -gan,
        }[name]

    return {n: jax.grad(partial(loss_of, n))(state.params[n]) for n in NETWORKS}


@pytest.mark.slow
def test_each_network_descends_its_own_loss_of_algorithm_1(vae_gan):
    policy = 'color,translation'  # an image and its reconstruction are changed alike
    method, state = vae_gan(method__augment=policy)
    state = with_head(state, 1.0, 3.0)
    after, metrics = method.train_step(state, batch())
    gradients_of = jax.jit(partial(written_out, gamma=0.3, policy=policy))
    expected = gradients_of(state, batch()['image'])
    found = gradients(after)
    for name in NETWORKS:
        scale = max(float(jnp.abs(g).max()) for g in jax.tree.leaves(expected[name]))
        jax.tree.map(
            partial(np.testing.assert_allclose, rtol=1e-3, atol=2e-5 * scale),
            found[name],
            expected[name],
        )
        assert not equal(state.params[name], after.params[name])
        assert not equal(state.variables[name], after.variables[name])
    assert metrics['reconstruction'] > 0 and metrics['kl'] > 0


def test_losses_of_the_generator_by_hand():
    logits = jnp.array([[1.0, -2.0], [0.5, 3.0], [-1.0, 2.0]])
    p = 1 / (1 + np.exp(-np.asarray(logits, np.float64)))
    by_hand = {
        'saturating': np.log(p[0]).mean() + np.log(1 - p[1:]).mean(1).sum(),
        'non_saturating': -np.log(p[1:]).mean(1).sum(),
    }
    for name, expected in by_hand.items():
        np.testing.assert_allclose(LOSSES[name](*logits), expected, rtol=1e-6)


@pytest.mark.slow
def test_the_game_reaches_no_encoder(vae_gan):
    """What D makes of its features changes G's gradient, and no bit of E's."""
    method, state = vae_gan()
    plain, loud = (
        gradients(method.train_step(with_head(state, scale, 3.0), batch())[0])
        for scale in (0.5, 2.0)
    )
    assert equal(plain['encoder'], loud['encoder'])
    assert not equal(plain['generator'], loud['generator'])


@pytest.mark.slow
def test_the_discriminator_learns_nothing_of_likeness(vae_gan):
    """With logits that are all alike the game moves nothing of D but the last layer."""
    method, state = vae_gan()
    after, metrics = method.train_step(with_head(state, 0.0, 3.0), batch())
    assert metrics['reconstruction'] > 0.1
    before_head = {
        name: layer
        for name, layer in gradients(after)['discriminator'].items()
        if name != 'Dense_1'
    }
    assert len(before_head) == 9
    assert all(not leaf.any() for leaf in jax.tree.leaves(before_head))
    assert all(leaf.any() for leaf in jax.tree.leaves(gradients(after)['encoder']))


def test_no_costs_make_both_wait():
    costs = jnp.linspace(0, 3, 61)
    real, fake = jnp.meshgrid(costs, costs)
    g, d = learning(real, fake, 0.68, 0.4)
    assert (g | d).all()
    for at, expected in {
        (0.7, 0.7): (True, True),
        (0.2, 0.7): (True, False),
        (0.7, 0.2): (True, False),
        (1.2, 0.7): (False, True),
        (0.7, 1.2): (False, True),
        (0.1, 1.5): (True, True),
    }.items():
        assert tuple(map(bool, learning(*at, 0.68, 0.4))) == expected


@pytest.mark.slow
@pytest.mark.parametrize(
    ('scale', 'bias', 'waits'),
    [(0.0, 0.0, 'discriminator'), (-100.0, 0.0, 'generator'), (1.0, 3.0, None)],
)
def test_who_waits_keeps_weights_and_optimiser(vae_gan, scale, bias, waits):
    method, state = vae_gan()
    state = with_head(state, scale, bias)
    after, metrics = method.train_step(state, batch())
    for name in NETWORKS:
        kept = equal(after.params[name], state.params[name])
        kept_too = equal(after.opt_state[name], state.opt_state[name])
        assert (kept, kept_too) == (name == waits,) * 2
    told = metrics['learns_g'], metrics['learns_d']
    assert told == (waits != 'generator', waits != 'discriminator')


@pytest.mark.slow
def test_devices_share_batch_statistics_and_the_balance(config, vae_gan):
    method, state = vae_gan()
    given = config.copy_and_resolve_references()
    given.parallel.devices = 2
    program = build(given, SPEC)
    images = np.random.default_rng(0).integers(0, 256, (ROWS, *SPEC.shape), np.uint8)
    shown = batch() | {'image': images / np.float32(127.5) - 1}
    one, expected = method.train_step(state, shown)
    state = jax.tree.map(jnp.copy, jax.device_put(state, program.sharding))
    two, found = program.train_step(
        state, put(batch() | {'image': images}, program.mesh)
    )
    same = partial(np.testing.assert_allclose, rtol=1e-3, atol=1e-4)
    jax.tree.map(same, found, expected)
    jax.tree.map(same, two.variables, one.variables)
    for name, grads in gradients(one).items():
        scale = max(float(jnp.abs(g).max()) for g in jax.tree.leaves(grads))
        jax.tree.map(
            partial(np.testing.assert_allclose, rtol=1e-3, atol=1e-5 * scale),
            gradients(two)[name],
            grads,
        )


@pytest.mark.slow
def test_what_it_gives_is_of_the_averaged_weights(vae_gan):
    method, state = vae_gan()
    state, _ = method.train_step(state, batch())
    ours = state.replace(params=None, variables=None, opt_state=None)

    @jax.jit
    def given(state, batch, key):
        x = batch['image']
        parts = [
            method.evaluate_step(state, {k: v[part] for k, v in batch.items()})
            for part in (slice(2), slice(2, None))
        ]
        q, drawn, few = (
            method.latents.posterior(state.weights(), x),
            *(method.generate(state.weights(), key, n) for n in (7, 4)),
        )
        means = method.latents.encode(state.weights(), x)
        narrow = method.latents.prior(key, 50, 0.5)
        return (
            q,
            means,
            method.latents.decode(state.weights(), means),
            drawn,
            few,
            narrow,
            parts,
        )

    x = batch(5)['image']
    (mean, log_variance), means, again, drawn, few, narrow, parts = given(
        ours, batch(5), jax.random.key(1)
    )
    np.testing.assert_array_equal(means, mean)
    assert mean.shape == log_variance.shape == (5, LATENT)
    assert again.shape == (5, *SPEC.shape) and drawn.shape == (7, *SPEC.shape)
    assert max(np.abs(again).max(), np.abs(drawn).max()) <= 1
    np.testing.assert_allclose(drawn[:4], few, atol=1e-6)
    assert 0.4 < np.abs(narrow).max() <= 0.5
    sums = {name: parts[0][name] + parts[1][name] for name in parts[0]}
    error = np.square(np.asarray(x - again, np.float64)).mean((1, 2, 3)).sum()
    np.testing.assert_allclose(sums['pixel_mse'], error, rtol=1e-5)
    kl = 0.5 * (mean**2 + np.exp(log_variance) - log_variance - 1).sum()
    np.testing.assert_allclose(sums['kl'], kl, rtol=1e-4)
    assert sums['count'] == 5 and method.density is None


@pytest.mark.slow
def test_training_brings_reconstructions_nearer(vae_gan):
    """By D's measure: 60 steps on images that differ in brightness."""
    method, state = vae_gan()
    flat = jnp.linspace(-1, 1, ROWS)[:, None, None, None] * jnp.ones(SPEC.shape)
    found = []
    for _ in range(60):
        state, metrics = method.train_step(state, batch() | {'image': flat})
        found.append(float(metrics['reconstruction']))
    assert np.mean(found[-20:]) < 0.6 * np.mean(found[:5])


@pytest.mark.parametrize(
    ('changes', 'said'),
    [
        ({'model__discriminator': 'dcgan'}, 'has no features'),
        ({'method__loss': 'hinge'}, 'one of: non_saturating, saturating'),
        ({'method__balance_margin': 1.0}, 'not below'),
    ],
)
def test_what_contradicts_itself_is_one_line(vae_gan, changes, said):
    with pytest.raises(UserError, match=said):
        vae_gan(**changes)
