"""Spectral normalisation against singular values, its own gradient and PyTorch's."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from jax.sharding import PartitionSpec as P

from gan_vae.devices.mesh import AXIS, mesh_of
from gan_vae.models import layers, spectral

LAYERS = {
    'conv': (partial(layers.Conv, 6, (3, 3)), (2, 8, 8, 5)),
    'pooled': (partial(layers.ConvPool, 6), (2, 8, 8, 5)),
    'dense': (partial(layers.Dense, 6), (4, 9)),
    'embedding': (
        lambda **f: layers.Embed(4, 6, nn.initializers.normal(1), **f),
        None,
    ),
}


def made(name, **fields):
    """A normalised layer, its input and its first variables."""
    layer, shape = LAYERS[name]
    layer = partial(layer, spectral=True, **fields)
    x = jnp.array([3, 0, 1])
    if shape:
        x = jax.random.normal(jax.random.key(1), shape)
    return layer, x, jax.jit(layer().init)(jax.random.key(0), x)


def trained(layer, x, variables, forwards):
    """Variables after some forward passes in training."""

    @jax.jit
    def step(spectral):
        all_of_it = {**variables, 'spectral': spectral}
        return layer(train=True).apply(all_of_it, x, mutable='spectral')[1]['spectral']

    for _ in range(forwards):
        variables = {**variables, 'spectral': step(variables['spectral'])}
    return variables


def weights(variables):
    (w,) = (w for k, w in variables['params'].items() if k != 'bias')
    return w


@pytest.mark.slow
@pytest.mark.parametrize('name', LAYERS)
def test_weights_are_divided_by_their_largest_singular_value(name):
    layer, x, variables = made(name)
    plain = layer(spectral=False)
    # init neither divides the parameters nor draws others: the same bits, but for what
    # the compiler makes of two programs, so not compiled
    jax.tree.map(
        np.testing.assert_array_equal,
        layer().init(jax.random.key(0), x)['params'],
        plain.init(jax.random.key(0), x)['params'],
    )
    variables = trained(layer, x, variables, 60)
    w = np.asarray(weights(variables), np.float64)
    # PyTorch's matrix of a convolution: [out, in * height * width]
    matrix = np.moveaxis(w, -1, 0).reshape(w.shape[-1], -1)
    sigma = np.linalg.svd(matrix, compute_uv=False)[0]
    over = jax.tree.map(lambda p: p / sigma, variables['params'])
    np.testing.assert_allclose(
        jax.jit(layer().apply)(variables, x),
        jax.jit(plain.apply)({'params': over}, x),
        atol=1e-4,
    )


def test_one_iteration_in_training_and_none_in_evaluation():
    layer, x, variables = made('conv')
    u = jnp.ones(6) / jnp.sqrt(6)  # far from the singular vectors
    variables['spectral'] = {'u': u, 'v': variables['spectral']['v']}
    matrix = np.asarray(weights(variables), np.float64).reshape(-1, 6)
    v = matrix @ u / np.linalg.norm(matrix @ u)
    expected = v @ matrix / np.linalg.norm(v @ matrix)
    y, after = layer(train=True).apply(variables, x, mutable='spectral')
    np.testing.assert_allclose(after['spectral']['u'], expected, rtol=1e-5)
    np.testing.assert_allclose(after['spectral']['v'], v, rtol=1e-4, atol=1e-6)
    now = {**variables, **after}
    for _ in range(2):  # not even if it may
        again, same = layer().apply(now, x, mutable='spectral')
        np.testing.assert_allclose(again, y, rtol=1e-5, atol=1e-6)
        jax.tree.map(np.testing.assert_array_equal, same['spectral'], now['spectral'])


def test_a_moving_average_of_the_vectors_is_as_good():
    layer, x, variables = made('dense')
    variables = trained(layer, x, variables, 60)
    shorter = jax.tree.map(lambda a: 0.3 * a, variables['spectral'])
    np.testing.assert_allclose(
        layer().apply({**variables, 'spectral': shorter}, x),
        layer().apply(variables, x),
        rtol=1e-5,
    )


@pytest.mark.parametrize('name', ['conv', 'embedding'])
def test_the_gradient_goes_through_sigma(name):
    """That of W / sigma(W), with sigma differentiated through an SVD."""
    layer, x, variables = made(name)
    variables = trained(layer, x, variables, 60)

    def ours(params):
        y, _ = layer(train=True).apply(
            {**variables, 'params': params}, x, mutable='spectral'
        )
        return jnp.sum(jnp.sin(y))

    def theirs(params):
        def over(w):
            matrix = w.reshape(-1, w.shape[-1])
            return w / jnp.linalg.svd(matrix, full_matrices=False)[1][0]

        params = {k: w if k == 'bias' else over(w) for k, w in params.items()}
        return jnp.sum(jnp.sin(layer(spectral=False).apply({'params': params}, x)))

    found, expected = (
        jax.jit(jax.grad(f))(variables['params']) for f in (ours, theirs)
    )
    jax.tree.map(partial(np.testing.assert_allclose, atol=1e-4), found, expected)


def test_devices_agree_on_the_vectors():
    """They follow from the weights alone, whatever images a device sees."""
    layer, x, variables = made('dense')

    def step(x):
        _, after = layer(train=True).apply(variables, x, mutable='spectral')
        return jax.tree.map(lambda a: a[None], after['spectral'])

    mapped = jax.shard_map(
        step, mesh=mesh_of(4, 4), in_specs=P(AXIS), out_specs=P(AXIS), check_vma=False
    )
    found, alone = jax.jit(mapped)(x), jax.jit(step)(x)
    for name, each in found.items():
        np.testing.assert_array_equal(each, jnp.repeat(alone[name], 4, axis=0))
        assert not np.array_equal(each[0], variables['spectral'][name])


@pytest.mark.oracle
def test_steps_are_pytorchs():
    torch = pytest.importorskip('torch', reason='needs the extra `oracle`')
    layer, x, variables = made('conv')
    conv = torch.nn.Conv2d(5, 6, 3, padding=1)
    kernel = np.asarray(weights(variables))
    with torch.no_grad():
        conv.weight.copy_(torch.tensor(kernel.transpose(3, 2, 0, 1)))
        conv.bias.zero_()
    conv = torch.nn.utils.spectral_norm(conv)
    start = np.full(6, 6**-0.5, np.float32)
    conv.weight_u.copy_(torch.tensor(start))
    variables['spectral'] = {'u': jnp.array(start), 'v': variables['spectral']['v']}
    images = torch.tensor(np.asarray(x).transpose(0, 3, 1, 2))
    for _ in range(3):
        y, after = layer(train=True).apply(variables, x, mutable='spectral')
        variables = {**variables, **after}
        theirs = conv(images).detach().numpy().transpose(0, 2, 3, 1)
        np.testing.assert_allclose(y, theirs, atol=2e-6)
    conv.eval()
    theirs = conv(images).detach().numpy().transpose(0, 2, 3, 1)
    np.testing.assert_allclose(layer().apply(variables, x), theirs, atol=2e-6)

    def total(params):
        y = layer(train=True).apply({**variables, **params}, x, mutable='spectral')[0]
        return jnp.sum(jnp.sin(y))

    conv.train()
    torch.sin(conv(images)).sum().backward()
    slope = jax.grad(total)({'params': variables['params']})['params']['kernel']
    theirs = conv.weight_orig.grad.numpy().transpose(2, 3, 1, 0)
    np.testing.assert_allclose(slope, theirs, atol=2e-5)


def test_largest_is_of_the_weights_before_they_are_divided():
    """Along a nested tree, and near an SVD's after the iterations at the start."""
    network = nn.Sequential(
        [layers.Dense(6, spectral=True), nn.Sequential([layers.Dense(3)])]
    )
    variables = network.init(jax.random.key(0), jnp.ones((2, 4)))
    kernel = 5 * variables['params']['layers_0']['kernel']
    params = variables['params'] | {'layers_0': {'kernel': kernel}}
    found = spectral.largest(params, {'spectral': variables['spectral']})
    assert list(found) == ['layers_0']
    largest = np.linalg.svd(kernel, compute_uv=False)[0]
    np.testing.assert_allclose(found['layers_0'], largest, rtol=2e-2)
    assert spectral.largest(params, {}) == {}
