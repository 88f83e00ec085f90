"""DP-SGD: what a row may do, what noise there is, and the epsilon of both."""

from functools import partial
from types import SimpleNamespace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from gan_vae import methods
from gan_vae.config import Reads, default
from gan_vae.data.source import Spec
from gan_vae.devices.mesh import put
from gan_vae.errors import UserError
from gan_vae.learning import dp_sgd
from gan_vae.learning.privacy import Account, Settings, epsilon
from gan_vae.methods.gan import method as gan
from gan_vae.runs.program import build

CLIP = 0.7


class Rows(NamedTuple):
    x: jax.Array
    y: jax.Array
    weight: jax.Array


def rows(weight, seed=0):
    random = np.random.default_rng(seed)
    x = random.normal(size=(len(weight), 3)).astype(np.float32)
    y = random.normal(size=len(weight)).astype(np.float32)
    return Rows(x, y, np.float32(weight))


def loss(params, variables, rows):
    """Least squares, whose gradient in w is (w x - y) x."""
    error = rows.x @ params['w'] - rows.y
    value = jnp.mean(jnp.square(error)) / 2
    return value, (variables, {'loss': value})


def clipped_plainly(w, rows):
    """sum_i weight_i clip(g_i) / rows, row by row in NumPy."""
    total = np.zeros(3)
    for x, y, weight in zip(*rows, strict=True):
        g = (x @ w - y) * x
        total += weight * g * min(1, CLIP / np.linalg.norm(g))
    return total / len(rows.x)


def test_without_noise_it_is_clipped_sgd():
    w = np.float32([0.5, -1, 2])
    some = rows([2, 2, 0, 2, 0, 2, 2, 2])
    grads, (_, drawn) = dp_sgd.gradient(loss, CLIP)({'w': w}, {}, some)
    metrics = drawn.mean()
    np.testing.assert_allclose(grads['w'], clipped_plainly(w, some), rtol=1e-5)
    there = some.weight > 0
    errors = (some.x @ w - some.y)[there]
    np.testing.assert_allclose(metrics['loss'], np.mean(errors**2) / 2, rtol=1e-5)
    norms = abs(errors) * np.linalg.norm(some.x[there], axis=1)
    assert 0 < np.mean(norms > CLIP) < 1  # some are clipped, not all
    np.testing.assert_allclose(metrics['clipped'], np.mean(norms > CLIP), rtol=1e-6)
    # as an optimiser has it, with noise of deviation 0
    sgd = dp_sgd.noisy(optax.with_extra_args_support(optax.sgd(1.0)), 0.0)
    updates, _ = sgd.update(grads, sgd.init({'w': w}), key=jax.random.key(0))
    np.testing.assert_allclose(updates['w'], -clipped_plainly(w, some), rtol=1e-5)


def test_one_row_moves_the_sum_by_at_most_the_clip_norm():
    gradient = jax.jit(dp_sgd.gradient(loss, CLIP))
    params, furthest = {'w': jnp.float32([3.0, -2.0, 1.0])}, 0.0
    for row in range(16):
        weight = np.ones(16)
        of_all = gradient(params, {}, rows(weight))[0]['w']
        weight[row] = 0
        without = gradient(params, {}, rows(weight))[0]['w']
        furthest = max(furthest, 16 * float(jnp.linalg.norm(of_all - without)))
    assert 0.99 * CLIP < furthest <= CLIP * (1 + 1e-4)


@pytest.mark.parametrize('bad', [np.inf, np.nan])
def test_a_row_that_is_not_finite_counts_as_none(bad):
    """Else one example could turn the sum into NaN: more than the clip norm."""
    w, some = np.float32([0.5, -1, 2]), rows([2, 2, 0, 2, 2, 0])
    without = some._replace(weight=np.float32([2, 0, 0, 2, 2, 0]))
    broken = some._replace(x=some.x.copy())
    broken.x[1] = bad
    grads, (_, drawn) = dp_sgd.gradient(loss, CLIP)({'w': w}, {}, broken)
    np.testing.assert_allclose(grads['w'], clipped_plainly(w, without), rtol=1e-5)
    _, (_, known) = dp_sgd.gradient(loss, CLIP)({'w': w}, {}, without)
    for name, value in known.mean().items():
        np.testing.assert_allclose(drawn.mean()[name], value, rtol=1e-6)


def test_the_noise_has_its_deviation_and_follows_from_key_and_update():
    zeros = {'a': jnp.zeros(40_000), 'b': jnp.zeros((100, 100))}
    sgd = dp_sgd.noisy(optax.with_extra_args_support(optax.sgd(1.0)), 0.25)
    state, key = sgd.init(zeros), jax.random.key(5)
    first, after = sgd.update(zeros, state, key=key)
    for noise in first.values():
        assert abs(np.std(noise) / 0.25 - 1) < 5 / np.sqrt(2 * noise.size)
        assert abs(np.mean(noise)) < 5 * 0.25 / np.sqrt(noise.size)
    again, _ = sgd.update(zeros, state, key=key)
    np.testing.assert_array_equal(first['a'], again['a'])
    others = [
        sgd.update(zeros, after, key=key)[0]['a'],
        sgd.update(zeros, state, key=jax.random.key(6))[0]['a'],
        first['b'].ravel(),
    ]
    for other in others:
        size = other.size
        assert abs(np.corrcoef(first['a'][:size], other)[0, 1]) < 5 / np.sqrt(size)


@pytest.mark.parametrize(
    'sigma, rate, updates, delta, known',
    [
        (1.1, 256 / 60_000, 14_063, 1e-5, 2.391),
        (1.3, 250 / 60_000, 3600, 1e-5, 0.858),
        (1.0, 1.0, 1, 1e-5, 4.377),  # the Gaussian mechanism, exactly
    ],
)
def test_epsilon(sigma, rate, updates, delta, known):
    pytest.importorskip('dp_accounting')
    assert abs(epsilon(sigma, rate, updates, delta) - known) < 1e-3 * known


def test_a_plan_that_protects_little_is_refused():
    pytest.importorskip('dp_accounting')
    assert epsilon(1e-4, 0.01, 1000, 1e-5) > 1e6  # by Renyi's bound, at once
    few = Account(Settings(noise_multiplier=1.0, delta=1e-3), 130, 64, 1)
    with pytest.raises(UserError, match='epsilon is 702 after 2,000 steps on 130 ex'):
        few.check(2000)
    with pytest.raises(UserError, match='must be below 0.008'):
        Account(Settings(1.0, delta=0.01), 130, 64, 1).check(1)
    with pytest.raises(UserError, match='the set has 60 examples'):
        Account(Settings(1.0), 60, 64, 1).check(1)
    Account(Settings(noise_multiplier=1.1), 60_000, 256, 1).check(14_063)


@pytest.fixture
def made(config_of):
    """made('vae', seed, devices, ...): (program, its state, batch) of a tiny config."""

    def make(method, seed=0, devices=1, **changes):
        config = config_of(method)
        changes = {name.replace('__', '.'): v for name, v in changes.items()}
        default.update(
            config,
            {
                'data.image_size': 16,
                'data.channels': 1,
                'parallel.devices': devices,
                'privacy.noise_multiplier': 1.0,
            }
            | changes,
        )
        spec = Spec(16, 16, 1, ('a', 'b'), 100)
        program = build(Reads(config.copy_and_resolve_references()), spec)
        init = jax.jit(program.method.init, out_shardings=program.sharding)
        random = np.random.default_rng(seed)
        batch = {
            'image': random.integers(0, 255, (8, 16, 16, 1)).astype(np.uint8),
            'label': random.integers(0, 2, 8).astype(np.int32),
            'index': np.arange(8, dtype=np.int32),
            'weight': np.float32([2, 2, 2, 2, 2, 2, 0, 0]),  # unequally on devices
        }
        return program, init(jax.random.key(0)), put(batch, program.mesh)

    return make


ALONE = {'model.generator': 'mlp', 'model.discriminator': 'mlp'}
MLP = {'model__encoder': 'mlp', 'model__decoder': 'mlp', 'method__conditional': True}
GAN = {
    'model__generator': 'r3gan_class',
    'model__discriminator': 'r3gan_class',
    'model__blocks': 1,
    'model__group': 4,
}


@pytest.mark.slow
def test_two_devices_and_parts_take_the_same_step(made):
    """With noise once: in each device's own mean it would be smaller by sqrt 2. The
    metrics are means over all that was drawn, however many rows each part has of it."""
    steps = []
    for devices, parts in ((1, 1), (2, 1), (2, 2)):
        program, state, batch = made(
            'vae', devices=devices, parallel__accumulate=parts, **MLP
        )
        state, metrics = program.train_step(state, batch)
        assert metrics['clipped'] > 0
        state, _ = program.train_step(state, batch)
        moments = state.opt_state['all'].inner[0].mu
        steps.append(jax.device_get((moments, metrics)))
    for other in steps[1:]:
        jax.tree.map(
            lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-4, atol=1e-6),
            steps[0],
            other,
        )


def test_classes_drawn_for_g_are_those_of_one_device():
    pair, key = SimpleNamespace(classes=1000), jax.random.key(3)
    labels = jnp.zeros((2, 4), jnp.int32)
    apart = jax.vmap(partial(gan._drawn, pair, 'device', key), axis_name='device')
    together = gan._drawn(pair, None, key, labels.ravel())
    np.testing.assert_array_equal(apart(labels).ravel(), together)
    assert len(np.unique(together)) > 4


@pytest.mark.slow
def test_only_the_discriminator_of_a_gan_sees_data(made):
    """With a D that stays, G's step is the same whatever the images and classes."""
    still = {'optimizer__discriminator_learning_rate': 1e-30}
    after = []
    for seed in (0, 1):
        program, state, batch = made('gan', seed, **GAN, **still)
        state, _ = program.train_step(state, batch)
        after.append(jax.device_get(state.params['generator']))
    jax.tree.map(np.testing.assert_array_equal, *after)


@pytest.mark.parametrize(
    'method, changes, says',
    [
        ('vae', {'method.free_bits': 1.0}, 'free_bits=1.0'),
        ('vae', {'parallel.shard_state': True}, 'shard_state'),
        ('gan', {}, 'discriminator=dcgan sees its batch as one'),
        (
            'gan',
            {'model.discriminator': 'mlp'},
            'generator=dcgan sees its batch as one',
        ),
        ('gan', ALONE | {'method.lecam_weight': 1.0}, 'lecam_weight=1.0'),
        ('gan', ALONE | {'method.loss': 'relativistic'}, 'loss=relativistic'),
        ('vae_gan', {}, 'no private training'),
    ],
)
def test_what_is_not_private_is_refused(config_of, method, changes, says):
    config = config_of(method)
    default.update(config, changes | {'privacy.noise_multiplier': 1.0})
    with pytest.raises(UserError, match=says):
        methods.make(Reads(config.copy_and_resolve_references()), Spec(32, 32, 3))
