"""Lazy regularisation, the moving average, and whose learning rates are whose."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_vae.errors import UserError
from gan_vae.learning import optimizers
from gan_vae.learning.settings import Averaging, Learning, Settings


def test_lazy_correction_of_stylegan2():
    """Its CIFAR-10 run: 2.5e-3 and (0, .99), R1 every 16 updates, G's term every 4."""
    rate, betas = optimizers.lazy(2.5e-3, (0.0, 0.99), 16)
    assert (round(rate, 8), betas[0], round(betas[1], 6)) == (0.00235294, 0, 0.990585)
    rate, betas = optimizers.lazy(2.5e-3, (0.0, 0.99), 4)
    assert (round(rate, 8), round(betas[1], 6)) == (0.002, 0.991992)
    assert optimizers.lazy(2.5e-3, (0.5, 0.99), 1) == (2.5e-3, (0.5, 0.99))


R3GAN = Settings(
    learning_rate=2e-4,
    b1=0.0,
    b2=0.9,
    b2_end=0.99,
    schedule='cosine',
    schedule_steps=100,
    learning_rate_floor=0.25,
)


def test_schedules_of_r3gan_at_their_half_and_past_their_end():
    """v(T / 2) of its table: rate 1.25e-4, b2 .945, gamma .0275, p .275."""
    values = [optimizers.half_cosine(*v, 0.5) for v in ((0.05, 0.005), (0.0, 0.55))]
    np.testing.assert_allclose(values, [0.0275, 0.275], rtol=1e-6)
    made = optimizers.make(Learning(R3GAN, steps=1000))
    state = made.init({'w': jnp.ones(())})
    for count, rate, b2 in ((0, 2e-4, 0.9), (50, 1.25e-4, 0.945), (300, 5e-5, 0.99)):
        at = jax.tree.map(lambda x, n=count: x if x.dtype != 'int32' else n + x, state)
        _, after = made.update({'w': jnp.ones(())}, at)
        found = [float(after.hyperparams[name]) for name in ('learning_rate', 'b2')]
        np.testing.assert_allclose(found, [rate, b2], rtol=1e-5)


def test_the_second_moment_of_a_moving_b2():
    """v <- b2(t) v + (1 - b2(t)) g^2, over 1 - b2(t)^t: Adam's with b1 = 0."""
    made = optimizers.make(Learning(R3GAN, steps=1000))
    state, v = made.init({'w': jnp.ones(())}), 0.0
    for t, g in enumerate((3.0, -1.0, 0.5)):
        updates, state = made.update({'w': jnp.float32(g)}, state)
        wave = (1 + np.cos(np.pi * t / 100)) / 2
        b2, rate = 0.99 - 0.09 * wave, 5e-5 + 1.5e-4 * wave
        v = b2 * v + (1 - b2) * g**2
        expected = -rate * g / (np.sqrt(v / (1 - b2 ** (t + 1))) + 1e-8)
        np.testing.assert_allclose(updates['w'], expected, rtol=1e-4)


def test_lazy_correction_is_of_both_ends():
    """Every 8 updates: 1.7778e-4, and .99 to .991106."""
    rate, betas = optimizers.lazy(*optimizers.of_discriminator(R3GAN), 8)
    assert (round(rate, 8), round(betas[2], 6)) == (1.7778e-4, 0.991106)
    assert betas[1] == pytest.approx(0.9 ** (8 / 9))


@pytest.mark.parametrize(
    'settings, said',
    [
        ({'b2_end': 0.99}, 'b2_end=0.99: a constant schedule has no end'),
        ({'schedule_steps': 5}, 'schedule_steps=5: a constant schedule'),
        ({'learning_rate_floor': 0.1}, 'a schedule that is constant has none'),
        (
            {'learning_rate_floor': 0.1, 'schedule': 'stages'},
            'a schedule that is stages has none',
        ),
    ],
)
def test_what_moves_to_an_end_needs_one(settings, said):
    with pytest.raises(UserError, match=said):
        Settings(**settings).check()
    Settings(**{'schedule': 'cosine'} | settings | {'schedule': 'cosine'}).check()


@pytest.mark.parametrize(
    'batch_size, half_life, decay',
    [(64, 500e3, 0.9999112811), (512, 5e6, 0.9999290242)],
)
def test_half_life_of_stylegan2_and_r3gan(batch_size, half_life, decay):
    for seen in (1e9, half_life / 0.05):  # the ramp has passed
        share = optimizers.half_life_share(batch_size, half_life, 0.05, seen)
        np.testing.assert_allclose(1 - float(share), decay, atol=6e-11)
    half = float(optimizers.half_life_share(batch_size, half_life, 0.05, half_life))
    expected = 1 - 0.5 ** (batch_size / (0.05 * half_life))
    np.testing.assert_allclose(half, expected, rtol=1e-5)
    assert optimizers.half_life_share(batch_size, half_life, 0.05, 0.0) == 1  # a copy


def average(values, batch_size=8, **settings):
    run = jax.jit(optimizers.averaging(Averaging(**settings), batch_size, 10))
    found = [values[0]]
    for step, value in enumerate(values):
        found.append(float(run({'w': found[-1]}, {'w': jnp.float32(value)}, step)['w']))
    return found[1:]


def test_half_life_halves():
    """Of a step from 1 to 0, half is left after so many images."""
    found = average([1.0] + [0.0] * 10, ema_half_life=40.0, ema_rampup=0.0)
    assert found[0] == 1
    np.testing.assert_allclose([found[5], found[10]], [0.5, 0.25], rtol=1e-5)
    ramped = average([1.0] + [0.0] * 10, ema_half_life=40.0, ema_rampup=0.5)
    assert ramped[1] == 0.5**2  # 8 images seen, 8 new ones, a half-life of 4


def test_a_half_life_grows_from_none_to_itself():
    """Over 10 steps: at first the last weights, at half the way half of it."""
    options = {'ema_half_life': 40.0, 'ema_rampup': 0.0, 'ema_grows': True}
    found = average([1.0] * 5 + [0.0] + [1.0] * 15, **options)
    assert found[:5] == [1.0] * 5
    np.testing.assert_allclose(found[5], 0.5 ** (8 / 20), rtol=1e-5)  # h of 20 images
    at_the_end = average([1.0] * 12 + [0.0], **options)
    np.testing.assert_allclose(at_the_end[12], 0.5 ** (8 / 40), rtol=1e-5)
    assert average([7.0, 3.0], **options)[0] == 7.0


def test_before_its_start_the_average_is_the_last_weights():
    values = [3.0, -1.0, 0.7, 5.0, 5.0]
    found = average(values, ema_decay=0.1, ema_start_step=3)
    np.testing.assert_array_equal(found[:3], np.float32(values[:3]))
    np.testing.assert_allclose(found[3], 0.1 * 0.7 + 0.9 * 5, rtol=1e-6)
    options = {'ema_decay': 0.9, 'ema_start_step': 3}
    ramped = average(values, **options)
    np.testing.assert_allclose(ramped[3], (4 * 0.7 + 9 * 5) / 13, rtol=1e-6)
    plain = average(values, **options, ema_ramp=False)
    np.testing.assert_allclose(plain[3], 0.9 * 0.7 + 0.1 * 5, rtol=1e-6)
    still = [2.5] * 4
    assert average(still, ema_half_life=100.0, ema_start_step=3) == still
    last = [float(np.float32(v)) for v in values]
    assert average(values, ema_decay=0.0) == last
    assert average(values, ema_decay=0.0, ema_start_step=3) == last


@pytest.mark.parametrize(
    'settings, words',
    [
        ({}, 0.999),
        ({'ema_start_step': 1000}, '0.999 from step 1000'),
        (
            {'ema_half_life': 500e3},
            'half-life 500000 images, at most 0.05 of those seen',
        ),
    ],
)
def test_the_average_is_named_in_protocols(settings, words):
    assert optimizers.averaging_words(Averaging(**settings)) == words


def test_a_discriminator_has_its_own_rate_and_betas():
    plain = Settings()
    expected = plain.learning_rate, (plain.b1, plain.b2)
    assert optimizers.of_discriminator(plain) == expected
    # 0 is a decay of its own; -1 is none
    own = Settings(discriminator_learning_rate=4e-4, discriminator_b1=0.0)
    rate, betas = optimizers.of_discriminator(own)
    assert (rate, betas) == (4e-4, (0.0, own.b2))
    made = optimizers.make(Learning(own, steps=10), rate, betas)
    updates, _ = made.update({'w': jnp.ones(())}, made.init({'w': jnp.ones(())}))
    np.testing.assert_allclose(updates['w'], -4e-4, rtol=1e-5)


def guarded(norms, **settings):
    """What updates with gradients of these norms move, and the state after them."""
    settings = {'skip_ratio': 3.0, 'learning_rate': 1.0} | settings
    made = optimizers.make(Learning(Settings(**settings), steps=10))
    params = {'w': jnp.ones(4)}
    state, update, found = made.init(params), jax.jit(made.update), []
    for norm in norms:
        grads = {'w': jnp.full(4, norm / 2)}
        updates, state = update(grads, state, params)
        found.append(bool(np.any(updates['w'])))
        assert np.all(np.isfinite(updates['w']))
    return found, state


@pytest.mark.parametrize('before, most', [(1, 2), (5, 6), (100, 16)])
def test_a_lasting_jump_is_skipped_and_then_accepted(before, most):
    found, state = guarded([1.0] * before + [1000.0] * 30)
    assert all(found[:before])
    skipped = found[before:].count(False)
    assert 0 < skipped <= most and state.skipped == skipped
    assert all(found[before + skipped :])


def test_only_outliers_are_skipped():
    norms = [1.0, 0.2, 2.9, 1.1, 1.0, 3.4, 0.9, 50.0, 1.2]
    found, state = guarded(norms)
    assert [n for n, taken in zip(norms, found, strict=True) if not taken] == [3.4, 50]
    assert state.skipped == 2 and state.inner[0].count == 7  # Adam's own steps
    assert all(guarded(norms, skip_ratio=0.0)[0])


def test_what_is_not_finite_is_neither_applied_nor_remembered():
    norms = [1.0, 1.0] + [np.nan, np.inf] * 20 + [2.0, 50.0]
    found, state = guarded(norms, clip_norm=1.0)
    assert found == [True, True] + [False] * 40 + [True, False]
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(state))
    assert state.seen == 4 and state.skipped == 41
    assert not guarded([np.nan])[0][0]
    norm = jnp.float32(np.inf)
    assert optimizers.guard_metrics(state, norm) == {'gradient': 0, 'skipped': 41}
    assert optimizers.guard_metrics(state.inner, norm) == {'gradient': norm}


def test_weight_decay_is_apart_from_adam():
    """Loshchilov & Hutter 2017, algorithm 2: -rate (m / (sqrt(v) + eps) + decay w)."""
    settings = Settings(weight_decay=0.1, learning_rate=0.01)
    made = optimizers.make(Learning(settings, steps=10))
    params = {'w': jnp.asarray([2.0, -3.0])}
    grads = {'w': jnp.asarray([5.0, 1e-3])}
    updates, _ = made.update(grads, made.init(params), params)
    np.testing.assert_allclose(updates['w'], [-0.012, -0.007], rtol=1e-4)


@pytest.mark.parametrize('value', [True, False, 0.3, -0.0, np.inf, np.nan])
def test_what_is_computed_once_is_what_it_was(value):
    value = jnp.asarray(value)
    once = jax.jit(optimizers.once)(value)
    assert once.dtype == value.dtype
    np.testing.assert_array_equal(once, value)


def test_a_scalar_is_computed_once_for_all_parameters():
    """Without it each parameter's kernel has a sine of its own."""
    arrays = [jnp.ones(n) for n in (3, 5, 7)]

    def scaled(x, arrays):
        return [a * optimizers.once(jnp.sin(x)) for a in arrays]

    text = jax.jit(scaled).lower(jnp.float32(1), arrays).compile().as_text()
    assert text.count(' sine(') == 1
