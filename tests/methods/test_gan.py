"""GAN steps: who changes when, fresh data, averaged weights, samples."""

import dataclasses
from functools import partial
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_vae import methods
from gan_vae.config import Reads, default
from gan_vae.data.source import Spec
from gan_vae.learning.state import step_key
from gan_vae.methods.gan.game import _turn_key

SPEC = Spec(16, 16, 3)


@pytest.fixture(scope='module')
def made():
    """What `gan` has made, by config: what was compiled of it is compiled once."""
    return {}


@pytest.fixture
def gan(config, made):
    config.data.image_size = 16
    config.optimizer.b1 = 0.5
    config.method.ema_decay = 0.5

    def make(**changes):
        default.update(config, {f'method.{k}': v for k, v in changes.items()})
        if (key := config.to_json()) not in made:
            method = methods.make(Reads(config.copy_and_resolve_references()), SPEC)
            method = dataclasses.replace(
                method, generate=jax.jit(method.generate, static_argnums=2)
            )
            made[key] = method, jax.jit(method.init)(jax.random.key(0))
        return made[key]

    return make


def reals(n, seed=0):
    return {
        'image': jax.random.uniform(jax.random.key(seed), (n, 16, 16, 3), minval=-1)
    }


def equal(a, b):
    return all(jax.tree.leaves(jax.tree.map(lambda x, y: bool((x == y).all()), a, b)))


def test_a_step_moves_each_network_and_its_statistics_as_the_equations_say(gan):
    method, before = gan()
    after, metrics = jax.jit(method.train_step)(before, reals(8))
    assert after.step == 1 and {'loss_d', 'loss_g'} <= metrics.keys()
    for name in ('generator', 'discriminator'):
        assert not equal(before.params[name], after.params[name])
        assert not equal(before.variables[name], after.variables[name])


def test_generator_statistics_come_from_its_own_update_alone(gan):
    """With the real pictures and D's updates changed, G's statistics stay the same:
    they see the latents of the generator update and nothing of the discriminator's."""
    (one, state), (five, _) = gan(critic_steps=1), gan(critic_steps=5)
    after_one, _ = jax.jit(one.train_step)(state, reals(8))
    after_five, _ = jax.jit(five.train_step)(state, reals(40, seed=7))
    assert not equal(
        after_one.params['discriminator'], after_five.params['discriminator']
    )
    assert equal(after_one.variables['generator'], after_five.variables['generator'])


def test_each_critic_update_draws_by_its_own_number(gan):
    """As it did when each was traced by itself: runs of then go on to the same bits."""
    _, state = gan()
    keys = jax.jit(
        jax.vmap(partial(_turn_key, SimpleNamespace(critic_steps=3), state, 'z'))
    )
    numbers = jax.random.key_data(keys(jnp.arange(3)))
    expected = [jax.random.key_data(step_key(state, f'z {n}')) for n in range(3)]
    np.testing.assert_array_equal(numbers, expected)


@pytest.mark.slow
def test_critic_updates_in_a_loop_are_those_written_out(gan, monkeypatch):
    method, state = gan(critic_steps=3)
    looped, metrics = jax.jit(method.train_step)(state, reals(24))
    monkeypatch.setattr('gan_vae.devices.loops.are_slow', lambda *_: True)
    unrolled, same = jax.jit(lambda *a: method.train_step(*a))(state, reals(24))
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5),
        (looped.params, looped.variables, metrics),
        (unrolled.params, unrolled.variables, same),
    )


def test_each_critic_update_sees_fresh_reals(gan):
    method, state = gan(critic_steps=2)
    assert method.batches_per_step == 2
    step = jax.jit(lambda s, b: method.train_step(s, b)[0].params['discriminator'])
    batch = reals(16)['image']
    for changed in (
        0,
        1,
    ):  # rows 0, 2, ... go to the first update, 1, 3, ... to the second
        other = batch.at[changed::2].multiply(-1)
        assert not equal(step(state, {'image': batch}), step(state, {'image': other}))


def test_moving_average_holds_weights_and_statistics(gan):
    method, state = gan()
    assert equal(state.ema['generator']['params'], state.params['generator'])
    after, _ = jax.jit(method.train_step)(state, reals(8))
    decay = min(0.5, 1 / 10)
    now = {'params': after.params['generator'], **after.variables['generator']}
    expected = jax.tree.map(
        lambda old, new: decay * old + (1 - decay) * new, state.ema['generator'], now
    )
    assert expected.keys() == {'params', 'batch_stats'}
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6),
        after.ema['generator'],
        expected,
    )


def test_r1_enters_the_discriminator_alone(gan):
    (plain, state), (with_r1, _) = gan(penalty=''), gan(penalty='r1')
    a, _ = jax.jit(plain.train_step)(state, reals(8))
    b, metrics = jax.jit(with_r1.train_step)(state, reals(8))
    assert metrics['r1'] > 0
    assert not equal(a.params['discriminator'], b.params['discriminator'])


def test_a_network_changes_in_its_own_updates_alone(gan, monkeypatch):
    """What the generator's update draws changes no bit of D, and each optimiser has
    counted its own updates."""
    method, before = gan(critic_steps=2)

    def after(changed):
        def other(state, purpose):
            return step_key(state, purpose + '!' * (purpose.split()[0] in changed))

        monkeypatch.setattr('gan_vae.methods.gan.game.step_key', other)
        return jax.jit(lambda s, b: method.train_step(s, b)[0])(before, reals(16))

    plain, other_g = after([]), after(['generator'])
    for part in ('params', 'variables', 'opt_state'):
        plain_d, same_d = (getattr(s, part)['discriminator'] for s in (plain, other_g))
        assert equal(plain_d, same_d)
    assert not equal(plain.params['generator'], other_g.params['generator'])
    counts = [plain.opt_state[n][0].count for n in ('discriminator', 'generator')]
    assert counts == [2, 1]


def test_terms_that_remember_do_so_over_steps(config):
    """One run of them: a lazy penalty counts D's updates, LeCam's means start as the
    batch's and then move, and clipped weights stay within their bound."""
    default.update(
        config,
        {
            'model.generator': 'mlp',
            'model.discriminator': 'mlp',
            'method.critic_steps': 2,
            'method.penalty': 'r1',
            'method.penalty_interval': 3,
            'method.clip_weights': 0.04,
            'method.lecam_weight': 0.3,
            'method.lecam_decay': 0.9,
            'method.lecam_start_step': 2,
        },
    )
    method = methods.make(Reads(config), SPEC)
    step = jax.jit(method.train_step)
    state = jax.jit(method.init)(jax.random.key(0))
    assert state.extra == {'lecam': {'real': 0, 'fake': 0}}
    due, used, averages = [], [], []
    for _ in range(4):
        state, metrics = step(state, reals(16))
        due.append((float(metrics['r1'].acted), bool(metrics['r1'].value > 0)))
        used.append(bool(metrics['lecam'] > 0))
        averages.append(state.extra['lecam']['real'])
    # of updates 0 and 1, 2 and 3, 4 and 5, 6 and 7: 0, 3 and 6
    assert due == [(1, True), (1, True), (0, False), (1, True)]
    assert used == [False, False, True, True]
    # until its start those of one batch, then moved slowly
    jumps = np.abs(np.diff(averages))
    assert jumps[2] < 0.2 * jumps[0]
    largest = {
        name: max(jnp.abs(w).max() for w in jax.tree.leaves(params))
        for name, params in state.params.items()
    }
    np.testing.assert_allclose(largest['discriminator'], 0.04)
    assert largest['generator'] > 0.04


def test_a_paired_loss_has_reals_for_the_generator(config):
    default.update(
        config,
        {
            'model.generator': 'mlp',
            'model.discriminator': 'mlp',
            'method.loss': 'relativistic',
        },
    )
    method = methods.make(Reads(config), SPEC)
    assert method.batches_per_step == 2
    step = jax.jit(method.train_step)
    state = jax.jit(method.init)(jax.random.key(0))
    batch = reals(16)['image']
    (a, _), (b, _) = (
        step(state, {'image': x}) for x in (batch, batch.at[1::2].multiply(-1))
    )
    assert equal(a.params['discriminator'], b.params['discriminator'])
    assert not equal(a.params['generator'], b.params['generator'])


def test_sample_i_is_the_same_in_any_number_and_any_company(gan):
    method, state = gan()
    key = jax.random.key(3)
    many, few = (
        method.generate(state.weights(), key, 9),
        method.generate(state.weights(), key, 4),
    )
    assert many.shape == (9, 16, 16, 3) and np.abs(many).max() <= 1
    np.testing.assert_allclose(many[:4], few, atol=1e-6)
    assert not np.allclose(many[0], many[1])
    other = method.generate(state.weights(), jax.random.key(4), 4)
    assert not np.allclose(few, other)


def test_samples_use_the_averaged_weights(gan):
    method, state = gan()
    key = jax.random.key(0)
    assert state.weights().averaged is state.ema
    assert np.abs(method.generate(state.weights(), key, 2)).max() > 0
    zero = state.replace(ema=jax.tree.map(jnp.zeros_like, state.ema))
    assert np.abs(method.generate(zero.weights(), key, 2)).max() == 0


def test_dropout_is_off_in_evaluation_and_drawn_per_example(config):
    default.update(
        config,
        {'model.discriminator': 'mlp', 'model.generator': 'mlp', 'model.dropout': 0.5},
    )
    method = methods.make(Reads(config), SPEC)
    state = jax.jit(method.init)(jax.random.key(0))
    batch = reals(6) | {'mask': jnp.ones(6), 'index': jnp.arange(6)}
    first, second = (
        method.evaluate_step(state, batch),
        method.evaluate_step(state, batch),
    )
    assert first['real'] == second['real'] and first['count'] == 6
