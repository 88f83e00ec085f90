"""StyleGAN2's networks: counts, modulation, resampling, styles, noise."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from scipy import signal

from gan_vae import models
from gan_vae.errors import UserError
from gan_vae.models import convolutions, equalised, resampling, stylegan2
from gan_vae.models.modulation import Mapping, modulated, unit

SMALL = {'image_size': 8, 'width': 4, 'channel_max': 8, 'style_dim': 6}
Z = jax.random.normal(jax.random.key(1), (4, 5))
KEYS = jax.random.split(jax.random.key(2), 4)


def count(role, name, x, **fields):
    network = models.make(role, name, channels=3, classes=10, **fields)
    more = {'condition': jnp.zeros(2, jnp.int32)} if 'class' in name else {}
    with convolutions.plain():  # of the same shapes, and traced in half the time
        shapes = jax.eval_shape(lambda: network.init(jax.random.key(0), x, **more))
    return sum(leaf.size for leaf in jax.tree.leaves(shapes['params']))


@pytest.mark.parametrize(
    'size, base, most, w, layers, g, d, plain',
    [  # of the authors' networks in PyTorch, by formula
        (64, 16384, 256, 512, 2, 7_682_584, 6_625_281, 6_363_137),
        (64, 16384, 256, 512, 8, 9_258_520, 6_625_281, 6_363_137),
        (64, 16384, 512, 512, 2, 22_243_608, 23_407_361, None),
        (32, 16384, 256, 512, 2, 6_107_667, 5_379_585, None),
        (64, 4096, 256, 256, 2, 4_366_040, 4_727_617, None),
        (64, 1024, 256, 128, 2, 1_406_600, 2_273_297, None),
        (32, 1024, 256, 128, 2, 1_391_347, 2_265_889, None),
        (32, 32768, 512, 512, 2, 19_947_539, None, 20_720_641),  # for CIFAR-10
    ],
)
def test_parameters(size, base, most, w, layers, g, d, plain):
    fields = {'image_size': size, 'width': base // size, 'channel_max': most}
    of_g = fields | {'style_dim': w, 'mapping_layers': layers}
    assert count('generator', 'stylegan2', jnp.zeros((2, w)), **of_g) == g
    images = jnp.zeros((2, size, size, 3))
    for name, expected in (('stylegan2', d), ('stylegan2_plain', plain)):
        if expected:
            assert count('discriminator', name, images, **fields) == expected


def test_parameters_by_class():
    """Those of the authors' networks for CIFAR-10. A class adds to G a dense layer to
    512 and as many inputs of the first layer; to D that, eight layers, and 511
    outputs."""
    fields = {'image_size': 32, 'width': 1024, 'channel_max': 512}
    of_g = fields | {'style_dim': 512, 'mapping_layers': 2}
    g = count('generator', 'stylegan2_class', jnp.zeros((2, 512)), **of_g)
    assert g == 20_215_315 == 19_947_539 + 11 * 512 + 512 * 512
    images = jnp.zeros((2, 32, 32, 3))
    d = count('discriminator', 'stylegan2_plain_class', images, **fields)
    assert d == 23_089_664 == 20_720_641 + 11 * 512 + 8 * 513 * 512 + 511 * 513


def test_sizes_are_powers_of_two():
    with pytest.raises(UserError, match='image_size=48: stylegan2 takes 8, 16'):
        count('generator', 'stylegan2', Z[:2], **SMALL | {'image_size': 48})


def conv(x, k):
    return convolutions.conv(x, k, (1, 1))


def test_modulation_is_a_kernel_of_its_own_for_each_image():
    """k'_io = s_i k_io / |s k|_o, as one grouped convolution; and so neither the scale
    of the kernel nor that of a style matters."""
    keys = jax.random.split(jax.random.key(0), 3)
    x = jax.random.normal(keys[0], (3, 6, 6, 5))
    k = jax.random.normal(keys[1], (3, 3, 5, 7))
    s = 1 + jax.random.normal(keys[2], (3, 5))
    own = s[:, None, None, :, None] * k
    own /= jnp.sqrt(jnp.sum(own**2, (1, 2, 3), keepdims=True))
    grouped = lax.conv_general_dilated(
        x.transpose(1, 2, 0, 3).reshape(1, 6, 6, 15),
        own.transpose(1, 2, 3, 0, 4).reshape(3, 3, 5, 21),
        (1, 1),
        'SAME',
        dimension_numbers=('NHWC', 'HWIO', 'NHWC'),
        feature_group_count=3,
    )
    expected = grouped.reshape(6, 6, 3, 7).transpose(2, 0, 1, 3)
    y = modulated(x, k, s, conv)
    np.testing.assert_allclose(y, expected, atol=2e-6)
    np.testing.assert_allclose(modulated(x, 7 * k, s, conv), y, atol=2e-6)
    np.testing.assert_allclose(modulated(x, k, 5 * s, conv), y, atol=2e-6)


F = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64


def zeros_between(x):
    y = np.zeros((2 * len(x), 2 * len(x)))
    y[::2, ::2] = x
    return y


def filtered(x, f, before, after):
    """Correlation, of x with so many zeros around it."""
    return signal.correlate2d(np.pad(x, (before, after)), f, 'valid')


def one_channel(function, x, *kernel):
    return np.asarray(function(jnp.asarray(x)[None, :, :, None], *kernel))[0, :, :, 0]


def test_resampling_is_by_the_filter_of_the_paper():
    x = np.random.default_rng(0).standard_normal((8, 8)).astype(np.float32)
    expected = filtered(zeros_between(x), 4 * F, 2, 1)
    np.testing.assert_allclose(one_channel(resampling.up, x), expected, atol=1e-6)
    inner = jax.image.resize(x, (16, 16), 'bilinear')[1:-1, 1:-1]
    np.testing.assert_allclose(inner, expected[1:-1, 1:-1], atol=1e-6)
    expected = filtered(x, F, 1, 1)[::2, ::2]
    np.testing.assert_allclose(one_channel(resampling.down, x), expected, atol=1e-6)


def test_convolutions_that_resample_are_the_authors_but_for_the_outermost_pixels():
    rng = np.random.default_rng(0)
    x, k = rng.standard_normal((8, 8)), rng.standard_normal((3, 3))
    kernel = jnp.asarray(k[:, :, None, None])
    up = one_channel(resampling.up_conv, x, kernel)
    expected = filtered(filtered(zeros_between(x), 4 * F, 3, 2), k, 0, 0)
    np.testing.assert_allclose(up[1:-1, 1:-1], expected[1:-1, 1:-1], atol=1e-5)
    assert np.abs(up - expected).max() > 1e-3
    down = one_channel(resampling.down_conv, x, kernel)
    expected = filtered(filtered(x, F, 2, 2), k, 0, 0)[::2, ::2]
    np.testing.assert_allclose(down[1:-1, 1:-1], expected[1:-1, 1:-1], atol=1e-5)


def test_a_multiplier_is_of_the_learning_rate():
    """As used, weights are N(0, 1 / inputs) whatever it is; an update of one size moves
    the output in proportion to it."""
    x, moved = jnp.ones((1, 100)), {}
    for m in (1.0, 0.01):
        layer = equalised.Dense(2000, m)
        params = layer.init(jax.random.key(0), x)
        np.testing.assert_allclose(params['params']['kernel'].std(), 1 / m, rtol=0.01)
        y = layer.apply(params, x)
        np.testing.assert_allclose(y.std(), 1, rtol=0.05)
        other = jax.tree.map(lambda p: p + 1e-3, params)
        moved[m] = float(jnp.mean(layer.apply(other, x) - y))
    np.testing.assert_allclose(moved[0.01], 0.01 * moved[1.0], rtol=1e-2)


def test_the_mapping_starts_with_unit_outputs():
    """0.95 with the authors' 2 layers of 512, whose weights start at N(0, 100^2)."""
    z = jax.random.normal(jax.random.key(0), (256, 512))
    mapping = Mapping(512, 2)
    params = mapping.init(jax.random.key(1), z, None)
    first = params['params']['Dense_0']['kernel']
    np.testing.assert_allclose(first.std(), 100, rtol=0.01)
    np.testing.assert_allclose(mapping.apply(params, z, None).std(), 0.95, atol=0.05)
    scaled = mapping.apply(params, 3 * z, None)
    np.testing.assert_allclose(scaled, mapping.apply(params, z, None), atol=1e-5)
    np.testing.assert_allclose(jnp.mean(unit(z) ** 2, 1), 1, rtol=1e-5)


@pytest.fixture(scope='module')
def generator():
    """G, and its variables with noise that is seen."""
    network = stylegan2.Generator(**SMALL, mapping_layers=1)
    variables = network.init(jax.random.key(0), Z)
    strong = jax.tree_util.tree_map_with_path(
        lambda path, x: x + 0.3 if path[-1].key == 'noise' else x, variables
    )
    return network, strong


@pytest.mark.slow
def test_noise_is_fixed_or_each_images_own(generator):
    network, variables = generator
    fixed = network.apply(variables, Z)
    np.testing.assert_array_equal(fixed, network.apply(variables, Z))
    np.testing.assert_allclose(fixed[1:3], network.apply(variables, Z[1:3]), atol=1e-6)
    drawn = network.apply(variables, Z, True, keys=KEYS)
    alone = network.apply(variables, Z[1:3], True, keys=KEYS[1:3])
    np.testing.assert_allclose(drawn[1:3], alone, atol=1e-6)
    other = network.apply(variables, Z, True, keys=KEYS[::-1])
    assert min(jnp.std(drawn - fixed), jnp.std(drawn - other)) > 0.01


def test_styles_are_mixed_from_one_layer_on(generator):
    """At nine updates in ten, from a layer that is any but the first."""
    network, variables = generator

    def styles(**options):
        return network.apply(variables, Z, method='styles', **options)

    plain = styles()
    assert plain.shape == (4, 4, 6) and (plain == plain[:, :1]).all()
    keys = jax.random.split(jax.random.key(3), 2000)
    mixed = jax.jit(jax.vmap(lambda key: styles(keys=KEYS, key=key)))(keys)
    kept = np.asarray((jnp.abs(mixed - plain) < 1e-6).all(-1))
    assert (kept == kept[:, :1]).all()  # one place for all rows
    number = kept[:, 0].sum(-1)
    assert (kept[:, 0] == (np.arange(4) < number[:, None])).all()
    shares = np.bincount(number, minlength=5) / 2000
    np.testing.assert_allclose(shares, [0, 0.3, 0.3, 0.3, 0.1], atol=0.04)


def test_the_mean_style_moves_where_it_may(generator):
    network, variables = generator
    w = network.apply(variables, Z, method='styles')[:, 0]
    _, after = network.apply(
        variables, Z, True, keys=KEYS, key=KEYS[0], mutable=['styles']
    )
    np.testing.assert_allclose(after['styles']['mean'], 0.005 * w.mean(0), rtol=1e-5)


def test_an_image_is_the_sum_of_its_layers_colours(generator):
    """Without features, what is left are the biases of toRGB, doubled where they are
    seen at a smaller size."""
    network, variables = generator
    p = variables['params'] | {'constant': jnp.zeros((4, 4, 8))}
    quiet = jax.tree_util.tree_map_with_path(
        lambda path, x: 0 * x if path[-1].key == 'noise' else x, p
    )
    for n, value in enumerate((0.25, 0.5)):
        quiet[f'to_rgb_{n}']['bias'] = jnp.full(3, value)
    image = network.apply(variables | {'params': quiet}, Z)
    np.testing.assert_allclose(image[:, 1:-1, 1:-1], 0.75, rtol=1e-5)
    assert (image[:, 0] < 0.75).all()  # zeros lie outside


@pytest.mark.slow
def test_a_discriminator_sees_its_group():
    """Logits of images alone, in pairs, and with groups that do not divide the rows."""
    d = stylegan2.Discriminator(image_size=8, width=4, channel_max=8, stddev_group=4)
    x = jax.random.normal(jax.random.key(0), (8, 8, 8, 3))
    variables = d.init(jax.random.key(1), x[:2])
    logits = d.apply(variables, x, train=True)
    groups = d.apply(variables, x[1::2], train=True)  # rows 1, 3, 5, 7 of 2 groups
    np.testing.assert_allclose(logits[1::2], groups, atol=1e-5)
    assert jnp.abs(d.apply(variables, x[:4], train=True) - logits[:4]).max() > 1e-4
    with pytest.raises(UserError, match='groups of 4'):
        d.apply(variables, x[:6], train=True)
    assert d.apply(variables, x[:6]).shape == (6,)  # in groups of two
