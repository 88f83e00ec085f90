"""A graph of ONNX gives what JAX gives, for any number of examples."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

pytest.importorskip('onnxruntime', reason='the extra export')

import onnx
import onnxruntime

from gan_vae import models
from gan_vae.errors import UserError
from gan_vae.export import graph
from tests.models.test_networks import installed

RNG = np.random.default_rng(0)


def array(*shape):
    return jnp.asarray(RNG.normal(size=shape).astype(np.float32))


def convolved(x, k, stride=(1, 1), pad='SAME', **more):
    numbers = ('NHWC', 'HWIO', 'NHWC')
    return jax.lax.conv_general_dilated(
        x, k, stride, pad, dimension_numbers=numbers, **more
    )


K, WIDE, GROUPED = array(3, 3, 4, 6), array(4, 4, 4, 6), array(3, 3, 2, 6)
MATRIX, TABLE, CUBE = array(4, 5), array(7, 4), array(6, 4, 3)
FUNCTIONS = {
    'same': lambda x: convolved(x, K),
    'in steps, with other pads': lambda x: convolved(x, WIDE, (2, 2), [(1, 2), (0, 1)]),
    'with holes': lambda x: convolved(x, K, rhs_dilation=(2, 2)),
    'in groups': lambda x: convolved(x, GROUPED, feature_group_count=2),
    'transposed': lambda x: jax.lax.conv_transpose(x, WIDE, (2, 2), 'SAME'),
    'transposed, valid': lambda x: jax.lax.conv_transpose(x, K, (3, 3), 'VALID'),
    'transposed, uneven': lambda x: convolved(
        x, WIDE, pad=[(2, 3), (1, 2)], lhs_dilation=(2, 3)
    ),
    'transposed, in groups': lambda x: convolved(
        x, GROUPED, pad=[(1, 2)] * 2, lhs_dilation=(2, 2), feature_group_count=2
    ),
    'a matrix': lambda x: x @ MATRIX,
    'sums of products': lambda x: jnp.einsum('bhwc,cd,bhwd->bdh', x, MATRIX[:, :4], x),
    'means and deviations': lambda x: (
        (x - x.mean((1, 2))[:, None, None])
        / jnp.sqrt(x.var((1, 2), keepdims=True) + 1e-5)
    ),
    'largest': lambda x: x.max((1, 2)) - x.min(3).sum((1, 2))[:, None],
    'activations': lambda x: (
        jax.nn.gelu(x)
        + jax.nn.silu(x) * jax.nn.leaky_relu(x, 0.2)
        + jax.nn.softplus(x)
        + jax.nn.sigmoid(-x) ** 3
        + jax.nn.elu(x)
        + jax.scipy.special.erf(x)
    ),
    'softmax': lambda x: jax.nn.softmax(x),
    'pieces': lambda x: jnp.concatenate([x[:, 1:4:2], x[:, ::-1, :, :][:, :1]], 1),
    'in parts': lambda x: jnp.stack(jnp.split(x, 2, -1), 1),
    'rows by number': lambda x: TABLE[jnp.argmax(TABLE[:, 0])] + x,
    'sides by number': lambda x: x[:, :, jnp.array([3, 0, 3])],
    'turned': lambda x: jnp.transpose(x, (0, 3, 1, 2)).reshape(len_of(x), -1),
    'larger': lambda x: jnp.repeat(jnp.repeat(x, 2, 1), 2, 2),
    'resized': lambda x: jax.image.resize(x, (x.shape[0], 8, 8, 4), 'bilinear'),
    'padded': lambda x: jnp.pad(x, ((0, 0), (1, 2), (0, 1), (0, 0))) + 1.5,
    'chosen': lambda x: jnp.where((x > 0.2) & ~(x > 1), x, jnp.clip(x, -1, 0.1)),
    'constants beside it': lambda x: jnp.concatenate(
        [x, jnp.zeros_like(x), jnp.full((x.shape[0], 5, 6, 2), 3.0)], -1
    ),
    'numbers of a side': lambda x: jnp.concatenate(
        [x, jnp.broadcast_to(jnp.arange(6.0)[:, None], (x.shape[0], 5, 6, 1))], -1
    ),
    'behind a barrier': lambda x: sum(jax.lax.optimization_barrier((x, x * 2))),
    'called': lambda x: jax.jit(jax.checkpoint(lambda y: jnp.tanh(y) * 2))(x) ** 2,
}


def len_of(x):
    return x.shape[0]


def ran(model, **inputs):
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return session.run(None, inputs)[0]


@pytest.mark.parametrize('name', FUNCTIONS)
def test_an_operation_gives_what_jax_gives(name):
    function = FUNCTIONS[name]
    traced = graph.traced(function, [((5, 6, 4), jnp.float32)])
    model = graph.graph(traced, ['x'], 'y', {'made': 'here'})
    assert model.metadata_props[0].value == 'here'
    for count in (1, 3):
        x = array(count, 5, 6, 4)
        np.testing.assert_allclose(ran(model, x=np.asarray(x)), function(x), atol=2e-5)


def test_classes_choose_rows():
    def function(z, label):
        return TABLE[label] * z + jax.nn.one_hot(label, 4)

    shapes = [((4,), jnp.float32), ((), jnp.int32)]
    model = graph.graph(graph.traced(function, shapes), ['z', 'class'], 'y', {})
    z, label = array(3, 4), np.int32([2, 0, 3])
    found = ran(model, z=np.asarray(z), **{'class': label})
    np.testing.assert_allclose(found, function(z, label), atol=1e-6)


def test_what_does_not_depend_on_the_input_is_a_constant():
    """Random numbers, loops and sorting too."""

    def function(x):
        noise = jax.random.normal(jax.random.key(0), (4,))
        total = jax.lax.fori_loop(0, 3, lambda _, y: y * 1.5, jnp.sort(noise))
        return x + total

    model = graph.graph(graph.traced(function, [((4,), jnp.float32)]), ['x'], 'y', {})
    assert len(model.graph.node) <= 3
    x = array(2, 4)
    np.testing.assert_allclose(ran(model, x=np.asarray(x)), function(x), atol=1e-6)


@pytest.mark.parametrize(
    'function, what',
    [
        (lambda x: jnp.sort(x), 'the operation sort'),
        (lambda x: jax.lax.cumsum(x, 1) + jax.lax.cumlogsumexp(x, 1), 'cumsum'),
        (lambda x: x * x.shape[0], 'a number that hangs on'),
        (lambda x: jnp.zeros((2 * x.shape[0], 4)), 'a side of 2'),
        (
            lambda x: convolved(x[..., None], x.sum(0)[:3, :3, None, None]),
            'whose kernel',
        ),
    ],
)
def test_what_has_no_onnx_is_named(function, what):
    with pytest.raises(UserError, match=f'cannot be exported to ONNX: it has .*{what}'):
        traced = graph.traced(function, [((4, 4), jnp.float32)])
        graph.graph(traced, ['x'], 'y', {})


@pytest.mark.slow
@pytest.mark.parametrize(
    'role, name',
    [(r, n) for r in ('generator', 'decoder') for n in models.names(r)],
)
def test_every_generator_and_decoder_is_exported_or_says_why_not(role, name):
    installed(name, role)
    fields = {'image_size': 32, 'width': 8, 'latent_dim': 8, 'channels': 3}
    fields |= {'outputs': 3, 'classes': 3, 'codes': 6, 'words': 5, 'length': 4}
    network = models.make(role, name, **fields)
    z, label, shapes = array(3, 8), [], [((8,), jnp.float32)]
    if hasattr(network, 'words'):
        label = [np.int32([[1, 2, 0, 0], [5, 1, 3, 2], [0, 0, 0, 0]])]
    elif hasattr(network, 'classes'):
        label = [np.int32([0, 1, 2])]
    shapes += [(condition.shape[1:], jnp.int32) for condition in label]
    named = {'condition': label[0]} if label else {}
    variables = network.init(jax.random.key(0), z, **named)
    lively = jax.tree.map(lambda a: a + 0.02 * array(*a.shape), variables)

    def function(z, *label):
        named = {'condition': label[0]} if label else {}
        out = network.apply(lively, z, **named)
        return jax.tree.leaves(out)[0]

    traced = graph.traced(function, shapes)
    model = graph.graph(traced, ['z', 'class'][: len(shapes)], 'y', {})
    given = dict(zip(['z', 'class'], [np.asarray(z), *label], strict=False))
    np.testing.assert_allclose(ran(model, **given), function(z, *label), atol=1e-4)
