"""Readers are found by their module's name, one at a time, without JAX."""

import subprocess
import sys

import numpy as np
import pytest

from configs import default
from gan_vae import data
from gan_vae.data import readers
from gan_vae.errors import UserError

MINE = """
import numpy as np
from gan_vae.data.source import Examples
KIND, REST = 'images', 'GREY'
def load(rest, split, settings):
    shape = 3, settings.image_size, settings.image_size, settings.channels
    return Examples(np.full(shape, int(rest), np.uint8))
"""


def settings(name):
    section = default.get_config().data
    section.update(name=name, categories='')
    return section


def test_a_kind_is_known_without_jax_and_without_the_other_readers():
    code = """
import sys
from gan_vae import data
names = 'toy_rolls', 'folder:/a:b', 'drawings:x', 'jsb_chorales', 'sketch_kanji:1.0.0'
print(*map(data.kind_of, names), data.kind_of('cifar10'))
prefix = data.readers.__name__ + '.'
loaded = [m.removeprefix(prefix) for m in sys.modules if m.startswith(prefix)]
print(*sorted(loaded), *({'jax', 'tensorflow', 'PIL.ExifTags'} & {*sys.modules}))
"""
    command = [sys.executable, '-c', code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    kinds, loaded = done.stdout.splitlines()
    assert kinds == 'rolls images strokes rolls strokes images'
    assert loaded.split()[:3] == ['drawings', 'folder', 'toy_rolls']
    assert not {'zip', 'emoji', 'toy_shapes', 'jax', 'tensorflow'} & {*loaded.split()}


def test_a_module_of_the_users_own_is_a_reader(tmp_path, monkeypatch):
    (tmp_path / 'painters').mkdir()
    (tmp_path / 'painters' / 'greys.py').write_text(MINE)
    (tmp_path / 'painters' / 'broken.py').write_text('KIND = 1 / 0')
    monkeypatch.chdir(tmp_path)
    found = data.examples(settings('painters.greys:7'), 'train')
    assert found.size == 3 and (np.asarray(found.images) == 7).all()
    assert data.place('painters.greys:7') == ('painters.greys:7', 'all')
    for name, why in {
        'painters.greys': 'write painters.greys:GREY',
        'painters.reds:7': "no module 'painters.reds'",
        'painters.broken:7': 'ZeroDivisionError',
    }.items():
        with pytest.raises(UserError, match=why):
            data.kind_of(name)


@pytest.mark.parametrize(
    'name, advice',
    [
        ('{tmp}', 'is a folder: write folder:{tmp}'),
        ('{tmp}/x.ZIP', 'is a file: write zip:{tmp}/x.ZIP'),
        ('folder', 'write folder:PATH'),
        ('emoji:test', "the set 'emoji' takes nothing after a colon"),
        ('fodler:{tmp}', "did you mean 'folder:PATH'"),
        ('toy_shape', "did you mean 'toy_shapes'"),
    ],
)
def test_a_name_that_is_no_set_is_one_line_with_the_right_one(name, advice, tmp_path):
    (tmp_path / 'x.ZIP').write_bytes(b'')
    with pytest.raises(UserError) as error:
        data.examples(settings(name.format(tmp=tmp_path)), 'train')
    assert advice.format(tmp=tmp_path) in str(error.value)
    assert '\n' not in str(error.value)


def test_the_word_of_a_tool_is_a_place_or_a_set_and_its_split(tmp_path):
    assert data.place(str(tmp_path)) == (f'folder:{tmp_path}', 'all')
    assert data.place(f'folder:{tmp_path}') == (f'folder:{tmp_path}', 'all')
    assert data.place('emoji:test[:100]') == ('emoji', 'test[:100]')
    assert data.place('art:train') == ('art', 'train')
    assert data.place('folder:train') == ('folder:train', 'all')
    assert data.place('art:icons:test[:9]') == ('art:icons', 'test[:9]')
    assert data.place('art:icons+rings:train+valid') == (
        'art:icons+rings',
        'train+valid',
    )
    with pytest.raises(UserError, match='a set and its split, as emoji:train'):
        data.place('emoji')


def test_only_where_data_lie_may_differ():
    assert readers.differ_in_place('folder:a', 'folder:a/')
    assert readers.differ_in_place('zip:a', 'zip:b')
    assert readers.differ_in_place('canaries:zip:a', 'canaries:zip:b')
    assert readers.differ_in_place('unpaired:zip:a,emoji', 'unpaired:zip:b,emoji')
    assert not readers.differ_in_place('unpaired:zip:a,emoji', 'unpaired:zip:b,art')
    assert not readers.differ_in_place('canaries:emoji', 'canaries:toy_shapes')
    assert not readers.differ_in_place('folder:a', 'folder:a')
    assert not readers.differ_in_place('folder:a', 'zip:a')
    assert not readers.differ_in_place('emoji', 'toy_shapes')
