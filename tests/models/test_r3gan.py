"""R3GAN: the identity at the start, groups of channels, and sizes that do not fit."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from gan_vae.errors import UserError
from gan_vae.models import convolutions, grouped, r3gan
from gan_vae.objectives import penalties

KEY = jax.random.key(0)


@pytest.mark.parametrize('size, channels', [(16, 64), (16, 48), (64, 64), (8, 16)])
def test_grouped_is_the_grouped_convolution(size, channels):
    """Two blocks of two groups, groups alone, one group, and one block."""
    x = jax.random.normal(KEY, (2, 6, 4, channels))
    k = jax.random.normal(KEY, (3, 3, size, channels))

    def reference(x, k):
        return lax.conv_general_dilated(
            x,
            k,
            (1, 1),
            'SAME',
            dimension_numbers=('NHWC', 'HWIO', 'NHWC'),
            feature_group_count=channels // size,
        )

    def both(conv):
        return lambda x, k: jax.vjp(conv, x, k)[1](jnp.cos(x))

    with convolutions.plain():
        found = jax.jit(grouped.conv)(x, k)
        gradients = jax.jit(both(grouped.conv))(x, k)
    np.testing.assert_allclose(found, reference(x, k), rtol=1e-4, atol=1e-4)
    for a, b in zip(gradients, jax.jit(both(reference))(x, k), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


@pytest.fixture(scope='module')
def small():
    """(D, its variables at the start) of images of 8 pixels."""
    d = r3gan.Discriminator(image_size=8, widths='16,8', blocks=2)
    return d, jax.jit(d.init)(KEY, jnp.zeros((1, 8, 8, 3)))


def test_at_the_start_d_is_linear_and_its_gradient_the_same_everywhere(small):
    d, variables = small
    logits = jax.jit(partial(d.apply, variables))
    x, fake = jax.random.normal(KEY, (2, 3, 8, 8, 3))
    np.testing.assert_allclose(
        logits(2 * x - fake), 2 * logits(x) - logits(fake), atol=1e-4
    )
    r1, r2 = (float(penalties.r1(logits, images, 2.0)) for images in (x, fake))
    assert r1 > 1e-4
    np.testing.assert_allclose(r1, r2, rtol=1e-4)


def test_a_block_has_activations_between_its_convolutions_alone():
    """h + W3 a(b2 + K a(b1 + W1 h)): nothing on the trunk, no bias at the end."""
    block = r3gan.Block(group=4, total=1)
    h = jax.random.normal(KEY, (2, 3, 5, 6))
    shapes = jax.eval_shape(block.init, KEY, h)['params']
    draw = np.random.default_rng(0)
    p = jax.tree.map(lambda s: draw.normal(size=s.shape).astype(np.float32), shapes)
    assert sum(v.size for v in jax.tree.leaves(p)) == 4 * 6**2 + (4 + 2 * 9 * 4) * 6
    assert 'bias' not in p['Conv_1']

    def leaky(x):
        return np.where(x > 0, x, 0.2 * x)

    y = leaky(h @ p['Conv_0']['kernel'][0, 0] + p['Conv_0']['bias'])
    k = p['_Grouped_0']['kernel']
    padded = np.pad(y, ((0, 0), (1, 1), (1, 1), (0, 0)))
    z = np.zeros_like(y)
    for g in range(3):
        own = slice(4 * g, 4 * g + 4)
        for i in range(3):
            for j in range(3):
                z[..., own] += padded[:, i : i + 3, j : j + 5, own] @ k[i, j, :, own]
    z = leaky(z + p['_Grouped_0']['bias'])
    expected = h + z @ p['Conv_1']['kernel'][0, 0]
    with convolutions.plain():
        found = block.apply({'params': p}, h)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)


def test_weights_keep_the_scale_of_what_goes_through(small):
    """N(0, g^2 / inputs): deviations as Huang et al. have them, W3 zero."""
    d = r3gan.Discriminator(image_size=8, widths='256,64', blocks=1)
    p = jax.jit(d.init)(KEY, jnp.zeros((1, 8, 8, 3)))['params']
    gain = np.sqrt(2 / 1.04) * 2**-0.25  # of two blocks
    for kernel, deviation in (
        (p['Block_1']['Conv_0']['kernel'], gain / 16),
        (p['Block_1']['_Grouped_0']['kernel'], gain / 12),
        (p['Conv_1']['kernel'], 1 / 8),
        (p['basis'], 1 / 4),
    ):
        np.testing.assert_allclose(np.std(kernel), deviation, rtol=0.03)
    assert not p['Block_0']['Conv_1']['kernel'].any()


@pytest.mark.parametrize(
    'fields, said',
    [
        ({'widths': '64,32'}, "widths='64,32' is of 2 resolutions.* have 4"),
        ({'widths': '64,32,16,wide'}, 'whole numbers'),
        ({'widths': '64,32,16,12'}, 'widths=12.*multiple of group=16'),
        ({'width': 4}, 'width=4'),
    ],
)
def test_widths_that_do_not_fit_are_one_line(fields, said):
    with pytest.raises(UserError, match=said) as found:
        r3gan.Generator(image_size=32, **fields).plan()
    assert '\n' not in str(found.value)
