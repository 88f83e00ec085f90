"""Sketches: read by an unpickler of arrays alone."""

import io
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from gan_vae.data import sketches
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
    path = Path(folder) / 'sketches' / sketches.SETS[name].name
    found = sketches.read(name, path)
    assert tuple(map(len, found.values())) == counts
    for drawings in found.values():
        assert all(d.shape[1] == 3 and len(d) > 1 for d in drawings)
        assert set(np.unique(drawings[0][:, 2])) <= {0, 1}


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
