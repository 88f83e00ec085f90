"""The hierarchy in NumPy, its count of parameters, and the strings that lay it out."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import erf

from gan_vae import models
from gan_vae.errors import UserError
from gan_vae.models import vdvae

PUBLISHED = {
    'encoder_blocks': '32x11,32d2,16x6,16d2,8x6,8d2,4x3,4d4,1x3',
    'decoder_blocks': '1x1,4m1,4x2,8m4,8x5,16m8,16x10,32m16,32x21',
}


def test_published_strings():
    down = vdvae.encoder_blocks(PUBLISHED['encoder_blocks'], 32)
    up = vdvae.decoder_blocks(PUBLISHED['decoder_blocks'], 32)
    assert len(down) == 33 and len(up) == 43
    assert [block for block in down if block[1] > 1] == [
        (32, 2),
        (16, 2),
        (8, 2),
        (4, 4),
    ]
    assert up[:4] == [(1, 0), (4, 1), (4, 4), (4, 4)] and up[-1] == (32, 32)


@pytest.mark.parametrize(
    'key, text, said',
    [
        ('encoder_blocks', '8x2,8z2', "'8z2' is not like 8x2 or 8d2"),
        ('encoder_blocks', '8d2,8x1', '8x1 where there are 4x4 pixels'),
        ('encoder_blocks', '8d3', '8 does not divide by 3'),
        ('encoder_blocks', '8x0', "'8x0' is not like"),
        ('decoder_blocks', '2x1,,8m2', "'' is not like 8x2 or 8m2"),
        ('decoder_blocks', '2x1,8m1', '8m1 cannot repeat the 2x2 pixels'),
        ('decoder_blocks', '2x1,8x1', 'write 8m2 first'),
        ('decoder_blocks', '2x3', 'ends at 2 pixels'),
        ('decoder_blocks', '1x1,8m1', 'has no 1x1 pixels, but 2, 8'),
    ],
)
def test_strings_that_do_not_fit_are_one_line(key, text, said):
    blocks = {'encoder_blocks': '8x1,8d4', 'decoder_blocks': '2x1,8m2'} | {key: text}
    net = models.make('hierarchy', 'vdvae', image_size=8, **blocks)
    with pytest.raises(UserError, match=said) as error:
        net.layout  # noqa: B018
    assert f'config.model.{key}=' in str(error.value)
    assert '\n' not in str(error.value)


def count_by_hand(encoder_blocks, decoder_blocks, size, width):
    """Of the blocks' convolutions, with 16 latents and 10 logistics of colour."""

    def block(inputs, outputs, res, m=width // 4):
        middle = 2 * ((9 if res > 2 else 1) * m * m + m)
        return inputs * m + m + middle + m * outputs + outputs

    total = 27 * width + width + 2 * width + width * 100 + 100
    for res, _ in vdvae.encoder_blocks(encoder_blocks, size):
        total += block(width, width, res)
    for res, source in vdvae.decoder_blocks(decoder_blocks, size):
        total += block(2 * width, 32, res) + block(width, 32 + width, res)
        total += block(width, width, res) + 16 * width + width
        total += (source != res) * res * res * width
    return total


def test_parameters_of_the_published_networks():
    """39M of Child 2021 for CIFAR-10, 119M and 125M for ImageNet of 32 and 64 pixels:
    the first counted in the network, too."""
    fields = {'width': 384, 'latent_dim': 16, 'outputs': 100, **PUBLISHED}
    net = models.make('hierarchy', 'vdvae', dtype=jnp.bfloat16, **fields)  # quicker
    x = jnp.zeros((1, 32, 32, 3))
    params = jax.eval_shape(lambda: net.init(jax.random.key(0), x))['params']
    count = sum(leaf.size for leaf in jax.tree.leaves(params))
    assert count == count_by_hand(**PUBLISHED, size=32, width=384) == 39_145_700
    down = '32x15,32d2,16x9,16d2,8x8,8d2,4x6,4d4,1x6'
    up = '1x2,4m1,4x4,8m4,8x9,16m8,16x19,32m16,32x40'
    assert round(count_by_hand(down, up, 32, 512) / 1e6) == 119
    down = '64x11,64d2,32x20,32d2,16x9,16d2,8x8,8d2,4x7,4d4,1x5'
    up = '1x2,4m1,4x3,8m4,8x7,16m8,16x15,32m16,32x31,64m32,64x12'
    assert round(count_by_hand(down, up, 64, 512) / 1e6) == 125


SMALL = {
    'image_size': 8,
    'width': 8,
    'latent_dim': 3,
    'outputs': 5,
    'encoder_blocks': '8x1,8d4,2x1,2d2,1x1',
    'decoder_blocks': '1x2,2m1,8m2,8x1',
}


@pytest.fixture(scope='module')
def small():
    net = models.make('hierarchy', 'vdvae', **SMALL)
    x = jax.random.uniform(jax.random.key(1), (2, 8, 8, 3), minval=-1)
    return net, x, jax.jit(net.init)(jax.random.key(0), x)['params']


@pytest.mark.slow
def test_begins_as_published(small):
    """Zero priors; the last convolutions of n blocks have 1/n of the variance."""
    net, _, params = small
    for number in range(5):
        last = params[f'groups_{number}']['prior_block']['Conv_3']
        assert not np.any(last['kernel']) and not np.any(last['bias'])

    def limit(*path):
        kernel = params
        for name in path:
            kernel = kernel[name]
        return np.abs(kernel['kernel']).max() * np.sqrt(kernel['kernel'][..., 0].size)

    for found, expected in (
        (limit('encoder', 'Block_2', 'Conv_3'), 1 / 5),
        (limit('groups_3', 'block', 'Conv_3'), 1 / 5),
        (limit('groups_3', 'z_proj'), 1 / 5),
        (limit('groups_3', 'posterior_block', 'Conv_3'), 1),
        (limit('head', 'Conv_0'), 1),
    ):
        assert 0.7 * np.sqrt(expected) < found <= np.sqrt(expected) * 1.0001
    shapes = params['groups_3']['block'], params['groups_2']['block']
    assert [s['Conv_1']['kernel'].shape[0] for s in shapes] == [3, 1]


def numpy_conv(p, x):
    k, pad = np.asarray(p['kernel'], np.float64), p['kernel'].shape[0] // 2
    size = x.shape[1]
    x = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    return np.asarray(p['bias'], np.float64) + sum(
        x[:, i : i + size, j : j + size] @ k[i, j]
        for i in range(len(k))
        for j in range(len(k))
    )


def numpy_block(p, x):
    for number in range(4):
        x = numpy_conv(p[f'Conv_{number}'], x * (1 + erf(x / np.sqrt(2))) / 2)
    return x


def test_network_in_numpy(small):
    net, images, params = small
    leaves, tree = jax.tree.flatten(params)
    rng = np.random.default_rng(0)
    moved = [a + 0.3 * rng.normal(size=a.shape).astype(np.float32) for a in leaves]
    params = jax.tree.unflatten(tree, moved)
    outputs, posteriors = jax.jit(net.apply)({'params': params}, images)

    p = params['encoder']
    x = numpy_conv(p['Conv_0'], 2 * np.asarray(images, np.float64))
    seen = {8: x}
    for number, pool in enumerate([1, 4, 1, 2, 1]):
        x = x + numpy_block(p[f'Block_{number}'], x)
        size = x.shape[1] // pool
        x = x.reshape(2, size, pool, size, pool, 8).mean((2, 4))
        seen[size] = x
    x = np.zeros((2, 1, 1, 8))
    for number, (res, new) in enumerate([(1, 1), (1, 0), (2, 1), (8, 1), (8, 0)]):
        p = params[f'groups_{number}']
        if new:
            x = np.kron(x, np.ones((res // x.shape[1],) * 2 + (1,))) + p['bias']
        mean, log_deviation = np.split(
            numpy_block(p['posterior_block'], np.concatenate([x, seen[res]], -1)), 2, -1
        )
        for ours, theirs in zip(
            posteriors[number], (mean, 2 * log_deviation), strict=True
        ):
            np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-3)
        x = (
            x
            + numpy_block(p['prior_block'], x)[..., 6:]
            + numpy_conv(p['z_proj'], mean)
        )
        x = x + numpy_block(p['block'], x)
    p = params['head']
    expected = numpy_conv(p['Conv_0'], x * p['gain'] + p['bias'])
    np.testing.assert_allclose(outputs, expected, rtol=1e-3, atol=2e-3)
