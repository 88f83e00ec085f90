"""Parameter counts, which anchor an architecture to the unit, and shapes."""

import inspect
import re

import jax
import jax.numpy as jnp
import pytest

from gan_vae import models
from gan_vae.errors import UserError


def conditions(network, n):
    """A class for each of n rows, where the network takes one."""
    takes = 'condition' in inspect.signature(type(network).__call__).parameters
    return {'condition': jnp.arange(n) % network.classes} if takes else {}


def count(network, x):
    def params():
        return network.init(jax.random.key(0), x, **conditions(network, len(x)))

    shapes = jax.eval_shape(params)['params']
    return sum(leaf.size for leaf in jax.tree.leaves(shapes))


@pytest.mark.parametrize(
    'role, name, fields, shape, expected',
    [
        # StudioGAN's logs for its CIFAR-10 DCGAN
        ('generator', 'deep_conv', {}, (2, 128), 3_812_355),
        ('discriminator', 'deep_conv', {}, (2, 32, 32, 3), 2_931_009),
        # PyTorch's DCGAN tutorial (3,576,704 and 2,765,568), plus the end biases
        ('generator', 'dcgan', {'image_size': 64}, (2, 100), 3_576_707),
        ('discriminator', 'dcgan', {'image_size': 64}, (2, 64, 64, 3), 2_765_633),
        # by hand: 100-256-512-1024-784 and 784-1024-512-256-1
        ('generator', 'mlp', {}, (2, 100), 1_486_352),
        ('discriminator', 'mlp', {}, (2, 28, 28, 1), 1_460_225),
        # by hand: 784-500-(20, 20), 20-500-784
        ('encoder', 'mlp', {}, (2, 28, 28, 1), 412_540),
        ('decoder', 'mlp', {}, (2, 20), 403_284),
        # torch-mimicry 0.1.16, StudioGAN's log of its WGAN-GP
        ('generator', 'resnet', {}, (2, 128), 4_276_739),
        ('discriminator', 'resnet', {}, (2, 32, 32, 3), 1_053_825),
        ('discriminator', 'sngan', {}, (2, 32, 32, 3), 1_053_825),
        ('generator', 'resnet', {'image_size': 64}, (2, 128), 12_220_675),
        # StudioGAN's logs; the first two are torch-mimicry's too
        ('generator', 'resnet_class', {}, (2, 128), 4_304_387),
        ('discriminator', 'sngan_projection', {}, (2, 32, 32, 3), 1_055_105),
        ('generator', 'sagan', {}, (2, 128), 4_386_308),
        ('discriminator', 'sagan', {}, (2, 32, 32, 3), 1_075_586),
        ('generator', 'biggan', {'width': 96}, (2, 80), 9_416_196),
        ('discriminator', 'biggan', {'width': 96}, (2, 32, 32, 3), 2_415_170),
        # by hand: that of 'sngan' and a classifier of 10 x 128
        ('discriminator', 'acgan', {}, (2, 32, 32, 3), 1_055_105),
        # by hand, from table 1 of Larsen et al.; the last: their code for 32x32
        ('encoder', 'vae_gan', {}, (2, 64, 64, 3), 35_112_768),
        ('generator', 'vae_gan', {}, (2, 128), 4_693_155),
        ('discriminator', 'vae_gan', {}, (2, 64, 64, 3), 10_953_857),
        ('generator', 'vae_gan', {'image_size': 32}, (2, 128), 2_481_187),
    ],
)
def test_parameter_counts(role, name, fields, shape, expected):
    network = models.make(role, name, classes=10, **fields)
    assert count(network, jnp.zeros(shape)) == expected


@pytest.mark.parametrize('size', [8, 16, 32, 64])
def test_convolutional_networks_fit_every_size(size):
    fields = {
        'image_size': size,
        'channels': 3,
        'width': 8,
        'latent_dim': 5,
        'outputs': 7,
    }
    key = jax.random.key(0)

    def out(role, name, x):
        network = models.make(role, name, **fields)
        return jax.eval_shape(lambda: network.init_with_output(key, x)[0])

    images, z = jnp.zeros((2, size, size, 3)), jnp.zeros((2, 5))
    assert out('generator', 'dcgan', z).shape == images.shape
    assert out('discriminator', 'dcgan', images).shape == (2,)
    assert [o.shape for o in out('encoder', 'conv', images)] == [(2, 5), (2, 5)]
    assert out('decoder', 'conv', z).shape == (2, size, size, 7)


def test_sizes_and_names_that_do_not_exist_are_one_line():
    with pytest.raises(UserError, match='takes 8, 16, 32, 64'):
        models.make('generator', 'dcgan', image_size=48).init(
            jax.random.key(0), jnp.zeros((1, 4))
        )
    with pytest.raises(UserError, match="'dcgn' \\(did you mean 'dcgan'"):
        models.make('generator', 'dcgn')


def rounded(tree):
    return jax.tree.map(lambda a: a.astype(jnp.bfloat16).astype(a.dtype), tree)


@pytest.mark.parametrize(
    'role, name',
    [(role, name) for role in models.roles() for name in models.names(role)],
)
def test_bfloat16_is_of_the_computation_alone(role, name):
    """Products in bfloat16; parameters, statistics and outputs in float32.

    The error is measured in that of rounding the weights and the input alone: logits
    that nearly cancel have a large one in any network.
    """
    size = 16 if name in ('conv', 'dcgan', 'infogan', 'mlp') else 32
    residual = size == 32 and name != 'deep_conv'
    latent = 8 if residual else 5
    fields = {'image_size': size, 'width': 8, 'latent_dim': latent, 'channels': 3}
    plain, half = (
        models.make(
            role, name, dtype=jnp.dtype(d), outputs=7, classes=3, codes=6, **fields
        )
        for d in ('float32', 'bfloat16')
    )
    shape = (8, latent) if role in ('generator', 'decoder') else (8, size, size, 3)
    x = jax.random.normal(jax.random.key(0), shape)
    train = {'train': True, 'mutable': ['batch_stats', 'spectral']}
    options = train if role in ('generator', 'discriminator') else {}
    options = options | conditions(half, 8)
    key = jax.random.key(1)
    variables = jax.eval_shape(lambda: half.init(key, x, **conditions(half, 8)))
    assert {v.dtype for v in jax.tree.leaves(variables)} == {jnp.dtype('float32')}

    def apply(network):
        return jax.jit(lambda v, x: network.apply(v, x, **options)).lower(variables, x)

    lowered = apply(half)
    text = lowered.as_text()
    products = re.findall(r'stablehlo\.(?:dot_general|convolution).*', text)
    assert products and all(re.search(r'-> tensor<\S*bf16>', p) for p in products)
    outputs = jax.tree.leaves(lowered.out_info)
    assert {leaf.dtype for leaf in outputs} == {jnp.dtype('float32')}
    if residual:
        return  # residual networks take long to compile
    variables = jax.jit(half.init)(key, x)
    exact = apply(plain).compile()
    found, expected = lowered.compile()(variables, x), exact(variables, x)
    params = rounded(variables['params'])
    reference = exact({**variables, 'params': params}, rounded(x))
    leaves = map(jax.tree.leaves, (found, expected, reference))
    for a, b, c in zip(*leaves, strict=True):
        assert 0 < jnp.linalg.norm(a - b) < 4 * jnp.linalg.norm(c - b)
