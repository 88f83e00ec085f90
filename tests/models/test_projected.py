"""Projected GAN: what is frozen, what goes through, and how scales are mixed."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from gan_vae.errors import UserError
from gan_vae.extractors import efficientnet_lite0
from gan_vae.models import projected

KEY = jax.random.key(0)


@pytest.fixture(scope='module')
def network():
    try:
        return projected._network()
    except UserError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize('corners', [True, False])
def test_images_are_enlarged_as_pytorch_does(corners):
    """By F.interpolate(mode='bilinear', align_corners=corners), of 3 a + 30 b."""
    a, b = jnp.meshgrid(jnp.arange(3.0), jnp.arange(2.0), indexing='ij')
    found = projected.enlarged((3 * a + 30 * b)[None, ..., None], 6, corners)
    a = [0, 1.2, 2.4, 3.6, 4.8, 6] if corners else [0, 0.75, 2.25, 3.75, 5.25, 6]
    b = [0, 6, 12, 18, 24, 30] if corners else [0, 0, 10, 20, 30, 30]
    expected = np.asarray(a)[:, None] + np.asarray(b)
    np.testing.assert_allclose(found[0, ..., 0], expected, atol=1e-5)


def test_scales_are_mixed_from_coarse_to_fine(network):
    """y_4 = up(P_4 C_4 f_4), y_i = up(P_i (y_{i+1} + C_i f_i)), all with biases."""
    features = projected.Features(size=64, width=4)
    x = jax.random.normal(KEY, (1, 32, 32, 3))
    variables = jax.eval_shape(lambda: features.init(KEY, x))
    assert variables.keys() == {'frozen'}  # nothing of it learns
    draw = np.random.default_rng(0)
    mixing = {
        name: jax.tree.map(lambda s: draw.normal(size=s.shape), layer)
        for name, layer in variables['frozen'].items()
        if name.startswith(('channels', 'scales'))
    }
    frozen = {n: v for n, v in network.items() if n in variables['frozen']} | mixing

    @jax.jit
    def both(frozen, x):
        enlarged = projected.enlarged(x, 64, corners=False)
        maps = list(efficientnet_lite0.maps(frozen, enlarged))
        return features.apply({'frozen': frozen}, x), maps

    outputs, maps = both(frozen, x)
    assert [y.shape[1:] for y in outputs] == [
        (32, 32, 4),
        (16, 16, 4),
        (8, 8, 8),
        (4, 4, 16),
    ]
    below = 0
    for i, block in reversed(list(enumerate((2, 4, 10, 15)))):
        c, p = (mixing[f'{name}_{i}'] for name in ('channels', 'scales'))
        mixed = maps[block] @ c['kernel'] + c['bias'] + below
        below = projected.enlarged(mixed, 2 * mixed.shape[1]) @ p['kernel'] + p['bias']
        np.testing.assert_allclose(outputs[i], below, rtol=2e-3, atol=2e-2)


class Taps(projected.Features):
    @nn.compact
    def __call__(self, x):
        return self.taps(x)


def test_features_are_those_of_the_extractor(network, monkeypatch):
    """Of an image in [-1, 1], where the extractor takes 0 to 255; b2 and b4 are its
    means over places."""
    monkeypatch.setattr(efficientnet_lite0, 'SIZE', 64)
    x = jax.random.uniform(KEY, (1, 64, 64, 3), minval=-1)

    @jax.jit
    def both(params, x):
        taps = Taps().apply({'frozen': params}, x)
        return taps, efficientnet_lite0.apply(params, 127 + 128 * x)

    taps, out = both(network, x)
    assert [t.shape[1:] for t in taps] == [
        (16, 16, 24),
        (8, 8, 40),
        (4, 4, 112),
        (2, 2, 320),
    ]
    for name, tap in zip(('b2', 'b4'), taps, strict=False):
        np.testing.assert_allclose(tap.mean((1, 2)), out[name], atol=1e-3)


def test_fixed_maps_are_drawn_by_the_seed_within_their_bounds():
    layer = projected._Frozen(6)
    x = jnp.zeros((1, 1, 1, 4))
    one, same, other = (layer.init(jax.random.key(k), x)['frozen'] for k in (0, 0, 1))
    np.testing.assert_array_equal(one['kernel'], same['kernel'])
    assert not np.array_equal(one['kernel'], other['kernel'])
    assert 0.3 < np.abs(one['kernel']).max() <= 0.5
    assert 0 < np.abs(one['bias']).max() <= 0.5


def test_all_logits_count_alike(monkeypatch):
    """Those of maps of 32, 16, 8 and 4 pixels: 25, 25, 25 and 1; means over heads would
    give the last one a quarter."""

    class Maps(nn.Module):
        size: int
        width: int
        dtype: None = None

        def __call__(self, x):
            return [
                jnp.ones((len(x), n, n, 2)) * x[:, :1, :1, :1] for n in (32, 16, 8, 4)
            ]

    monkeypatch.setattr(projected, 'Features', Maps)
    d = projected.Discriminator(width=2, projection_size=64)
    x = jax.random.normal(KEY, (3, 8, 8, 3))
    logits = jax.eval_shape(lambda: d.init_with_output(KEY, x)[0])
    assert logits.shape == (3, 25 + 25 + 25 + 1)


def test_latents_have_unit_length_and_images_are_not_squashed():
    z = jnp.array([[3.0, 4.0], [0.0, 1e-3]])
    np.testing.assert_allclose(jnp.mean(projected._unit(z) ** 2, -1), [1, 1], rtol=0.03)
    g = projected.Generator(image_size=32, width=2, twice='none')
    shapes = jax.eval_shape(lambda: g.init(KEY, z))
    params = jax.tree.map(lambda s: jnp.ones(s.shape), shapes['params'])
    head = params['Conv_0']
    assert head['bias'].shape == (3,)
    params = params | {'Conv_0': head | {'bias': jnp.full(3, 7.0)}}
    variables = {
        'params': params,
        'batch_stats': jax.tree.map(lambda s: jnp.ones(s.shape), shapes['batch_stats']),
        'spectral': jax.tree.map(lambda s: jnp.ones(s.shape), shapes['spectral']),
    }
    images = jax.jit(g.apply)(variables, z)
    assert images.shape == (2, 32, 32, 3) and float(images.max()) > 5
