"""Emissions: they sum to 1, they draw what they say, temperature, ends."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_vae.objectives import emissions

MIXTURES = 3


@pytest.fixture
def strokes():
    return emissions.strokes(MIXTURES)


def outputs(seed=0, n=()):
    return jax.random.normal(jax.random.key(seed), (*n, 6 * MIXTURES + 3))


def test_rolls_sum_to_one():
    emission = emissions.rolls(4)
    every = (np.arange(16)[:, None] >> np.arange(4)) & 1
    logits = 3 * jax.random.normal(jax.random.key(0), (4,))
    total = np.exp(emission.log_prob(logits, jnp.asarray(every, jnp.float32))).sum()
    np.testing.assert_allclose(total, 1, rtol=1e-5)


def test_a_mixture_integrates_to_one(strokes):
    side = np.linspace(-25, 25, 1501)
    x, y = np.meshgrid(side, side)
    total = 0
    for pen in range(3):
        steps = np.stack([x, y, np.full_like(x, pen)], -1).astype(np.float32)
        total += np.exp(strokes.log_prob(outputs(), steps)).sum()
    np.testing.assert_allclose(total * (side[1] - side[0]) ** 2, 1, rtol=1e-3)


def test_a_component_is_the_gaussian_of_its_covariance(strokes):
    """Against numpy's inverse and determinant, each component made the only one."""
    out = np.array(outputs(1), np.float64)
    x = np.array([0.3, -1.2, 1.0])
    for j in range(MIXTURES):
        logits = np.full(MIXTURES, -1e9)
        logits[j] = 0
        out[:MIXTURES] = logits
        mx, my, a, b, r = (out[n * MIXTURES + j] for n in range(1, 6))
        a, b = (np.log1p(np.exp(v + np.log(np.e - 1))) + 1e-3 for v in (a, b))
        cross = 0.99 * np.tanh(r) * a * b
        covariance = np.array([[a * a, cross], [cross, b * b]])
        off = x[:2] - [mx, my]
        density = -0.5 * off @ np.linalg.inv(covariance) @ off
        density -= 0.5 * np.log(np.linalg.det(2 * np.pi * covariance))
        pen = out[-3:] - np.log(np.exp(out[-3:]).sum())
        found = strokes.log_prob(jnp.asarray(out, jnp.float32), jnp.asarray(x))
        np.testing.assert_allclose(found, density + pen[1], rtol=1e-4)


def test_no_cap_and_no_overflow(strokes):
    out = jnp.zeros(6 * MIXTURES + 3).at[3 * MIXTURES : 5 * MIXTURES].set(-1e4)
    at = strokes.log_prob(out, jnp.zeros(3))
    assert at > 10  # 2 log 1/0.001 less the rest: no cap at 13.8 a step
    far = jax.value_and_grad(lambda o: strokes.log_prob(o, jnp.full(3, 1e3)).sum())
    for scale in (1e2, 1e4):
        value, gradient = far(scale * outputs(2))
        assert np.isfinite(value) and np.isfinite(gradient).all()


@pytest.mark.parametrize('temperature', [1.0, 0.25])
def test_temperature_multiplies_variances(strokes, temperature):
    """Of one component: the published code's deviation shrank by the square."""
    out = outputs(3).at[:MIXTURES].set(jnp.array([0.0, -1e9, -1e9]))
    draw = jax.vmap(lambda key: strokes.draw(key, out, temperature))
    found = np.asarray(draw(jax.random.split(jax.random.key(1), 20_000)))
    a, b, r = (np.asarray(out)[n * MIXTURES] for n in (3, 4, 5))
    a, b = (np.log1p(np.exp(v + np.log(np.e - 1))) + 1e-3 for v in (a, b))
    wanted = temperature * np.array([a * a, b * b])
    np.testing.assert_allclose(found[:, :2].var(0), wanted, rtol=0.05)
    correlation = np.corrcoef(found[:, :2].T)[0, 1]
    np.testing.assert_allclose(correlation, 0.99 * np.tanh(r), atol=0.03)
    pen = np.exp(np.asarray(out[-3:]) / temperature)
    shares = np.bincount(found[:, 2].astype(int), minlength=3) / len(found)
    np.testing.assert_allclose(shares, pen / pen.sum(), atol=0.015)


def test_keys_are_drawn_as_often_as_they_are_probable():
    emission, logits = emissions.rolls(3), jnp.array([-2.0, 0.0, 1.0])
    keys = jax.random.split(jax.random.key(0), 20_000)
    for temperature in (1.0, 0.5):
        drawn = jax.vmap(lambda k, t=temperature: emission.draw(k, logits, t))(keys)
        shares = jax.nn.sigmoid(logits / temperature)
        np.testing.assert_allclose(drawn.mean(0), shares, atol=0.015)
    np.testing.assert_array_equal(emission.draw(keys[0], logits, 0.0), [0, 0, 1])
    np.testing.assert_allclose(
        emission.bias([0.2, 0.5, 0.9]), [-1.3863, 0, 2.1972], 1e-4
    )


def test_ends_are_marked_and_taken_off(strokes):
    values = jnp.zeros((2, 4, 3)).at[:, 1, 2].set(1.0)
    x = strokes.marked(values, jnp.array([4, 2]))
    np.testing.assert_array_equal(x[..., 2], [[0, 1, 0, 2], [0, 2, 0, 0]])
    np.testing.assert_array_equal(strokes.ends(x)[1], [False, True, False, False])
    assert strokes.plain(x)[..., 2].max() == 1
    shown = strokes.inputs(x, jnp.zeros(3))
    np.testing.assert_array_equal(shown[0, :, 2:].argmax(-1), [0, 1, 0, 2])
