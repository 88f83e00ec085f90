"""Squares out of pictures of any size."""

import numpy as np
import pytest
from PIL import Image

from gan_vae import config as config_lib
from gan_vae import data
from gan_vae.data.readers import crops
from gan_vae.errors import UserError


def settings(folder, **more):
    name = {'data.name': f'crops:{folder}', 'data.image_size': '16'}
    config = config_lib.load('configs/restore.py', name | more)
    return config.data


@pytest.fixture
def folder(tmp_path):
    random = np.random.default_rng(0)
    for name, shape in {'a': (40, 64), 'b': (16, 16), 'small': (8, 99)}.items():
        pixels = random.integers(0, 256, (*shape, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / f'{name}.png')
    Image.new('RGB', (64, 64), 'red').save(tmp_path / 'flat.png')
    (tmp_path / 'notes.txt').write_text('no picture')
    return tmp_path


def test_squares_overlap_by_half_at_each_scale(folder):
    found = data.examples(settings(folder), 'all')
    # 40x64: 4 x 7 at its size, 1 x 3 at a half; 16x16: one; flat ones are left out
    assert found.images.shape == (4 * 7 + 3 + 1, 16, 16, 3)
    whole = np.asarray(Image.open(folder / 'a.png'))
    np.testing.assert_array_equal(found.images[0], whole[:16, :16])
    np.testing.assert_array_equal(found.images[8], whole[8:24, 8:24])
    half = whole.reshape(20, 2, 32, 2, 3).mean((1, 3))
    assert np.abs(found.images[28] - half[:16, :16]).max() <= 1
    assert 'small.png (only 99x8)' in found.note and 'notes.txt' in found.note
    assert set(found.captions) == {'a.png', 'b.png'}


def test_a_large_picture_gives_some_of_its_squares_evenly(folder, monkeypatch):
    monkeypatch.setattr(crops, 'MOST', 5)
    squares = crops.of_picture(Image.open(folder / 'a.png'), 16, 1)
    assert len(squares) == 5 and squares[0].shape == (16, 16, 1)


def test_nothing_to_cut_is_one_line(tmp_path, folder):
    with pytest.raises(UserError, match='no squares of 128 pixels in'):
        data.examples(settings(folder, **{'data.image_size': '128'}), 'all')
    with pytest.raises(UserError, match='no folder'):
        data.examples(settings(tmp_path / 'none'), 'all')
