"""Parameter counts, which anchor an architecture to the unit, and shapes."""

import inspect
import re

import jax
import jax.export
import jax.numpy as jnp
import pytest

from gan_vae import extractors, models
from gan_vae.errors import UserError
from gan_vae.models import convolutions


def conditions(network, n):
    """A class or words for each of n rows, and what else the network takes."""
    takes = inspect.signature(type(network).__call__).parameters
    if 'told' in takes:
        estimate, mask = jnp.zeros((n, 32, 32, 3)), jnp.ones((n, 32, 32, 1))
        return {'estimate': estimate, 'mask': mask, 'told': jnp.zeros((n, 5))}
    if 'condition' not in takes:
        return {}
    if hasattr(network, 'words'):
        return {'condition': jnp.ones((n, network.length), jnp.int32)}
    return {'condition': jnp.arange(n) % network.classes}


def installed(name, role):
    """A skip where a network sees images by one whose weights are not installed."""
    if role == 'discriminator' and (extractor := models.sees(role, name)):
        try:
            extractors.load(extractor)
        except UserError as error:
            pytest.skip(str(error))


def count(network, x):
    def params():
        return network.init(jax.random.key(0), x, **conditions(network, len(x)))

    with convolutions.plain():  # of the same shapes, and traced in half the time
        shapes = jax.eval_shape(params)['params']
    return sum(leaf.size for leaf in jax.tree.leaves(shapes))


COUNTS = {  # (role, name, more fields): {image size: parameters}
    # StudioGAN's logs for its CIFAR-10 DCGAN
    ('generator', 'deep_conv'): {32: 3_812_355},
    ('discriminator', 'deep_conv'): {32: 2_931_009},
    # PyTorch's DCGAN tutorial at 64 (3,576,704 and 2,765,568), plus the end biases;
    # at other sizes, which are ours, by hand
    ('generator', 'dcgan'): {16: 339_331, 32: 1_068_931, 64: 3_576_707},
    ('discriminator', 'dcgan'): {16: 136_513, 32: 663_361, 64: 2_765_633},
    # ours, by hand
    ('generator', 'dcgan_class'): {32: 903_619, 64: 2_617_795},
    ('discriminator', 'dcgan_class'): {32: 665_921, 64: 2_770_753},
    # by hand: 100-256-512-1024-784 and 784-1024-512-256-1
    ('generator', 'mlp'): {28: 1_486_352},
    ('discriminator', 'mlp'): {28: 1_460_225},
    ('code_discriminator', 'mlp'): {28: 5_017_001},  # 10-1000 (six times)-1
    # by hand, from the tables of the papers: 784-500-(20, 20), 20-500-784
    ('encoder', 'mlp'): {28: 412_540},
    ('decoder', 'mlp'): {28: 403_284},
    ('encoder', 'iwae'): {28: 217_300},
    ('decoder', 'iwae'): {28: 207_984},
    ('encoder', 'linear'): {28: 15_720},
    ('decoder', 'linear'): {28: 16_464},
    ('hierarchy', 'stack'): {28: 521_084},
    ('encoder', 'study'): {64: 310_228},
    ('decoder', 'study'): {64: 382_339},
    ('generator', 'infogan'): {28: 6_652_481},
    ('discriminator', 'infogan'): {28: 6_692_173},
    # by hand; no paper has these
    ('encoder', 'conv'): {32: 1_708_608, 64: 4_855_872},
    ('decoder', 'conv'): {32: 1_187_907, 64: 3_814_723},
    # at 32 torch-mimicry 0.1.16 and StudioGAN's log of its WGAN-GP; at 48 and 64 by
    # hand from torch-mimicry's channels (D: 10,141,441, as published)
    ('generator', 'resnet'): {32: 4_276_739, 48: 4_878_083, 64: 12_220_675},
    ('discriminator', 'resnet'): {32: 1_053_825, 48: 10_141_441, 64: 10_141_441},
    ('discriminator', 'sngan'): {32: 1_053_825, 48: 10_141_441, 64: 10_141_441},
    # at 32 StudioGAN's logs, the first two torch-mimicry's too; at 64 by hand from the
    # channels of the authors' code for SNGAN, of StudioGAN's for the others
    ('generator', 'resnet_class'): {32: 4_304_387, 48: 4_902_275, 64: 12_272_515},
    ('discriminator', 'sngan_projection'): {
        32: 1_055_105,
        48: 10_151_681,
        64: 10_151_681,
    },
    ('generator', 'sagan'): {32: 4_386_308, 48: 4_922_756, 64: 12_292_996},
    ('discriminator', 'sagan'): {32: 1_075_586, 48: 19_558_082, 64: 19_558_082},
    ('generator', 'biggan'): {32: 9_416_196, 48: 6_842_052, 64: 24_566_724},
    ('discriminator', 'biggan'): {32: 2_415_170, 48: 43_991_330, 64: 43_991_330},
    ('discriminator', 'acgan'): {32: 1_055_105, 48: 19_552_961, 64: 19_552_961},
    # by hand, at 64 from table 1 of Larsen et al., at 32 from their code
    ('encoder', 'vae_gan'): {32: 5_488_448, 64: 35_112_768},
    ('generator', 'vae_gan'): {32: 2_481_187, 64: 4_693_155},
    ('discriminator', 'vae_gan'): {32: 4_047_873, 64: 10_953_857},
}
# (role, name, image size, more fields): parameters, whose z has 64 numbers for r3gan,
# 256 for 256 pixels and else 128
BY_FIELDS = [
    # by hand: of the example of Sonnet, and ours
    ('code_encoder', 'vq_vae', 32, {'outputs': 64}, 372_416),
    ('code_decoder', 'vq_vae', 32, {'outputs': 3}, 290_307),
    ('code_encoder', 'residual', 32, {'outputs': 64}, 516_608),
    ('code_decoder', 'residual', 32, {'outputs': 3}, 582_092),
    # at 256 Liu et al.'s code, whose G has 192 more in a head of 128 pixels; the others
    # by hand from these blocks
    ('generator', 'fastgan', 32, {'width': 32}, 1_265_252),
    ('discriminator', 'fastgan', 32, {'width': 32}, 509_376),
    ('generator', 'fastgan', 64, {'width': 16}, 881_652),
    ('discriminator', 'fastgan', 64, {'width': 16}, 536_400),
    ('generator', 'fastgan', 64, {'width': 32}, 2_474_340),
    ('generator', 'fastgan', 256, {'width': 32}, 29_127_846 - 192),
    ('discriminator', 'fastgan', 256, {'width': 32}, 11_526_160),
    # Sauer et al.'s code, of 128 and of 64 for their ngf; D at its input of 224 pixels
    ('generator', 'projected', 256, {'width': 64}, 105_684_175),
    ('generator', 'projected_lite', 256, {'width': 64}, 79_354_307),
    ('generator', 'projected_lite', 256, {'width': 32}, 24_037_603),
    ('discriminator', 'projected', 256, {}, 10_331_328),
    ('discriminator', 'projected', 32, {'width': 32, 'projection_size': 64}, 203_520),
    # Huang et al.'s code for CIFAR-10 and FFHQ-64; the small ones by hand
    ('generator', 'r3gan', 32, {}, 20_732_160),
    ('discriminator', 'r3gan', 32, {}, 20_683_776),
    ('generator', 'r3gan_class', 32, {}, 20_781_952),
    ('discriminator', 'r3gan_class', 32, {}, 21_280_512),
    ('generator', 'r3gan', 64, {'widths': '768,768,768,768,384'}, 22_429_824),
    ('discriminator', 'r3gan', 64, {'widths': '768,768,768,768,384'}, 22_381_440),
    ('generator', 'r3gan', 32, {'widths': '512,256,64,32', 'blocks': 1}, 1_774_048),
    ('discriminator', 'r3gan', 32, {'widths': '512,256,64,32', 'blocks': 1}, 1_741_792),
]
LATENT = {
    'linear': 20,
    'dcgan': 100,
    'mlp': 100,
    'infogan': 74,
    'study': 10,
    'iwae': 50,
}
BY_SIZE = [
    (*network, size, expected)
    for network, sizes in COUNTS.items()
    for size, expected in sizes.items()
]


@pytest.mark.parametrize('role, name, size, expected', BY_SIZE)
def test_parameter_counts(role, name, size, expected):
    latent = LATENT.get(name, 128)
    if name == 'biggan':
        latent = 100 if size == 64 else 80  # chunks of 20
    if name == 'mlp' and role == 'decoder':
        latent = 20
    channels = 1 if size == 28 else 3
    fields = {'image_size': size, 'channels': channels, 'classes': 10, 'codes': 12}
    if role == 'discriminator' and name == 'biggan':
        fields['width'] = 96
    if name not in ('mlp', 'iwae', 'stack'):
        fields |= {'latent_dim': latent, 'outputs': channels}
    network = models.make(role, name, **fields)
    takes_z = role in ('generator', 'decoder')
    shape = (2, latent) if takes_z else (2, size, size, channels)
    if role == 'code_discriminator':
        shape = (2, 10)
    assert count(network, jnp.zeros(shape)) == expected


@pytest.mark.parametrize('role, name, size, fields, expected', BY_FIELDS)
def test_parameter_counts_by_fields(role, name, size, fields, expected):
    installed(name, role)
    fields = {'image_size': size, 'channels': 3, 'classes': 10} | fields
    network = models.make(role, name, **fields)
    latent = 256 if size == 256 else 64 if name.startswith('r3gan') else 128
    shape = (2, latent) if role == 'generator' else (2, size, size, 3)
    if role == 'code_decoder':
        shape = (2, 8, 8, 64)
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
        with convolutions.plain():
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


@pytest.mark.slow
@pytest.mark.parametrize(
    'role, name',
    [(role, name) for role in models.roles() for name in models.names(role)],
)
def test_networks_take_a_symbolic_batch(role, name):
    """As an export for any number of images needs it."""
    installed(name, role)
    size = 64 if role == 'transform' else 32
    fields = {'image_size': size, 'width': 8, 'latent_dim': 8, 'channels': 3}
    fields |= {'outputs': 3, 'classes': 3, 'codes': 6, 'words': 5, 'length': 4}
    network = models.make(role, name, **fields)
    takes_z = role in ('generator', 'decoder', 'code_discriminator')
    shape = (8,) if takes_z else (size, size, 3)
    (rows,) = jax.export.symbolic_shape('n')

    def inputs(n):
        def rows_of(x):
            return jax.ShapeDtypeStruct((n, *x.shape[1:]), x.dtype)

        others = jax.tree.map(rows_of, conditions(network, 1))
        return jax.ShapeDtypeStruct((n, *shape), 'float32'), others

    with convolutions.plain():
        variables = jax.eval_shape(
            lambda x, y: network.init(jax.random.key(0), x, **y), *inputs(2)
        )
        outputs = jax.eval_shape(
            lambda v, x, y: network.apply(v, x, **y), variables, *inputs(rows)
        )
    assert {leaf.shape[0] for leaf in jax.tree.leaves(outputs)} == {rows}


QUICK = ('mlp', 'dcgan', 'conv')


def rounded(tree):
    return jax.tree.map(lambda a: a.astype(jnp.bfloat16).astype(a.dtype), tree)


@pytest.mark.slow
@pytest.mark.parametrize(
    'role, name',
    [
        pytest.param(role, name, marks=[] if name in QUICK else [pytest.mark.slow])
        for role in models.roles()
        for name in models.names(role)
    ],
)
def test_bfloat16_is_of_the_computation_alone(role, name):
    """Products in bfloat16; parameters, statistics and outputs in float32.

    The error is measured in that of rounding the weights and the input alone: logits
    that nearly cancel have a large one in any network.
    """
    installed(name, role)
    size = 16 if name in ('conv', 'dcgan', 'infogan', 'mlp') else 32
    large = size == 32
    latent = 8 if large else 5
    fields = {'image_size': size, 'width': 8, 'latent_dim': latent, 'channels': 3}
    fields |= {'outputs': 7, 'classes': 3, 'codes': 6, 'words': 5, 'length': 4}
    plain, half = (
        models.make(role, name, dtype=jnp.dtype(d), **fields)
        for d in ('float32', 'bfloat16')
    )
    shape = (8, latent) if role in ('generator', 'decoder') else (8, size, size, 3)
    x = jax.random.normal(jax.random.key(0), shape)
    train = {'train': True, 'mutable': ['batch_stats', 'spectral']}
    trains = 'train' in inspect.signature(type(half).__call__).parameters
    options = train if trains and role in ('generator', 'discriminator') else {}
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
    if large:
        return  # these take long to compile
    variables = jax.jit(half.init)(key, x)
    exact = apply(plain).compile()
    found, expected = lowered.compile()(variables, x), exact(variables, x)
    params = rounded(variables['params'])
    reference = exact({**variables, 'params': params}, rounded(x))
    leaves = map(jax.tree.leaves, (found, expected, reference))
    for a, b, c in zip(*leaves, strict=True):
        assert 0 < jnp.linalg.norm(a - b) < 4 * jnp.linalg.norm(c - b)
