"""Sketches: read by an unpickler of arrays alone."""

import io
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from gan_vae import data
from gan_vae.data import packages, prepare, sketches
from gan_vae.errors import UserError


@pytest.mark.parametrize(
    'name, counts',
    [
        ('sketch_kanji', (10_000, 600, 500)),
        ('sketch_sheep', (7_400, 300, 300)),
        ('sketch_omniglot', (30_000, 1000, 1000)),
    ],
)
def test_files_hold_what_is_known_of_them(name, counts):
    folder = os.environ.get('GAN_VAE_TEST_DATA')
    if not folder:
        pytest.skip('set GAN_VAE_TEST_DATA to a folder with sketches/*.npz')
    path = Path(folder) / 'sketches' / sketches.SETS[name].file_name
    found = sketches.read(name, path)
    assert tuple(map(len, found.values())) == counts
    for drawings in found.values():
        assert all(d.shape[1] == 3 and 2 <= len(d) <= 250 for d in drawings)
        steps = np.concatenate(drawings)
        assert np.abs(steps[:, :2]).max() <= 600 and set(steps[:, 2]) == {0, 1}
        assert all(d[-1, 2] == 1 for d in drawings)


def test_prepared_and_read_back(tmp_path, capsys, config, monkeypatch):
    rng = np.random.default_rng(0)
    drawings = [rng.integers(-600, 600, (n, 3)).astype(np.int16) for n in (2, 9, 33, 5)]
    splits = {'train': drawings[:2], 'validation': drawings[2:3], 'test': drawings[3:]}
    monkeypatch.setattr(sketches, 'read', lambda name, path: splits)
    monkeypatch.setattr(packages, 'check', lambda path, _: path)
    flags = [f'--data_dir={tmp_path}', '--archive=any.npz']
    assert prepare.main(['sketch_sheep', *flags]) == 0
    said = capsys.readouterr().out
    assert 'configs/vrnn_kanji.py --config.data.name=sketch_sheep' in said
    config.data.name, config.data.dir = 'sketch_sheep', str(tmp_path)
    config.data.categories = ''
    for split, wanted in splits.items():
        found = data.examples(config.data, split)
        assert found.kind == 'strokes' and found.values[0].dtype == np.float32
        assert {v.tobytes() for v in found.values} == {
            d.astype(np.float32).tobytes() for d in wanted
        }
    config.data.categories = 'Food & Drink'
    with pytest.raises(UserError, match='sketch_sheep has none'):
        data.examples(config.data, 'train')


class _Bad:
    def __reduce__(self):
        return os.system, ('true',)


def test_a_pickle_of_anything_else_is_refused():
    file = io.BytesIO()
    drawings = np.empty(1, object)
    drawings[0] = np.ones((2, 3), np.int16)
    np.save(file, drawings, allow_pickle=True)
    np.testing.assert_array_equal(sketches.objects(file.getvalue())[0], drawings[0])
    drawings[0] = _Bad()
    file = io.BytesIO()
    np.save(file, drawings, allow_pickle=True)
    assert pickle.dumps(_Bad())  # it would run
    with pytest.raises(UserError, match='refused'):
        sketches.objects(file.getvalue())
