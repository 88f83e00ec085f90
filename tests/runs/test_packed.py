"""A packed model is the model, and a damaged one is refused before it is unpacked."""

import json
import zipfile

import jax
import numpy as np
import pytest

from gan_vae import config as config_lib
from gan_vae.data import licences
from gan_vae.errors import UserError
from gan_vae.evaluation.run import evaluate_run
from gan_vae.learning.state import named_leaves
from gan_vae.runs import folder, opened, packed

ABOUT = {'config': 'a', 'step': 7, 'git_commit': ''}


@pytest.fixture(scope='module')
def model(tmp_path_factory):
    """(config, weights) of a tiny VAE."""
    config = config_lib.load('configs/vae_mnist.py:tiny', {})
    folder = tmp_path_factory.mktemp('model')
    (folder / 'config.json').write_text(config_lib.to_json(config))
    method = opened.model_of(folder).method
    return config, jax.jit(method.init)(jax.random.key(0)).weights()


@pytest.mark.parametrize('half', [False, True])
def test_it_comes_back_as_it_was(model, tmp_path, half):
    config, weights = model
    size = packed.pack(config, (), weights, ABOUT, tmp_path, half)
    assert size == (tmp_path / packed.WEIGHTS).stat().st_size
    again = opened.load(tmp_path)
    assert again.record['step'] == 7 and again.config.to_dict() == config.to_dict()
    wanted = named_leaves(weights.averaged)
    for name, leaf in named_leaves(again.weights.averaged).items():
        assert leaf.dtype == wanted[name].dtype
        expected = wanted[name].astype(np.float16) if half else wanted[name]
        np.testing.assert_array_equal(leaf, expected)
    with pytest.raises(UserError, match='of one step'):
        opened.load(tmp_path, 7)


def test_it_is_measured_like_a_run(model, tmp_path):
    config, weights = model
    packed.pack(config, (), weights, ABOUT, tmp_path, False)
    found = evaluate_run(tmp_path, metrics='swd', num=20)
    assert set(found) >= {'eval/swd'} and 'step 7' in found['eval/swd']['protocol']
    assert not (tmp_path / 'evaluation.jsonl').exists()
    for metrics, message in (('', 'say what to measure'), ('sdw', "mean 'swd'")):
        with pytest.raises(UserError, match=message):
            evaluate_run(tmp_path, metrics=metrics)


def test_numbers_that_have_no_half_are_refused(model, tmp_path):
    config, weights = model
    large = jax.tree.map(lambda leaf: leaf + 7e4, weights.averaged)
    large = weights.replace(averaged=large)
    with pytest.raises(UserError, match='above 65504'):
        packed.pack(config, (), large, ABOUT, tmp_path, True)
    assert not list(tmp_path.iterdir())


def change(arrays, how):
    first = next(iter(arrays))
    if how == 'missing':
        del arrays[first]
    elif how == 'more':
        arrays['more'] = np.zeros(3)
    elif how == 'shape':
        arrays[first] = arrays[first].T[:1]
    elif how == 'large':
        arrays[first] = np.zeros(arrays[first].size * 2 + 2000, np.float32)
    elif how == 'pickled':
        arrays[first] = np.array([print], object)
    elif how == 'text':
        arrays[first] = arrays[first].astype(str)


@pytest.mark.parametrize(
    'how, message',
    [
        ('missing', 'other arrays'),
        ('more', 'other arrays'),
        ('shape', 'cannot be used'),
        ('large', 'too large'),
        ('pickled', 'cannot be used'),
        ('text', 'cannot be used'),
        ('no zip', 'not a zip file'),
        ('bomb', 'too large'),
        ('no step', 'cannot be used'),
    ],
)
def test_another_file_is_one_line(model, tmp_path, how, message):
    config, weights = model
    packed.pack(config, (), weights, ABOUT, tmp_path, False)
    file = tmp_path / packed.WEIGHTS
    arrays = dict(np.load(file))
    change(arrays, how)
    np.savez(file, **arrays)
    if how == 'no zip':
        file.write_bytes(b'text')
    elif how == 'bomb':
        with zipfile.ZipFile(file, 'w', zipfile.ZIP_DEFLATED) as archive:
            for name in arrays:
                archive.writestr(f'{name}.npy', bytes(50_000_000))
    elif how == 'no step':
        (tmp_path / packed.ABOUT).write_text(json.dumps({'config': 'a'}))
    with pytest.raises(UserError, match=message):
        opened.load(tmp_path)


def test_names_of_the_package_are_known():
    with pytest.raises(UserError, match='unknown pretrained model'):
        packed.find('pretrained:emoji_gam')
    assert packed.find('runs/a:b').as_posix() == 'runs/a:b'


@pytest.mark.parametrize('name', packed.names())
def test_shipped_models_carry_the_licence_of_what_they_saw(name):
    place = packed.find(f'pretrained:{name}')
    said = json.loads((place / 'about.json').read_text())['licence']
    data = folder.read_config(place).data
    if data.name != 'crops:pictures':  # a folder of the machine that trained it
        assert said == licences.of(data)
    assert not licences.asks(said)
    assert opened.load(f'pretrained:{name}').about['licence'] == said
