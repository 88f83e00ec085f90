"""Styles of layers: mixed by rows and columns, truncated, projected, bred."""

import numpy as np
import pytest

from gan_vae.art import latents, making, provenance
from gan_vae.art import sample as sample_of_run
from gan_vae.art.tools import find, mix
from gan_vae.errors import UserError
from gan_vae.methods import sampling

CLASSES = ('cat', 'dog', 'owl')
GROUPS = (2, 2, 2, 2)


@pytest.fixture(scope='module')
def folder(tmp_path_factory, make_model):
    overrides = {'data.image_size': '8', 'model.latent_dim': '4'}
    where = tmp_path_factory.mktemp('styles')
    return make_model(where, 'stylegan2_cifar', classes=CLASSES, **overrides)


@pytest.fixture(scope='module')
def model(folder, opened):
    return opened(folder)


def test_layers_of_columns_and_the_others_of_rows():
    rows, columns = np.arange(16.0).reshape(2, 8), -np.arange(24.0).reshape(3, 8)
    mixed = mix.crossed(rows, columns, range(1, 3), GROUPS)
    assert mixed.shape == (6, 8)
    expected = [*rows[1, :2], *columns[2, 2:6], *rows[1, 6:]]
    np.testing.assert_array_equal(mixed[5], expected)


@pytest.mark.parametrize(
    'text, expected', [('', (0, 1)), ('2', (2,)), ('1-3', (1, 2, 3))]
)
def test_layers_by_words(text, expected):
    assert tuple(mix._layers(text, 4)) == expected
    for wrong in ('4', '2-1', 'fine', '0-'):
        with pytest.raises(UserError, match=f'--layers={wrong}: give A-B, of the lay'):
            mix._layers(wrong, 4)


@pytest.mark.slow
def test_styles_are_what_latents_become(model):
    """Decoded they are the pictures of the latents; truncated to 0 they are the mean of
    the averaged generator."""
    method, weights = model.method, model.weights
    styled = latents.styled(model)
    assert styled.method.latents.groups == (8,) * 4  # style_dim of :tiny
    z = sampling.latents(method, 3, 6)
    w = sampling.styles(method, weights, z)
    made = [p.image for p in latents.pictures(styled, w)]
    of_latents = sampling.decode(method, weights, z, np.arange(6) % 3)
    np.testing.assert_array_equal(made, of_latents)
    mean = np.linspace(-1, 1, 8, dtype=np.float32)
    g = weights.averaged['generator'] | {'styles': {'mean': mean}}
    trained = weights.replace(averaged={'generator': g})
    still = sampling.styles(method, trained, z, truncation=0.0)
    np.testing.assert_allclose(still, np.tile(mean, (6, 4)), atol=1e-6)
    half = sampling.styles(method, trained, z, truncation=0.5)
    np.testing.assert_allclose(half, (still + w) / 2, atol=1e-6)


def test_truncated_samples_are_those_of_truncated_styles(model, folder):
    law = model.method, model.weights
    z = sampling.latents(model.method, 0, 5)
    styles = sampling.styles(*law, z, np.arange(5) % 3, 0.3)
    expected = [p.image for p in latents.pictures(latents.styled(model), styles)]
    drawn = sampling.draw(*law, 0, 5, truncation=0.3)
    np.testing.assert_array_equal(drawn, expected)
    out = sample_of_run.sample(folder, 5, truncation=0.3)
    item = provenance.read_input(str(out / '00002.png'))
    assert 'styles' in item.provenance and 'latent' not in item.provenance
    found, label = latents.of_input(latents.space_of(model, [item]), item, 0)
    np.testing.assert_allclose(found, styles[2], atol=1e-6)
    assert label == 2


def command(name, words, folder, out, **flags):
    """The Result of a command."""
    from argparse import Namespace

    from gan_vae.art import tools

    values = tools.defaults(find(name)) | {'workdir': str(folder), 'out': str(out)}
    return making.make(name, [str(w) for w in words], Namespace(**values | flags))[1]


def test_a_mix_of_one_with_itself_is_itself_and_goes_on(folder, model, tmp_path):
    result = command('mix', (4, 4, 7), folder, tmp_path / 'a', layers='1-2')
    z = sampling.latents(model.method, 0, 5)[4:]
    own = sampling.decode(model.method, model.weights, z, 4 % len(CLASSES))
    np.testing.assert_array_equal(result.pictures[0].image, own[0])
    assert len(result.pictures) == 2
    assert np.not_equal(result.pictures[1].image, own[0]).any()
    # what it writes carries styles, and may be mixed, bred and walked to again
    made = tmp_path / 'a' / '00001.png'
    for name, flags in (
        ('mix', {}),
        ('breed', {'num': 3}),
        ('interpolate', {'num': 3}),
    ):
        again = command(name, (made, 2), folder, tmp_path / name, **flags)
        assert 'styles' in again.pictures[0].provenance
        if name == 'interpolate':
            np.testing.assert_array_equal(
                again.pictures[0].image, result.pictures[1].image
            )
    with pytest.raises(UserError, match='carries styles, and this is of latents'):
        command('directions', (made,), folder, tmp_path / 'b')


def test_children_by_groups_have_whole_layers(folder, model, tmp_path):
    flags = {'how': 'groups', 'mutation': 0.0, 'num': 20}
    result = command('breed', (1, 2), folder, tmp_path / 'a', **flags)
    parents = latents.of_inputs(
        latents.styled(model), [provenance.read_input(w) for w in '12'], 0
    )[0].reshape(2, 4, 8)
    seen = set()
    for picture in result.pictures:
        w = latents.unpacked('', picture.provenance['styles'], 32).reshape(4, 8)
        chosen = [int(np.abs(parents[1, n] - w[n]).max() < 1e-6) for n in range(4)]
        picked = parents[chosen, np.arange(4)]
        np.testing.assert_allclose(w, picked, atol=1e-6)
        seen.add(tuple(chosen))
    assert len(seen) > 6


@pytest.mark.slow
def test_a_projection_into_styles_comes_nearer(folder, tmp_path):
    first = command('sample', (), folder, tmp_path / 'a', num=2)
    assert len(first.pictures) == 2
    target, found = tmp_path / 'a' / '00001.png', {}
    for space in ('latents', 'styles'):
        flags = {'space': space, 'steps': 60, 'restarts': 2, 'seed': 5}
        result = command('project', (target,), folder, tmp_path / space, **flags)
        found[space] = result.pictures[0].provenance['psnr']
    assert found['styles'] > found['latents']


def test_models_without_styles_are_told_apart(models, tmp_path):
    with pytest.raises(UserError, match='needs a style for each layer, as a stylegan2'):
        command('mix', (1, 2), models['dcgan_emoji'], tmp_path / 'a')
