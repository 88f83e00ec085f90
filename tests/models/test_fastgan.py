"""FastGAN's blocks: what gates what, which half is which, and where a quarter lies."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from gan_vae.errors import UserError
from gan_vae.methods.gan import Settings
from gan_vae.methods.gan.terms import reconstruction
from gan_vae.models import fastgan, patches
from gan_vae.models import fastgan_discriminator as discriminators

KEY = jax.random.key(0)


def filled(network, *arguments, **options):
    """Variables of a network, drawn by NumPy: its `init` takes long to compile."""
    shapes = jax.eval_shape(lambda: network.init(KEY, *arguments, **options))
    draw = np.random.default_rng(0)

    def values(tree, params):
        if 'u' in tree:  # of sigma > 0
            (w,) = params.values()
            u = draw.normal(size=w.shape[-1])
            return {'u': jnp.float32(u), 'v': jnp.float32(w.reshape(-1, len(u)) @ u)}
        return {k: values(v, params[k]) for k, v in tree.items()}

    params = jax.tree.map(lambda s: draw.normal(size=s.shape), shapes['params'])
    return {
        'params': jax.tree.map(jnp.float32, params),
        'spectral': values(shapes['spectral'], params),
        'batch_stats': jax.tree_util.tree_map_with_path(
            lambda path, s: jnp.full(s.shape, path[-1].key == 'var', jnp.float32),
            shapes.get('batch_stats', {}),
        ),
    }


def test_the_second_half_of_the_channels_gates_the_first():
    x = jnp.array([3.0, -2.0, 0.0, 50.0])
    np.testing.assert_allclose(fastgan.glu(x), [1.5, -2.0])


def test_quadrants_are_counted_by_rows():
    x = jnp.arange(4.0).reshape(1, 2, 2, 1).repeat(4, 0)
    x = x.repeat(3, 1).repeat(3, 2)
    found = discriminators.quadrant(x, jnp.array([0, 1, 2, 3]))
    assert found.shape == (4, 3, 3, 1)
    np.testing.assert_array_equal(found[:, :, :, 0].std((1, 2)), 0)
    np.testing.assert_array_equal(found[:, 0, 0, 0], [0, 1, 2, 3])


class Gate(fastgan.Network):
    @nn.compact
    def __call__(self, x, low):
        return self.gate(x, low, train=False)


def test_a_gate_scales_channels_of_the_higher_resolution_by_the_lower():
    high = jax.random.normal(KEY, (2, 8, 8, 3))
    low = jax.random.normal(KEY, (2, 4, 4, 5))
    gate = Gate()
    variables = filled(gate, high, low)
    silent = gate.apply(variables, high, 0 * low)  # swish(0) = 0, and sigmoid(0) = 1/2
    np.testing.assert_allclose(silent, high / 2, rtol=1e-6)
    ratio = gate.apply(variables, high, low) / high
    np.testing.assert_allclose(ratio, ratio[:, :1, :1].repeat(8, 1).repeat(8, 2), 1e-4)
    assert 0 < ratio.min() and ratio.max() < 1
    assert float(ratio.std()) > 1e-3


class Layers(fastgan.Network):
    @nn.compact
    def __call__(self, x):
        return self.layer(patches.Patches, 2, (3, 2), train=True)(x)


def test_patches_are_the_convolution_without_padding():
    x = jax.random.normal(KEY, (2, 6, 5, 4))
    variables = filled(Layers(), x)
    found, after = Layers().apply(variables, x, mutable=['spectral'])
    kernel = variables['params']['Patches_0']['kernel']
    sigma = np.linalg.svd(kernel.reshape(-1, 2), compute_uv=False)[0]
    expected = jax.lax.conv_general_dilated(
        x, kernel / sigma, (1, 1), 'VALID', dimension_numbers=('NHWC', 'HWIO', 'NHWC')
    )
    np.testing.assert_allclose(found, expected, rtol=2e-3, atol=1e-3)


@pytest.fixture(scope='module')
def discriminator():
    """(a function of images and of quarters' keys to D's outputs, its parameters)."""
    network = discriminators.Discriminator(image_size=32, width=4)
    variables = filled(network, jnp.zeros((1, 32, 32, 3)))

    @jax.jit
    def judge(x, indices):
        return network.apply(
            variables,
            x,
            indices=indices,
            reconstruct=True,
            rngs={'dropout': jax.random.key(1)},
        )

    return judge


@pytest.mark.slow
def test_the_decoder_of_a_quarter_sees_that_quarter(discriminator):
    """A pixel in a corner of the image changes the parts of that quarter alone."""
    x = jax.random.uniform(KEY, (12, 32, 32, 3), minval=-1)
    logits, before = discriminator(x, jnp.arange(12))
    assert logits.shape == (12, 25)
    which = np.asarray(before.which)
    assert set(which) == {0, 1, 2, 3}
    assert before.part.shape == before.whole[0].shape == x.shape
    for corner, (row, column) in enumerate(((0, 0), (0, 31), (31, 0), (31, 31))):
        _, after = discriminator(x.at[:, row, column].add(1), jnp.arange(12))
        changed = np.any(np.asarray(before.part != after.part), axis=(1, 2, 3))
        np.testing.assert_array_equal(changed, which == corner)
    _, other = discriminator(x[:3], jnp.arange(3) + 5)  # by the place in the batch
    np.testing.assert_array_equal(other.which, which[5:8])


class View:
    """What the term reads."""

    def __init__(self, x, made):
        self.augmented_real, self.real_auxiliary = x, made


class Pair:
    auxiliary = 'reconstruction'


def test_the_term_compares_each_quarter_with_its_own():
    (term,) = reconstruction.discriminator_terms(
        Settings(reconstruction_weight=3.0), Pair
    ).values()
    x = jnp.zeros((4, 8, 8, 1)).at[:, :4, 4:].set(1)  # the top right is bright
    which = jnp.arange(4)
    part = discriminators.quadrant(x, which).repeat(2, 1).repeat(2, 2)
    exact = discriminators.Reconstructions((x,), part, which)
    assert term.value(View(x, exact)) == 0
    wrong = exact._replace(which=which[::-1])  # two of the four are of another
    np.testing.assert_allclose(term.value(View(x, wrong)), 3 * 2 / 4)
    whole = exact._replace(whole=(x - 0.5, x[:, ::2, ::2]))
    value = term.value(View(x, whole))
    np.testing.assert_allclose(value, 3 / 4)
    twice = jax.tree.map(lambda a: jnp.concatenate([a, a]), (x, whole))
    np.testing.assert_allclose(term.value(View(*twice)), value)  # a mean over the batch
    assert 'reconstruction' in term.formula and '3' in term.formula


@pytest.mark.slow
def test_noise_is_an_images_own_in_training_and_fixed_in_samples():
    network = fastgan.ConditionalGenerator(image_size=32, width=2, classes=3)
    z, y = jax.random.normal(KEY, (3, 8)), jnp.array([0, 1, 2])
    z = z.at[2].set(z[0])
    variables = filled(network, z, condition=y)

    def loud(path, w):
        return jnp.ones(()) if path[-1].key == 'scale' and w.ndim == 0 else w

    params = jax.tree_util.tree_map_with_path(loud, variables['params'])
    moving, still = variables, {**variables, 'params': params}

    @jax.jit
    def images(variables, z, y):
        return network.apply(variables, z, condition=y)

    one = images(still, z, y)
    np.testing.assert_allclose(images(still, z[1:2], y[1:2]), one[1:2], atol=1e-6)
    same = images(still, z, jnp.zeros(3, int))
    np.testing.assert_allclose(same[0], same[2], atol=1e-6)  # of one z
    np.testing.assert_allclose(one[0], same[0], atol=1e-6)
    assert not np.allclose(one[2], same[2], atol=1e-3)  # of another class
    assert not np.allclose(images(moving, z, y), one, atol=1e-3)

    x, keys = jnp.zeros((3, 16, 16, 2)), jax.random.split(KEY, 3)
    layer, scale = fastgan.Noise(), {'params': {'scale': jnp.ones(())}}
    drawn = layer.apply(scale, x, keys, 1)
    assert (drawn[..., 0] == drawn[..., 1]).all()  # one map for all channels
    together = np.corrcoef(drawn[..., 0].reshape(3, -1))
    assert np.abs(together - np.eye(3)).max() < 0.2
    assert abs(float(drawn.std()) - 1) < 0.1
    assert not np.allclose(layer.apply(scale, x, keys, 2), drawn)  # of each layer
    np.testing.assert_array_equal(layer.apply(scale, x[1:], keys[1:], 1), drawn[1:])
    fixed = layer.apply(scale, x, None, 1)
    np.testing.assert_array_equal(fixed[0], fixed[1])


def test_a_class_moves_the_logits_by_its_projection():
    """By e(y) . m, of which two classes with one embedding have one."""
    network = discriminators.ConditionalDiscriminator(image_size=32, width=2, classes=3)
    x = jax.random.normal(KEY, (3, 32, 32, 3))
    y = jnp.array([0, 1, 2])
    variables = filled(network, x, condition=y)
    table = variables['params']['Projection_0']['Embed_0']['embedding']
    table = table.at[1].set(-table[0]).at[2].set(0)
    variables = {
        **variables,
        'params': variables['params']
        | {'Projection_0': {'Embed_0': {'embedding': table}}},
    }

    @jax.jit
    def judge(y):
        return network.apply(variables, x, condition=jnp.full(3, y))

    plus, minus, none = (judge(i) for i in range(3))
    assert float(jnp.abs(plus - none).min()) > 0
    np.testing.assert_allclose(plus - none, none - minus, atol=1e-5)


def test_a_size_that_has_no_networks_is_one_line():
    with pytest.raises(UserError, match='image_size=48.*32, 64, 256'):
        fastgan.sizes(48)
