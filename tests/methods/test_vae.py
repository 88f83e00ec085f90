"""The ELBO: reductions, bounds, and an exact case."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_vae import config as config_lib
from gan_vae import methods
from gan_vae.config import Reads, default
from gan_vae.data.source import Examples, Spec
from gan_vae.devices.mesh import put
from gan_vae.errors import UserError
from gan_vae.evaluation import held_out
from gan_vae.keys import keys_of, normals
from gan_vae.learning.state import step_key
from gan_vae.objectives import likelihoods
from gan_vae.runs.program import build

SPEC = Spec(16, 16, 3)


@pytest.fixture(scope='module')
def made():
    """What `vae` has made, by config: what was compiled of it is compiled once."""
    return {}


@pytest.fixture
def vae(config, made):
    config.data.image_size = 16
    default.use_method(config, 'vae')

    def make(**changes):
        changes = {k.replace('__', '.'): v for k, v in changes.items()}
        default.update(config, changes)
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
    x = jax.random.uniform(jax.random.key(seed), (n, 16, 16, 3), minval=-1)
    return {'image': x, 'index': jnp.arange(n), 'mask': jnp.ones(n)}


def test_loss_is_reconstruction_plus_beta_kl_in_nats_per_example(vae):
    method, state = vae(method__beta=4.0)
    _, m = method.train_step(state, batch(8))
    np.testing.assert_allclose(m['loss'], m['reconstruction'] + 4 * m['kl'], rtol=1e-6)
    np.testing.assert_allclose(m['elbo'], -m['reconstruction'] - m['kl'], rtol=1e-6)
    assert m['kl'] >= 0


def test_warm_up_grows_linearly_and_evaluation_is_always_the_elbo(vae):
    method, state = vae(method__beta=2.0, method__beta_warmup_steps=4)
    seen = []
    for number in range(6):
        state, metrics = method.train_step(state, batch(8, number))
        seen.append(float(metrics['beta']))
    np.testing.assert_allclose(seen, [0.5, 1.0, 1.5, 2.0, 2.0, 2.0])
    sums = method.evaluate_step(state, batch(8))
    np.testing.assert_allclose(
        sums['elbo'], -sums['reconstruction'] - sums['kl'], rtol=1e-5
    )


def test_losses_are_means_of_per_example_sums(vae):
    """Evaluation of a batch is the sum over its examples: no hidden 1/D or 1/B."""
    method, state = vae()
    whole = method.evaluate_step(state, batch(6))
    parts = [
        method.evaluate_step(state, {k: v[i : i + 2] for k, v in batch(6).items()})
        for i in (0, 2, 4)
    ]
    for name in ('elbo', 'kl', 'reconstruction', 'count'):
        np.testing.assert_allclose(whole[name], sum(p[name] for p in parts), rtol=1e-5)


def test_evaluation_does_not_depend_on_the_batch_size():
    config = config_lib.load('configs/vae_emoji.py:tiny', {'parallel.devices': '2'})
    program = build(config, Spec(32, 32, 3))
    state = jax.jit(program.method.init)(jax.random.key(0))
    images = np.random.default_rng(0).integers(0, 256, (10, 32, 32, 3), np.uint8)

    def run(size):
        return held_out.evaluate(program, state, Examples(images), size)

    for size in (3, 7, 10):
        for name, value in run(size).items():
            np.testing.assert_allclose(value, run(4)[name], rtol=1e-5)


def test_elbo_is_exact_when_the_posterior_is(vae):
    """A decoder that ignores z and a posterior equal to the prior: ELBO = log p(x)."""
    method, state = vae(method__likelihood='gaussian')
    ema = jax.tree.map(jnp.zeros_like, state.ema)
    x = batch(3)['image']
    weights = state.replace(ema=ema).weights()
    found = method.density.elbo(weights, jax.random.key(0), x)
    exact = -0.5 * jnp.sum(x**2, (1, 2, 3)) - 0.5 * x[0].size * np.log(2 * np.pi)
    np.testing.assert_allclose(found, exact, rtol=1e-5)


def test_log_prob_is_the_evaluated_elbo_on_average(vae):
    method, state = vae()
    found = method.density.elbo(state.weights(), jax.random.key(1), batch(8)['image'])
    evaluated = method.evaluate_step(state, batch(8))
    assert found.shape == (8,)
    np.testing.assert_allclose(found.sum(), evaluated['elbo'], rtol=0.05)


def test_encode_decode_sample_shapes_and_range(vae):
    method, state = vae()
    weights = state.weights()
    z = jax.jit(method.latents.encode)(weights, batch(5)['image'])
    again = jax.jit(method.latents.decode)(weights, z)
    generate = jax.jit(method.generate, static_argnums=2)
    pictures = generate(weights, jax.random.key(0), 3)
    assert z.shape == (5, 8) and again.shape == (5, 16, 16, 3)
    assert np.abs(again).max() <= 1 and pictures.shape[0] == 3


def test_training_lowers_the_loss(vae):
    method, state = vae(optimizer__learning_rate=3e-3)
    losses = []
    flat = batch(8) | {
        'image': batch(8)['image'] * 0 + jnp.linspace(-1, 1, 8)[:, None, None, None]
    }
    for _ in range(60):
        state, metrics = method.train_step(state, flat)
        losses.append(float(metrics['loss']))
    assert losses[-1] < losses[0] - 100  # of 886; 706 is the best at scale 1


def test_bernoulli_refuses_grey_pixels(vae, config):
    vae()
    config.method.likelihood = 'bernoulli'
    with pytest.raises(UserError, match='binary pixels'):
        config_lib.validate(config)


SMALL = {'model__encoder': 'mlp', 'model__decoder': 'mlp', 'model__width': 16}


@pytest.mark.slow
@pytest.mark.parametrize('bound', ['iwae', 'dreg'])
def test_the_bound_is_the_log_of_the_mean_weight(vae, bound):
    binary = {'method__likelihood': 'bernoulli', 'data__binarize': 'threshold'}
    method, state = vae(method__bound=bound, method__bound_samples=5, **binary, **SMALL)
    shown = batch(4) | {'image': jnp.sign(batch(4)['image'])}
    _, metrics = method.train_step(state, shown)
    one, _ = vae(method__bound='elbo', method__bound_samples=1, **SMALL)
    x = np.asarray(shown['image'], np.float64)
    mean, log_variance = one.latents.posterior(state.weights(), shown['image'])
    keys = keys_of(step_key(state, 'posterior'), jnp.arange(4))
    found = []
    for k in range(5):  # each draw is of its own noise, the first of the ELBO's
        own = jax.vmap(lambda key, k=k: jax.random.fold_in(key, k))(keys)
        noise = np.asarray(normals(own if k else keys, mean.shape[1:]), np.float64)
        z = mean + np.exp(log_variance / 2) * noise
        chance = (
            1 + x * np.asarray(one.latents.decode(state.weights(), z), np.float64)
        ) / 2
        ratio = 0.5 * (z**2 - noise**2 - log_variance).sum(1)
        found.append(np.log(chance).sum((1, 2, 3)) - ratio)
    expected = np.logaddexp.reduce(np.array(found, np.float64)) - np.log(5)
    np.testing.assert_allclose(metrics['bound'], expected.mean(), rtol=1e-5)
    assert metrics['loss'] == -metrics['bound']


def test_only_the_encoder_tells_the_two_gradients_apart(vae):
    states = {}
    for bound in ('iwae', 'dreg'):
        method, state = vae(method__bound=bound, method__bound_samples=5, **SMALL)
        states[bound] = method.train_step(state, batch(4))[0].opt_state['all'][0].mu
    same = partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-5)
    jax.tree.map(same, states['iwae']['decoder'], states['dreg']['decoder'])
    with pytest.raises(AssertionError):
        jax.tree.map(same, states['iwae']['encoder'], states['dreg']['encoder'])


WAYS = {
    'beta_tc': {'method.disentangle': 'beta_tc'},
    'capacity': {'method.capacity': 2.0, 'method.capacity_steps': 2},
    'factor': {'method.disentangle': 'factor', 'method.factor_width': 8},
}


@pytest.mark.slow
@pytest.mark.parametrize('way', WAYS)
def test_devices_share_what_is_of_the_whole_batch(config, way):
    """And the whole is a step that differs from that of the ELBO."""

    def after(devices, changes):
        default.use_method(config, 'vae')
        flat = {k.replace('__', '.'): v for k, v in SMALL.items()} | changes
        flat |= {'parallel.devices': devices, 'optimizer.eps': 1e-3}
        flat |= {'optimizer.learning_rate': 0.01}
        flat |= {'method.tc_weight': 100.0, 'method.factor_gamma': 100.0}
        given = config.copy_and_resolve_references()
        default.update(given, flat)
        program = build(given, Spec(16, 16, 3, (), 100))
        state = jax.jit(program.method.init)(jax.random.key(0))
        images = np.random.default_rng(0).integers(0, 256, (8, 16, 16, 3), np.uint8)
        shown = put(batch(8) | {'image': images}, program.mesh)
        for _ in range(2):
            state, metrics = program.train_step(state, shown)
        return jax.device_get((state.params, metrics))

    one, two = after(1, WAYS[way]), after(2, WAYS[way])
    same = partial(np.testing.assert_allclose, rtol=2e-4, atol=5e-5)
    jax.tree.map(same, one[0], two[0])
    for name, value in one[1].items():
        np.testing.assert_allclose(value, two[1][name], rtol=2e-4, atol=5e-4)
    plain, _ = after(1, {})
    with pytest.raises(AssertionError):
        jax.tree.map(same, one[0]['encoder'], plain['encoder'])


def test_the_ratio_is_told_by_a_discriminator_that_leaves_the_vae_alone(vae):
    factor = {'method__disentangle': 'factor', 'method__factor_width': 8}
    method, state = vae(**factor, method__factor_gamma=0.0, **SMALL)
    after, _ = method.train_step(state, batch(8))
    told = [s.params['terms']['factor'] for s in (state, after)]
    moved = jax.tree.map(lambda a, b: float(jnp.abs(a - b).max()), *told)
    assert max(jax.tree.leaves(moved)) > 1e-5
    plain, start = vae(method__disentangle='', **SMALL)
    expected, _ = plain.train_step(start, batch(8))
    for part in ('encoder', 'decoder', 'likelihood'):
        jax.tree.map(
            partial(np.testing.assert_allclose, rtol=1e-5, atol=1e-7),
            after.params[part],
            expected.params[part],
        )


@pytest.mark.slow
@pytest.mark.parametrize('name', sorted(likelihoods.LIKELIHOODS.keys() - {'bernoulli'}))
def test_a_small_step_raises_the_likelihood(vae, name):
    rate = {'optimizer__learning_rate': 1e-5}
    method, state = vae(method__likelihood=name, **rate, **SMALL)
    levels = jnp.round((batch(8)['image'] + 1) * 127.5)
    shown = batch(8) | {'image': levels / 127.5 - 1}
    after, first = method.train_step(state, shown)
    again = after.replace(step=state.step)  # the same noise
    _, last = method.train_step(again, shown)
    assert last['loss'] < first['loss']


@pytest.mark.parametrize(
    ('changes', 'said'),
    [
        ({'method__capacity': 5.0, 'method__free_bits': 1.0}, 'take one'),
        ({'method__disentangle': 'beta_vae'}, 'beta_tc'),
        (
            {'method__likelihood': 'gaussian_fixed', 'method__likelihood_scale': 0.0},
            'likelihood_scale',
        ),
    ],
)
def test_what_contradicts_itself_is_one_line(vae, config, changes, said):
    with pytest.raises(UserError, match=said):
        vae()
        default.update(config, {k.replace('__', '.'): v for k, v in changes.items()})
        config_lib.validate(config)
        methods.make(config, SPEC)


LABELLED = Spec(4, 4, 1, ('a', 'b', 'c'))


def test_a_class_tells_what_z_need_not(config):
    """The bound is of log p(x | class): one decoder for each class, of shared z."""
    small = {k.replace('__', '.'): v for k, v in SMALL.items()}
    default.use_method(config, 'vae')
    default.update(config, small | {'method.conditional': True})
    config.data.image_size = 4
    config.model.encoder = config.model.decoder = 'mlp'
    config.optimizer.learning_rate = 0.01
    method = methods.make(config, LABELLED)
    assert method.classes == 3 and method.density is None
    state = jax.jit(method.init)(jax.random.key(0))
    label = jnp.arange(12) % 3
    images = jnp.broadcast_to((label - 1.0)[:, None, None, None] / 2, (12, 4, 4, 1))
    shown = {'image': images, 'label': label}
    shown |= {'index': jnp.arange(12), 'mask': jnp.ones(12)}

    # as a VAE whose first layers have in their bias what the class adds
    sums, total = jax.jit(method.evaluate_step)(state, shown), 0.0
    config.method.conditional = False
    plain = methods.make(config, LABELLED)
    dense = state.ema['decoder']['Dense_0']
    size = config.model.latent_dim
    for row in range(3):
        bias = dense['bias'] + dense['kernel'][size + row]
        own = {'Dense_0': {'kernel': dense['kernel'][:size], 'bias': bias}}
        first = state.ema['encoder']['Dense_0']
        added = state.ema['classes'][row].reshape(-1) @ first['kernel'][1::2]
        moved = {'kernel': first['kernel'][::2], 'bias': first['bias'] + added}
        moved = {'Dense_0': moved}
        ema = {
            'encoder': state.ema['encoder'] | moved,
            'decoder': state.ema['decoder'] | own,
            'likelihood': state.ema['likelihood'],
        }
        only = shown | {'mask': (label == row).astype(jnp.float32)}
        total += plain.evaluate_step(state.replace(ema=ema), only)['elbo']
    np.testing.assert_allclose(sums['elbo'], total, rtol=1e-5)

    step = jax.jit(method.train_step)
    for _ in range(300):
        state, metrics = step(state, shown)
    made = method.latents.decode(
        state.weights(), method.latents.prior(jax.random.key(0), 12), label
    )
    np.testing.assert_allclose(made, images, atol=0.15)
    assert metrics['kl'] < 0.5  # to tell the class by z takes log 3
    again = method.latents.decode(
        state.weights(), method.latents.encode(state.weights(), images, label), label
    )
    np.testing.assert_allclose(again, images, atol=0.15)
    cycled = method.generate(state.weights(), jax.random.key(0), 12)
    np.testing.assert_allclose(cycled, made, rtol=1e-5)  # each class in turn


@pytest.mark.slow
def test_a_flow_fits_the_codes_and_leaves_the_vae_alone(config):
    """Its bound gains on that of N(0, I), and e stands for z in all that decodes."""
    default.use_method(config, 'vae')
    small = {k.replace('__', '.'): v for k, v in SMALL.items()}
    changes = {'method.conditional': True, 'optimizer.learning_rate': 3e-3}
    default.update(config, small | changes)
    config.data.image_size = 4
    config.model.encoder = config.model.decoder = 'mlp'
    plain = methods.make(config, LABELLED)
    config.method.prior = 'flow'
    method = methods.make(config, LABELLED)
    label = jnp.arange(12) % 3
    x = jax.random.uniform(jax.random.key(3), (12, 4, 4, 1), minval=-1)
    shown = {'image': x, 'label': label, 'index': jnp.arange(12), 'mask': jnp.ones(12)}
    state = jax.jit(method.init)(jax.random.key(0))
    without = jax.jit(plain.init)(jax.random.key(0))

    def sums(state):
        return jax.jit(method.evaluate_step)(state, shown)

    first = sums(state)  # as it starts, p_f is N(0, I): the same bound, by a sample
    np.testing.assert_allclose(first['elbo_flow'], first['elbo'], rtol=0.05)
    step, plain_step = jax.jit(method.train_step), jax.jit(plain.train_step)
    for number in range(400):
        state, metrics = step(state, shown)
        if number < 5:
            without, _ = plain_step(without, shown)
            for name, params in without.params.items():
                jax.tree.map(
                    partial(np.testing.assert_allclose, rtol=1e-5, atol=1e-6),
                    state.params[name],
                    params,
                )
    last = sums(state)
    assert last['kl_flow'] < last['kl'] - 12 * 0.25  # a quarter of a nat an example
    weights, own = state.weights(), method.latents
    assert own.posterior is None
    e = own.encode(weights, x, label)
    z = plain.latents.encode(weights, x, label)
    again = own.decode(weights, e, label), plain.latents.decode(weights, z, label)
    np.testing.assert_allclose(*again, atol=1e-4)
    assert np.abs(e - z).max() > 0.1


def test_a_posterior_that_depends_on_its_batch_is_refused(vae):
    with pytest.raises(UserError, match='BatchNorm'):
        vae(model__encoder='vae_gan')


def test_classes_that_there_are_not(vae):
    with pytest.raises(UserError, match='no two classes'):
        vae(method__conditional=True)


def test_the_trained_linear_vae_reaches_probabilistic_pca(config):
    """Tipping & Bishop 1999: the likelihood at its maximum, by the eigenvalues."""
    n, pixels, latents, steps = 400, 16, 3, 3000
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, latents)) @ rng.normal(size=(latents, pixels)) / 3
    x += 0.3 + 0.2 * rng.normal(size=(n, pixels))
    values = np.linalg.eigvalsh(np.cov(x.T, bias=True))
    noise = values[:-latents].mean()
    spread = np.log(values[-latents:]).sum() + (pixels - latents) * np.log(noise)
    best = -0.5 * (pixels * np.log(2 * np.pi) + spread + pixels)

    default.update(
        config,
        {
            'method.name': 'vae',
            'method.likelihood': 'gaussian',
            'method.ema_decay': 0.99,
            'model.encoder': 'linear',
            'model.decoder': 'linear',
            'model.latent_dim': latents,
            'optimizer.learning_rate': 0.02,
            'optimizer.schedule': 'cosine',
            'train.steps': steps,
        },
    )
    method = methods.make(config, Spec(4, 4, 1))
    shown = {'image': jnp.asarray(x.reshape(n, 4, 4, 1), jnp.float32)}
    state = jax.jit(method.init)(jax.random.key(0))

    @jax.jit
    def train(state):
        return jax.lax.fori_loop(
            0, steps, lambda _, state: method.train_step(state, shown)[0], state
        )

    state = train(state)
    bound = jax.jit(method.density.elbo)
    keys = jax.random.split(jax.random.key(1), 50)
    weights = state.weights()
    found = np.mean([bound(weights, key, shown['image']) for key in keys])
    assert abs(found - best) < 0.02
