"""The residual networks: against their equations, and what training asks of them."""

import inspect
from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from gan_vae import models
from gan_vae.errors import UserError

NETWORKS = {  # each kind under one of its names
    (role, network.module, network.cls): (role, name)
    for role in ('generator', 'discriminator')
    for name in models.names(role)
    for network in [models.find(role, name)]
    if network.module in ('gan_vae.models.resnet', 'gan_vae.models.big')
}.values()
LABEL = jnp.array([0, 2, 1])


@cache
def made(role, name, size=32):
    """(variables, apply(variables, x, train=False, label=LABEL), x) of width 2."""
    network = models.make(role, name, image_size=size, channels=3, width=2, classes=3)
    takes = 'condition' in inspect.signature(type(network).__call__).parameters
    assert takes == (name not in ('resnet', 'sngan', 'acgan'))
    blocks = {32: 4, 48: 4, 64: 5}[size]
    shape = (3, 4 * blocks) if role == 'generator' else (3, size, size, 3)
    x = jax.random.normal(jax.random.key(0), shape)

    def options(label):
        return {'condition': label} if takes else {}

    def apply(variables, x, train=False, label=LABEL):
        mutable = ['batch_stats', 'spectral'] if train else False
        return network.apply(
            variables, x, train=train, mutable=mutable, **options(label)
        )

    shapes = jax.eval_shape(
        lambda: network.init(jax.random.key(1), x, **options(LABEL))
    )
    rng = np.random.default_rng(0)

    def drawn(leaf):
        # biases, gains by class and the weight of attention are not as at the start
        if leaf.ndim < 2:
            return jnp.asarray(rng.uniform(0.4, 0.6, leaf.shape), jnp.float32)
        size = np.prod(leaf.shape[:-1]) ** -0.5
        return jnp.asarray(rng.normal(0, size, leaf.shape), jnp.float32)

    variables = jax.tree.map(drawn, shapes)  # far cheaper than to compile init
    return variables, apply, x


@pytest.mark.slow
@pytest.mark.parametrize(
    'role, name',
    [
        n if 'sngan' in n[1] else pytest.param(*n, marks=pytest.mark.slow)
        for n in NETWORKS
    ],
)
def test_what_training_asks(role, name):
    """Ranges, finite gradients in every parameter, classes, rows apart from others."""
    variables, apply, x = made(role, name)

    @jax.jit
    def train(variables, x):
        def total(params, x):
            y, after = apply({**variables, 'params': params}, x, True)
            return sum(jnp.sum(jnp.sin(leaf)) for leaf in jax.tree.leaves(y)), (
                y,
                after,
            )

        slopes, (y, after) = jax.grad(total, (0, 1), has_aux=True)(
            variables['params'], x
        )
        return slopes, y, after

    evaluate = jax.jit(apply)
    slopes, y, after = train(variables, x)
    shapes = [leaf.shape for leaf in jax.tree.leaves(y)]
    if role == 'generator':
        assert shapes == [(3, 32, 32, 3)] and jnp.abs(y).max() <= 1
    else:
        assert shapes == ([(3,), (3, 3)] if name == 'acgan' else [(3,)])
    for path, slope in jax.tree_util.tree_leaves_with_path(slopes):
        assert jnp.isfinite(slope).all() and jnp.abs(slope).max() > 0, path
    assert set(after) == set(variables) - {'params'}
    variables = {**variables, **after}
    every = evaluate(variables, x)
    apart = evaluate(variables, x.at[0].mul(9), label=LABEL)
    jax.tree.map(lambda a, b: np.testing.assert_array_equal(a[1:], b[1:]), apart, every)
    if name not in ('resnet', 'sngan', 'acgan'):
        others = evaluate(variables, x, label=jnp.array([0, 2, 0]))
        np.testing.assert_array_equal(others[:2], every[:2])
        assert jnp.abs(others[2] - every[2]).max() > 1e-4


def convolve(layer, x):
    y = jax.lax.conv_general_dilated(
        x, layer['kernel'], (1, 1), 'SAME', dimension_numbers=('NHWC', 'HWIO', 'NHWC')
    )
    return y + layer['bias']


def pool(x):
    return nn.avg_pool(x, (2, 2), (2, 2))


@pytest.mark.parametrize('size, pools', [(32, 2), (48, 4), (64, 5)])
def test_the_critic_is_its_equation(size, pools):
    variables, apply, x = made('discriminator', 'resnet', size)

    @jax.jit
    def expected(params, x):
        for i in range(5 if size > 32 else 4):
            block = params[f'DownBlock_{i}']
            h = convolve(block['Conv_0'], nn.relu(x) if i else x)
            last = 'ConvPool_0' if i < pools else 'Conv_1'
            h = convolve(block[last], nn.relu(h))
            shortcut = f'Conv_{1 if i < pools else 2}'
            x = convolve(block[shortcut], x) if shortcut in block else x
            x = pool(h + x) if i < pools else h + x
        assert x.shape[1] == size >> pools
        x = nn.relu(x).sum((1, 2))
        return (x @ params['Dense_0']['kernel'] + params['Dense_0']['bias'])[:, 0]

    found = jax.jit(apply)(variables, x)
    np.testing.assert_allclose(found, expected(variables['params'], x), rtol=2e-4)


@pytest.mark.parametrize('name', ['sngan_projection', 'sagan', 'biggan', 'acgan'])
@pytest.mark.parametrize('size', [32, 48, 64])
def test_blocks_of_the_discriminators(name, size):
    """SNGAN's widen in a block's second convolution and pool in each block of 64
    pixels; the others widen in the first and do not pool in the last block."""
    network = models.make('discriminator', name, image_size=size, width=2, classes=3)
    takes = 'condition' in inspect.signature(type(network).__call__).parameters
    condition = {'condition': LABEL} if takes else {}
    images, key = jnp.zeros((3, size, size, 3)), jax.random.key(0)
    params = jax.eval_shape(lambda: network.init(key, images, **condition))['params']
    blocks = [params[f'DownBlock_{i}'] for i in range(4 if size == 32 else 5)]
    wide, ends = name != 'sngan_projection', []
    for block in blocks:
        last = block.get('ConvPool_0', block.get('Conv_1'))['kernel'].shape
        first = block['Conv_0']['kernel'].shape
        ends.append((first[2], last[3]))
        assert first[3] == (last[3] if wide or first[2] == 3 else first[2])
    channels = (4, 4, 4, 4) if size == 32 else (2, 4, 8, 16, 32)
    assert ends == list(zip((3, *channels), channels, strict=False))
    pools = {32: 2, 48: 4, 64: 4 if wide else 5}[size]
    assert ['ConvPool_0' in b for b in blocks] == [
        i < pools for i in range(len(blocks))
    ]


@pytest.mark.parametrize('size, bottom', [(32, 4), (48, 6)])
def test_the_generator_is_its_equation(size, bottom):
    variables, apply, z = made('generator', 'resnet', size)

    def norm(layer, x):
        x = (x - x.mean((0, 1, 2))) / jnp.sqrt(x.var((0, 1, 2)) + 1e-5)
        return nn.relu(x * layer['scale'] + layer['bias'])

    def repeat(x):
        return jnp.repeat(jnp.repeat(x, 2, 1), 2, 2)

    @jax.jit
    def expected(params, z):
        x = z @ params['Dense_0']['kernel'] + params['Dense_0']['bias']
        x = x.reshape(3, bottom, bottom, -1)
        for i in range(3):
            block = params[f'UpBlock_{i}']
            h = convolve(block['UpConv_0'], repeat(norm(block['BatchNorm_0'], x)))
            h = convolve(block['Conv_0'], norm(block['BatchNorm_1'], h))
            x = h + convolve(block['Conv_1'], repeat(x))
        return jnp.tanh(convolve(params['Conv_0'], norm(params['BatchNorm_0'], x)))

    found, _ = jax.jit(partial(apply, train=True))(variables, z)
    np.testing.assert_allclose(found, expected(variables['params'], z), atol=1e-4)


def test_noise_enters_biggan_at_every_block():
    variables, apply, z = made('generator', 'biggan')

    @jax.jit
    @jax.grad
    def slope(z):
        _, after = apply(variables, jax.lax.stop_gradient(z), True)  # of SN's vectors
        return jnp.sum(apply({**variables, **after}, z)[0, 0])

    slopes = slope(z)
    assert (jnp.abs(slopes[0]) > 0).all() and not jnp.abs(slopes[1:]).any()


def test_sizes_that_do_not_fit_are_one_line():
    images, z = jnp.zeros((1, 16, 16, 3)), jnp.zeros((1, 10))
    with pytest.raises(UserError, match='image_size=16: residual networks take 32, 48'):
        models.make('discriminator', 'sngan', image_size=16).init(
            jax.random.key(0), images
        )
    with pytest.raises(UserError, match='latent_dim=10 does not divide into the 4 ch'):
        models.make('generator', 'biggan', classes=3).init(
            jax.random.key(0), z, condition=jnp.zeros(1, int)
        )
