"""Parts of a batch and twice computed activations: same values, less memory."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_vae.devices.memory import accumulated, recomputed

LAYERS, WIDTH, ROWS = 8, 64, 4096


def layers(weights, x):
    for w in weights:
        x = jnp.tanh(jnp.sin(x @ w))
    return x


def gradient(weights, variables, rows):
    """Of a mean over rows; `variables` remembers the last row's mean, as statistics
    of a batch would."""

    def objective(weights):
        value = jnp.mean(jnp.sum(layers(weights, rows) ** 2, -1))
        return value, {'loss': value}

    grads, metrics = jax.grad(objective, has_aux=True)(weights)
    return grads, (0.5 * variables + 0.5 * rows.mean(), metrics)


def arguments():
    keys = jax.random.split(jax.random.key(0), LAYERS + 1)
    weights = [jax.random.normal(k, (WIDTH, WIDTH)) / WIDTH**0.5 for k in keys[1:]]
    return weights, jnp.float32(0), jax.random.normal(keys[0], (ROWS, WIDTH))


def compiled(function):
    return jax.jit(function).lower(*jax.eval_shape(arguments)).compile()


def temporary(program) -> int:
    return program.memory_analysis().temp_size_in_bytes


def test_parts_give_the_gradient_of_the_whole_and_their_memory_alone():
    weights, variables, rows = arguments()
    whole = compiled(gradient)
    expected, (_, metrics) = whole(weights, variables, rows)
    for parts in (2, 4):
        program = compiled(accumulated(gradient, parts))
        grads, (after, of_parts) = program(weights, variables, rows)
        np.testing.assert_allclose(of_parts['loss'], metrics['loss'], rtol=1e-6)
        for g, e in zip(grads, expected, strict=True):
            np.testing.assert_allclose(g, e, atol=1e-5 * float(jnp.abs(e).max()))
        assert temporary(program) < 1.4 / parts * temporary(whole)
        means = rows.reshape(parts, -1).mean(1)  # the last part weighs most
        halves = 0.5 ** jnp.arange(parts, 0, -1)
        np.testing.assert_allclose(after, halves @ means, atol=1e-7)


@pytest.mark.parametrize('order', [1, 2])
def test_recomputing_changes_no_gradient_and_needs_less_memory(order):
    """Blocks of two layers; second order: the gradient of a gradient penalty."""

    def objective(wrap):
        block = wrap(layers)

        def value(weights, x):
            for first in range(0, LAYERS, 2):
                x = block(weights[first : first + 2], x)
            return jnp.mean(jnp.sum(x**2, -1))

        def penalty(weights, x):
            return jnp.sum(jax.grad(value, 1)(weights, x) ** 2)

        of = value if order == 1 else penalty
        return lambda weights, _, x: jax.grad(of)(weights, x)

    plain, twice = (compiled(objective(recomputed(flag))) for flag in (False, True))
    values = arguments()
    for a, b in zip(plain(*values), twice(*values), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6 * float(jnp.abs(b).max()))
    if order == 1:
        assert temporary(twice) < 0.6 * temporary(plain)
