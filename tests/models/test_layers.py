"""Our layers are the stock layers: parameters, values, first and second derivatives."""

import jax
import jax.export
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from gan_vae import models
from gan_vae.models import convolutions, layers

SHAPES = [  # kernel, stride, size, inputs, outputs: the networks', then odd ones
    (4, 2, 8, 3, 16),
    (4, 2, 12, 16, 20),  # of enough channels for the nine products
    (4, 2, 6, 1, 5),
    (1, 1, 6, 16, 5),
    (3, 1, 6, 16, 3),  # as its transpose
    (3, 1, 5, 3, 20),
    (3, 1, 6, 16, 20),  # of enough for the sixteen
    (3, 1, 7, 16, 16),
    (3, 2, 7, 4, 8),
    (6, 3, 9, 5, 4),
]


@pytest.mark.parametrize('name', ['Conv', 'ConvTranspose'])
@pytest.mark.parametrize('kernel, stride, size, inputs, outputs', SHAPES)
def test_values_and_derivatives_are_stocks(name, kernel, stride, size, inputs, outputs):
    fields = (outputs, (kernel, kernel), (stride, stride))
    ours, stock = getattr(layers, name)(*fields), getattr(nn, name)(*fields)
    x = jax.random.normal(jax.random.key(0), (2, size, size, inputs))
    params, same = (jax.jit(c.init)(jax.random.key(1), x) for c in (stock, ours))
    jax.tree.map(np.testing.assert_array_equal, same, params)
    compare(ours.apply, stock.apply, params, x)


@pytest.mark.parametrize(
    'shape, kernel, stride, name',
    [
        ((6, 8, 16, 16), 3, 1, 'filtering_3x3'),
        ((6, 7, 16, 16), 3, 1, None),
        ((6, 8, 16, 15), 3, 1, None),
        ((7, 5, 15, 99), 3, 1, 'patches_3x3'),
        ((6, 8, 16, 16), 3, 2, None),
        ((8, 4, 16, 1), 4, 2, 'filtering_4x4'),
        ((8, 6, 16, 1), 4, 2, None),
        ((8, 6, 15, 1), 4, 2, 'patches_4x4'),
        ((8, 7, 15, 1), 4, 2, None),
        ((8, 8, 16, 16), 5, 1, None),
    ],
)
def test_the_algorithm_of_a_shape(shape, kernel, stride, name):
    def choose(dtype):
        return convolutions.algorithm(
            convolutions.Shape(*shape), (kernel, kernel), (stride, stride), dtype
        )

    chosen = choose(jnp.float32)
    assert (chosen.name if chosen else None) == name
    assert choose(jnp.bfloat16) is None
    with convolutions.plain():
        assert choose(jnp.float32) is None
    assert choose(jnp.float32) is chosen


def test_plain_convolutions_export_for_any_number_of_images():
    generator = models.make('generator', 'dcgan', image_size=16, width=16)
    z = jax.random.normal(jax.random.key(0), (3, 5))
    variables = jax.jit(generator.init)(jax.random.key(1), z)

    def images(z):
        return generator.apply(variables, z)

    (n,) = jax.export.symbolic_shape('n')
    with convolutions.plain():
        exported = jax.export.export(jax.jit(images))(
            jax.ShapeDtypeStruct((n, 5), jnp.float32)
        )
    np.testing.assert_allclose(exported.call(z), jax.jit(images)(z), atol=1e-5)


def test_plain_convolutions_are_traced_again():
    """What was compiled before keeps its algorithms, and they return afterwards."""
    layer, x = layers.Conv(16, (4, 4), (2, 2)), jnp.zeros((2, 8, 8, 16))
    params = jax.jit(layer.init)(jax.random.key(0), x)
    apply = jax.jit(layer.apply)

    def plain():
        return 'stablehlo.convolution' in apply.lower(params, x).as_text()

    assert not plain()
    with convolutions.plain():
        assert plain()
    assert not plain()


@pytest.mark.parametrize('kernel, stride', [(3, 1), (4, 2)])
def test_a_few_images_at_a_time_are_all_together(monkeypatch, kernel, stride):
    monkeypatch.setattr(convolutions, 'GROUP', 1)
    fields = (16, (kernel, kernel), (stride, stride))
    ours, stock = layers.Conv(*fields), nn.Conv(*fields)
    x = jax.random.normal(jax.random.key(0), (8, 12, 12, 16))
    params = jax.jit(stock.init)(jax.random.key(1), x)
    assert (
        convolutions._groups(x, 2 * kernel**2 * 16**2).shape[0] > 1
    )  # of a kernel's sum
    compare(ours.apply, stock.apply, params, x)


def compare(ours, stock, params, x):
    """Values, gradients, and those of a gradient penalty."""

    def everything(apply):
        def value(params, x):
            return jnp.sum(jnp.sin(apply(params, x)))

        def r1(params, x):  # a gradient of gradients
            return jnp.sum(jax.grad(value, 1)(params, x) ** 2)

        def all_of_it(params, x):
            slopes = jax.grad(value, (0, 1))(params, x), jax.grad(r1, (0, 1))(params, x)
            return apply(params, x), slopes

        return jax.jit(all_of_it)(params, x)

    def equal(a, b):
        np.testing.assert_allclose(a, b, atol=3e-5 * (np.abs(b).max() + 1e-3))

    jax.tree.map(equal, *jax.device_get((everything(ours), everything(stock))))


@pytest.mark.parametrize('name', ['ConvPool', 'UpConv'])
@pytest.mark.parametrize('inputs', [3, 16])
def test_fused_layers_are_their_parts(name, inputs):
    """A 3x3 convolution and what is done after, or before it."""
    conv = nn.Conv(6, (3, 3), bias_init=nn.initializers.normal())
    x = jax.random.normal(jax.random.key(0), (2, 8, 4, inputs))
    params = jax.jit(conv.init)(jax.random.key(1), x)

    def parts(params, x):
        if name == 'UpConv':
            b, h, w, c = x.shape
            x = jnp.broadcast_to(x[:, :, None, :, None], (b, h, 2, w, 2, c))
            return conv.apply(params, x.reshape(b, 2 * h, 2 * w, c))
        return nn.avg_pool(conv.apply(params, x), (2, 2), (2, 2))

    compare(getattr(layers, name)(6).apply, parts, params, x)


def test_dropout_is_unbiased_and_of_each_examples_own_key():
    x, keys = jnp.ones((64, 40, 50)), jax.random.split(jax.random.key(0), 64)
    dropped = layers.dropped(x, keys, 0.2)
    assert set(np.unique(dropped)) == {np.float32(0), np.float32(1 / 0.8)}
    share = np.mean(dropped == 0)  # of 128,000: a deviation of 0.0011
    assert abs(share - 0.2) < 0.006
    order = jnp.arange(64)[::-1]
    again = layers.dropped(x[order], keys[order], 0.2)
    np.testing.assert_array_equal(again, dropped[order])
    assert (dropped[0] != dropped[1]).any()
    assert layers.dropped(x, None, 0.2) is x and layers.dropped(x, keys, 0.0) is x
