"""The codec: exact both ways, as short as the bound, and never wrong pixels."""

import hashlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_vae import images, methods
from gan_vae.art import __main__ as art
from gan_vae.art import codec, compressed
from gan_vae.data.source import Spec
from gan_vae.errors import UserError
from gan_vae.methods.contract import Coder
from gan_vae.objectives import bounds, likelihoods


@pytest.fixture
def config(config_of):
    return config_of('vae')


@pytest.fixture
def binary(config):
    """Method and state of a small VAE of binary 8x8 pixels."""
    config.data.binarize, config.method.likelihood = 'threshold', 'bernoulli'
    return vae(config, Spec(8, 8, 1))


def vae(config, spec):
    config.model.encoder = config.model.decoder = 'mlp'
    config.model.width, config.model.latent_dim = 16, 4
    method = methods.make(config, spec)
    return method, jax.jit(method.init)(jax.random.key(0)).weights()


def as_seen(levels, top):
    return jnp.asarray(2 * levels.astype(np.float32) / top - 1)


def bits(coded):
    return 32 * (len(coded.words) - coded.initial)


@pytest.mark.slow
@pytest.mark.parametrize('likelihood', ['bernoulli', 'categorical', 'logistic_mixture'])
def test_images_come_back_and_cost_the_bound(config, likelihood):
    config.method.likelihood = likelihood
    config.data.binarize = 'threshold' if likelihood == 'bernoulli' else 'none'
    config.method.mixtures = 2
    method, state = vae(config, Spec(8, 8, 3))
    # calm: codes near the prior, without which the bits that come back are no noise
    state = state.replace(averaged=jax.tree.map(lambda x: 0.3 * x, state.averaged))
    coder = method.density.coder(state)
    top = coder.likelihood.levels - 1
    rng = np.random.default_rng(0)
    levels = rng.integers(0, top + 1, (50, 8, 8, 3)).astype(np.uint8)  # 3 batches and 2
    coded = codec.encode(coder, levels)
    np.testing.assert_array_equal(
        codec.decode(coder, coded, 50, levels.shape[1:]), levels
    )
    keys = jax.random.split(jax.random.key(1), 8)
    x = as_seen(levels, top)
    nats = -np.mean([method.density.elbo(state, key, x).sum() for key in keys])
    assert bits(coded) == pytest.approx(nats / np.log(2), rel=0.01)


def two_groups(likelihood) -> Coder:
    """z_1 ~ N(0, 1), z_2 ~ N(z_1, 1/4), pixels of logit 3 z_2; posteriors by hand."""

    def posterior(group, carry, features):
        if group == 0:
            return 0.5 * features, jnp.full_like(features, np.log(0.1))
        return carry + 0.3 * features, jnp.full_like(features, np.log(0.02))

    return Coder(
        groups=2,
        features=lambda x: jnp.mean(x, axis=(1, 2)),
        start=lambda n: jnp.zeros((n, 1)),
        prior=lambda group, carry: (
            carry,
            jnp.full_like(carry, np.log(0.25) if group else 0.0),
        ),
        posterior=posterior,
        descend=lambda group, carry, z: z,
        outputs=lambda z: jnp.broadcast_to(3 * z[:, None, None], (len(z), 4, 4, 1)),
        likelihood=likelihood,
        params={},
    )


def test_two_groups_cost_their_bound():
    coder = two_groups(likelihoods.bernoulli(1))
    rng = np.random.default_rng(0)
    levels = (rng.random((12_000, 4, 4, 1)) < rng.random((12_000, 1, 1, 1))).astype(
        'u1'
    )
    coded = codec.encode(coder, levels)
    np.testing.assert_array_equal(codec.decode(coder, coded, 12_000, (4, 4, 1)), levels)
    x, expected = as_seen(levels, 1), []
    for _ in range(20):
        carry, total = coder.start(12_000), 0.0
        for group in range(2):
            q = coder.posterior(group, carry, coder.features(x))
            p = coder.prior(group, carry)
            z = bounds.sample_gaussian(rng.standard_normal((12_000, 1)), *q)
            total += float(jnp.sum(bounds.kl_gaussians(*q, *p)))
            carry = coder.descend(group, carry, z)
        explained = coder.likelihood.log_prob({}, coder.outputs(carry), x)
        expected.append(total - float(jnp.sum(explained)))
    # posteriors that are not the true ones: the bits that choose z are not quite random
    assert bits(coded) == pytest.approx(np.mean(expected) / np.log(2), rel=0.015)


@pytest.mark.slow
def test_a_hierarchy_costs_its_bound(config_of):
    config = config_of('hierarchical_vae')
    config.update_from_flattened_dict(
        {
            'method.likelihood': 'logistic_mixture',
            'method.mixtures': 2,
            'model.width': 8,
            'model.latent_dim': 2,
            'model.encoder_blocks': '8d2,4d4,1x1',
            'model.decoder_blocks': '1x1,4m1,8m4',
        }
    )
    method = methods.make(config, Spec(8, 8, 3))
    state = jax.jit(method.init)(jax.random.key(0)).weights()
    levels = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 3)).astype(np.uint8)
    coder = method.density.coder(state)
    coded = codec.encode(coder, levels)
    np.testing.assert_array_equal(
        codec.decode(coder, coded, 40, levels.shape[1:]), levels
    )
    bound = jax.jit(method.density.elbo)
    keys = jax.random.split(jax.random.key(1), 4)
    nats = -np.mean([bound(state, key, as_seen(levels, 255)).sum() for key in keys])
    # levels that are not as the model says: the bits that choose z are not quite random
    assert bits(coded) == pytest.approx(nats / np.log(2), rel=0.02)


def test_the_first_image_alone_borrows(binary):
    """Sixteen at once would borrow for all of them."""
    method, state = binary
    coder = method.density.coder(state)
    rng = np.random.default_rng(0)
    levels = rng.integers(0, 2, (200, 8, 8, 1)).astype(np.uint8)
    one, many = (codec.encode(coder, levels[:n]).initial for n in (1, 200))
    assert one == many == codec.START
    sizes = [s.stop - s.start for s in codec._batches(200)]
    assert sum(sizes) == 200 and sizes[:17] == [1] * 16 + [2]
    assert max(s.stop - s.start for s in codec._batches(1000)) == codec.BATCH


def test_densities_have_no_codec(config):
    config.method.likelihood = 'gaussian'
    method, state = vae(config, Spec(8, 8, 1))
    with pytest.raises(UserError, match='density of pixels'):
        codec.encode(method.density.coder(state), np.zeros((1, 8, 8, 1), np.uint8))


def test_another_model_gives_no_pixels(binary, config):
    method, state = binary
    levels = np.random.default_rng(0).integers(0, 2, (20, 8, 8, 1)).astype(np.uint8)
    coded = codec.encode(method.density.coder(state), levels)
    other = jax.jit(method.init)(jax.random.key(1)).weights()
    with pytest.raises(UserError, match='do not come out even'):
        codec.decode(method.density.coder(other), coded, 20, (8, 8, 1))


@pytest.fixture
def run(binary, monkeypatch):
    """A folder that loads as a run with the binary VAE."""
    method, state = binary
    about = {'state_sha256': 'ab' * 32, 'config': 'small', 'step': 1}
    monkeypatch.setattr(compressed, 'load', lambda _: (method, state, about))
    return about


@pytest.fixture
def file(run, binary, tmp_path):
    method, state = binary
    levels = np.random.default_rng(0).integers(0, 2, (20, 8, 8, 1)).astype(np.uint8)
    coded = codec.encode(method.density.coder(state), levels)
    header = {
        'model': run['state_sha256'],
        'count': 20,
        'shape': [8, 8, 1],
        'levels': 2,
        'initial': coded.initial,
        'images': compressed._hash(levels),
        'jax': jax.__version__,
    }
    compressed.write(tmp_path / 'x', header, coded.words)
    return tmp_path / 'x'


def test_every_cut_and_every_flipped_bit_is_refused(file, run, tmp_path):
    whole = file.read_bytes()
    assert compressed.decode('run', file, tmp_path / 'out') == 20
    wrong = [whole[:n] for n in range(0, len(whole), 64)] + [b'PNG' + whole]
    rng = np.random.default_rng(0)
    for place in rng.integers(0, len(whole), 50):
        altered = bytearray(whole)
        altered[place] ^= 1 << rng.integers(8)
        wrong.append(bytes(altered))
    for content in wrong:
        file.write_bytes(content)
        with pytest.raises(UserError, match='cut short|no file of this') as found:
            compressed.decode('run', file, tmp_path / 'out')
        assert '\n' not in str(found.value)


@pytest.mark.parametrize(
    'change, said',
    [
        ({'model': 'cd' * 32}, 'written by another model'),
        ({'count': 21}, 'even|bits differ'),
        ({'count': 10**12}, 'damaged header'),
        ({'shape': [8, 8]}, 'damaged header'),
        ({'shape': [8, 8, '1']}, 'damaged header'),
        ({'initial': -1}, 'damaged header'),
        ({'images': '00' * 32}, 'cannot be read on this machine'),
        ({'levels': 256}, 'levels'),
        ({'shape': [4, 16, 1]}, 'pictures of'),
    ],
)
def test_a_header_that_lies_is_refused(file, run, tmp_path, change, said):
    header, words = compressed.read(file)
    compressed.write(file, header | change, words)
    with pytest.raises(UserError, match=said):
        compressed.decode('run', file, tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('header', [b'', b'[]', b'{}', b'null', b'{"count": 1}', b'x'])
def test_a_header_that_is_none_is_refused(tmp_path, header):
    body = compressed.MAGIC + len(header).to_bytes(4, 'little') + header + bytes(8)
    file = tmp_path / 'x'
    file.write_bytes(body + hashlib.sha256(body).digest())
    with pytest.raises(UserError, match='damaged header'):
        compressed.read(file)


def test_what_is_no_picture_is_left_out_with_a_line(make_model, tmp_path, capsys):
    small = {'data.image_size': '8', 'model.encoder': 'mlp', 'model.decoder': 'mlp'}
    small['method.likelihood'] = 'categorical'
    model = make_model(tmp_path, 'vae_emoji', **small)
    rng = np.random.default_rng(0)
    for number in range(3):
        image = rng.integers(0, 256, (8, 8, 3)).astype(np.uint8)
        images.save_png(tmp_path / 'in' / f'{number}.png', image)
    for name in ('.DS_Store', 'notes.txt'):
        (tmp_path / 'in' / name).write_text('no picture')
    words = ['codec', 'encode', f'--workdir={model}', f'--out={tmp_path / "x"}']
    assert art.main([*words, f'--data={tmp_path / "in"}']) == 0
    lines = capsys.readouterr().out
    assert 'left out notes.txt (not an image)\n' in lines and '3 images in' in lines
    assert 'no smaller than PNG' in lines  # of noise
    words = ['codec', 'decode', f'--workdir={model}', str(tmp_path / 'x')]
    assert art.main([*words, f'--out={tmp_path / "o"}']) == 0
    assert len([*(tmp_path / 'o').glob('*.png')]) == 3
    # a shipped model is found by its name: this one has no probabilities of pixels
    words = ['codec', 'encode', '--workdir=pretrained:emoji_vae', '--num=2']
    assert art.main([*words, f'--out={tmp_path / "y"}']) == 2
    assert 'a codec needs probabilities' in capsys.readouterr().err
