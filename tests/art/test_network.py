"""The tools that restore by a trained network: the commands of a user."""

from argparse import Namespace

import numpy as np
import pytest
from PIL import Image

import gan_vae as gv
from gan_vae import images
from gan_vae.art import __main__ as art
from gan_vae.art import filters, making, network, restoration
from gan_vae.art.tools import upscale
from gan_vae.errors import UserError

RANDOM = np.random.default_rng(0)


@pytest.fixture(scope='module')
def model(tmp_path_factory, make_model):
    """The folder of a network whose last layer is not 0."""
    folder = tmp_path_factory.mktemp('restore')
    made = make_model(folder, 'restore', **{'model.width': 4})
    weights = dict(np.load(made / 'weights.npz'))
    for name, leaf in weights.items():
        if not leaf.any():
            weights[name] = RANDOM.normal(size=leaf.shape).astype(np.float32) / 30
    np.savez(made / 'weights.npz', **weights)
    return made


@pytest.fixture
def photo(tmp_path):
    picture = RANDOM.integers(40, 200, (30, 45, 3), np.uint8)
    images.save_png(tmp_path / 'photo.png', picture)
    return picture, tmp_path / 'photo.png'


def run(model, tmp_path, *words, out='out'):
    place = f'--out={tmp_path / out}', *([f'--workdir={model}'] if model else [])
    return art.main([*map(str, words), *place])


def best(tmp_path, out='out'):
    return np.asarray(Image.open(tmp_path / out / '00000-best.png'))


@pytest.mark.slow
def test_a_picture_keeps_its_size_and_can_be_made_again(model, photo, tmp_path, capsys):
    picture, file = photo
    for out, words in {
        'blind': ['restore', file],
        'found': ['denoise', file],
        'told': ['denoise', file, '--sigma=30'],
        'sharp': ['deblur', file, '--radius=1'],
    }.items():
        assert run(model, tmp_path, *words, out=out) == 0
        assert best(tmp_path, out).shape == picture.shape
    np.testing.assert_array_equal(best(tmp_path, 'blind'), best(tmp_path, 'found'))
    assert (best(tmp_path, 'told') != best(tmp_path, 'found')).any()
    assert (best(tmp_path, 'sharp') != best(tmp_path, 'told')).any()
    capsys.readouterr()
    made = tmp_path / 'told/00000-best.png'
    again = 'reproduce', str(made), f'--workdir={model}', f'--out={tmp_path / "again"}'
    assert art.main(list(again)) == 0
    assert 'bit for bit' in capsys.readouterr().out


def test_what_is_seen_stays(model, photo, tmp_path):
    picture, file = photo
    assert run(model, tmp_path, 'inpaint', file, '--box=10,5,9,6') == 0
    hole = np.zeros(picture.shape[:2], bool)
    hole[5:11, 10:19] = True
    filled = best(tmp_path)
    np.testing.assert_array_equal(filled[~hole], picture[~hole])
    # far from what is seen a filter goes on: what is hidden has no part in it
    images.save_png(
        tmp_path / 'black.png', np.where(hole[..., None], 0, picture).astype(np.uint8)
    )
    black = tmp_path / 'black.png'
    assert run(model, tmp_path, 'inpaint', black, '--box=10,5,9,6', out='same') == 0
    np.testing.assert_array_equal(best(tmp_path, 'same'), filled)
    assert run(model, tmp_path, 'upscale', file, '--factor=2', out='large') == 0
    large = best(tmp_path, 'large').astype(float)
    assert large.shape == (60, 90, 3)
    means = large.reshape(30, 2, 45, 2, 3).mean((1, 3))
    inside = ((large > 0) & (large < 255)).reshape(30, 2, 45, 2, 3).all((1, 3))
    assert inside.mean() > 0.5
    assert np.abs(means - picture)[inside].max() <= 0.51


def test_python_restores_as_the_commands_do(model, photo, tmp_path):
    picture, file = photo
    opened = gv.open(model)
    commands = {
        'noise': (['denoise', file, '--sigma=30'], {'noise': 30}),
        'blur': (['deblur', file, '--radius=1'], {'blur': 1.0}),
        'blind': (['restore', file], {}),
    }
    for name, (words, told) in commands.items():
        assert run(model, tmp_path, *words, out=name) == 0
        np.testing.assert_array_equal(
            opened.restore(picture, **told), best(tmp_path, name)
        )
    even = picture.repeat(2, 0)[:32].repeat(2, 1)[:, :48]  # nothing is added to it
    apart = opened.translate(even[None])[0].astype(int) - opened.restore(even)
    assert np.abs(apart).max() <= 1
    hole = np.zeros(picture.shape[:2], bool)
    hole[5:11, 10:19] = True
    filled = opened.restore(picture, mask=hole)
    np.testing.assert_array_equal(filled[~hole], picture[~hole])
    assert opened.restore(picture, factor=4).shape == (120, 180, 3)
    for bad, message in (
        ({'noise': -1}, 'must be a number from 0 to 50'),
        ({'blur': 'much'}, 'must be a number from 0 to 3'),
        ({'quality': 0}, 'must be a number from 1 to 100'),
        ({'mask': hole | True}, 'leave something to be seen'),
        ({'factor': 3}, 'must be 1, 2 or 4'),
        ({'mask': hole[:4]}, 'give bool'),
        ({'mask': hole, 'factor': 2}, 'then enlarge'),
    ):
        with pytest.raises(UserError, match=message):
            opened.restore(picture, **bad)
    with pytest.raises(UserError, match='takes one picture'):
        opened.restore(picture[None])
    with pytest.raises(UserError, match='takes 3'):
        opened.translate(picture[None, ..., :1])
    with pytest.raises(UserError, match='restore needs a network that restores'):
        gv.open('pretrained:emoji_vae').restore(picture)


def test_a_large_hole_is_filled_by_both(model, tmp_path):
    picture = np.full((80, 80, 3), 100, np.uint8)
    images.save_png(tmp_path / 'plain.png', picture)
    file = tmp_path / 'plain.png'
    assert run(model, tmp_path, 'inpaint', file, '--box=10,10,60,60') == 0
    np.testing.assert_allclose(best(tmp_path)[38:42, 38:42], 100, atol=1)


def test_a_hole_too_large_for_its_own_size_is_filled_at_a_smaller_one(monkeypatch):
    """By means of what is seen of each block, whatever every n-th pixel is."""
    monkeypatch.setattr(filters, 'MOST', 0)
    monkeypatch.setattr(filters, 'SIDE', 16)
    ramp = np.linspace(-0.9, 0.9, 70)[:, None, None] + np.zeros((70, 61, 3), 'f4')
    missing = np.zeros((70, 61), bool)
    missing[20:50, 18:44] = True
    y = np.where(missing[..., None], 0.0, ramp)
    x, size = filters.plate(y, missing)
    assert size and np.abs(x - ramp).max() < 0.15
    np.testing.assert_array_equal(x[~missing], y[~missing])


def test_what_is_not_reached_before_ctrl_c_stays_as_it_was():
    y = RANDOM.uniform(-1, 1, (300, 20, 3)).astype(np.float32)
    mask, told = np.ones((300, 20, 1), np.float32), np.zeros(5, np.float32)

    def first(items, _):
        return iter(items[:1])

    x = network.restored(lambda weights, y, *_: 0 * y, {}, y, mask, told, first)
    assert not x[:200].any()
    np.testing.assert_array_equal(x[256:], y[256:])


@pytest.mark.parametrize(
    'words, message',
    [
        (['denoise', 'FILE', '--num=3'], 'restores in one pass'),
        (['denoise', 'FILE', '--restarts=3'], 'restores in one pass'),
        (['denoise', 'FILE', '--method=prior'], 'is for restoring without --workdir'),
        (['deblur', 'FILE', '--radius=9'], '--method=filter takes more'),
        (['denoise', 'FILE', '--sigma=60'], 'the network takes up to 50'),
        (['upscale', 'FILE', '--factor=3'], 'the network takes 2 or 4'),
        (['colourise', 'FILE'], 'needs a decoder'),
        (['inpaint', 'FILE', '--box=0,0,45,30'], 'leave something to be seen'),
        (['restore'], 'restore takes'),
    ],
)
def test_mistakes_are_one_line(model, photo, tmp_path, capsys, words, message):
    words = [str(photo[1]) if word == 'FILE' else word for word in words]
    assert run(model, tmp_path, *words) == 2
    error = capsys.readouterr().err
    assert message in error and error.count('\n') == 1


def test_the_network_of_the_package_is_taken_where_it_is_asked_for(
    photo, tmp_path, capsys
):
    _, file = photo
    assert run('', tmp_path, 'denoise', file, '--method=network') == 0
    assert f'by the network of {restoration.NETWORK}' in capsys.readouterr().out
    assert run('', tmp_path, 'restore', file, out='r') == 0
    assert restoration.NETWORK in capsys.readouterr().out
    made = tmp_path / 'out/00000-best.png'
    assert art.main(['reproduce', str(made), f'--out={tmp_path / "again"}']) == 0
    assert 'bit for bit' in capsys.readouterr().out


def test_upscale_takes_the_network_unless_a_flag_is_of_the_prior():
    usual = making.tools.defaults(upscale.TOOL)
    for change, model in (
        ({}, restoration.NETWORK),
        ({'factor': 3}, ''),
        ({'steps': 9}, ''),
        ({'method': 'prior'}, ''),
        ({'method': 'network', 'factor': 3}, restoration.NETWORK),
    ):
        assert upscale.TOOL.default(Namespace(**usual | change)) == model
