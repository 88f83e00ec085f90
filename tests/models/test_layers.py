"""Our layers are the stock layers: parameters, values, first and second derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from gan_vae.models import layers

SHAPES = [  # kernel, stride, size, inputs, outputs: the networks', then odd ones
    (4, 2, 8, 3, 16),
    (4, 2, 8, 32, 24),
    (3, 1, 8, 16, 8),
    (3, 1, 8, 3, 20),
    (3, 2, 8, 16, 8),
    (4, 1, 6, 5, 7),
    (1, 1, 4, 8, 8),
    (5, 2, 7, 4, 4),
    (4, 2, 7, 16, 8),
    (6, 3, 9, 16, 8),
]


def close(ours, stock):
    def compare(a, b):
        np.testing.assert_allclose(a, b, atol=3e-5 * float(jnp.abs(b).max() + 1e-3))

    jax.tree.map(compare, ours, stock)


@pytest.mark.parametrize('name', ['Conv', 'ConvTranspose'])
@pytest.mark.parametrize('kernel, stride, size, inputs, outputs', SHAPES)
def test_values_and_derivatives_are_stocks(name, kernel, stride, size, inputs, outputs):
    fields = {'features': outputs, 'kernel_size': (kernel,) * 2, 'strides': (stride,) * 2}
    ours, stock = getattr(layers, name)(**fields), getattr(nn, name)(**fields)
    x = jax.random.normal(jax.random.key(0), (2, size, size, inputs))
    params = stock.init(jax.random.key(1), x)
    close(ours.init(jax.random.key(1), x), params)

    def value(layer, params, x):
        return jnp.sum(jnp.sin(layer.apply(params, x)))

    def r1(layer, params, x):  # as a gradient penalty: a gradient of gradients
        return jnp.sum(jax.grad(value, 2)(layer, params, x) ** 2)

    close(ours.apply(params, x), stock.apply(params, x))
    for function in (value, r1):
        slopes = [
            jax.jit(jax.grad(function, (1, 2)), static_argnums=0)(layer, params, x)
            for layer in (ours, stock)
        ]
        close(*slopes)
