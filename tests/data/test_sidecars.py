"""Captions beside pictures: text files and tables, in folders and in archives."""

import json
import zipfile

import numpy as np
import pytest
from PIL import Image

from gan_vae import data
from gan_vae.data.settings import Settings
from gan_vae.errors import UserError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv('GAN_VAE_CACHE', str(tmp_path / 'cache'))
    place = tmp_path / 'pictures'
    for number, name in enumerate(('a/one.png', 'a/two.png', 'b/three_cats.png')):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        pixels = np.full((20, 20, 3), 40 * number, np.uint8)
        Image.fromarray(pixels).save(place / name)
    return place


def captions(place, prefix='folder'):
    settings = Settings(name=f'{prefix}:{place}', split='all', image_size=16)
    found = data.examples(settings, 'all')
    return found.captions, found.note


def test_without_captions_they_are_the_names_of_files(folder):
    assert captions(folder) == (('one', 'two', 'three cats'), '')


def test_a_text_beside_a_picture_is_its_caption(folder):
    (folder / 'a/two.TXT').write_bytes('\ufeffA  red\ncat.\n'.encode())
    (folder / 'notes.txt').write_text('of no picture')
    found, note = captions(folder)
    assert found == ('one', 'A red cat.', 'three cats')
    assert 'notes.txt' in note and 'two' not in note
    assert '2 pictures without a caption: the file name is taken' in note
    # another text is another set
    (folder / 'a/two.TXT').write_text('a dog')
    assert captions(folder)[0][1] == 'a dog'


ROWS = [('a/one.png', 'the first, "1"'), ('./b/three_cats.png', 'cats')]


def table(folder, name):
    if name.endswith('.csv'):
        lines = ['file_name,Text', 'a/one.png,"the first, ""1"""']
        lines += ['./b/three_cats.png,cats', 'gone.png,x']
    else:
        rows = [*ROWS, ('gone.png', 'x')]
        lines = [json.dumps({'file_name': f, 'text': t, 'n': 1}) for f, t in rows]
    (folder / name).write_text('\n'.join(lines))


@pytest.mark.parametrize(
    'name', ['captions.csv', 'metadata.csv', 'metadata.jsonl', 'Captions.jsonl']
)
def test_a_table_has_captions(folder, name):
    table(folder, name)
    found, note = captions(folder)
    assert found == ('the first, "1"', 'two', 'cats')
    assert f'{name} names 1 file not there; 1 picture without' in note


def test_a_table_is_of_its_own_folder(folder):
    (folder / 'b/metadata.jsonl').write_text(
        '{"file_name": "three_cats.png", "text": "hats"}\n\n'
    )
    assert captions(folder)[0] == ('one', 'two', 'hats')


def test_archives_have_them_too(folder, tmp_path):
    table(folder, 'metadata.csv')
    (folder / 'a/two.txt').write_text('a second')
    with zipfile.ZipFile(tmp_path / 'all.zip', 'w') as archive:
        for file in sorted(folder.rglob('*.*')):
            archive.write(file, f'top/{file.relative_to(folder)}')
    expected = ('the first, "1"', 'a second', 'cats')
    assert captions(tmp_path / 'all.zip', 'zip')[0] == expected


@pytest.mark.parametrize(
    'name, content, message',
    [
        ('captions.csv', b'name,words\na,b\n', "line 2: needs 'file_name' and 'text'"),
        ('captions.csv', b'file_name,text\n\xff,b\n', 'UTF-8 text, and byte 15 is not'),
        ('captions.csv', b'file_name,text\na/one.png,"x\na/two.png,y\n', 'end of data'),
        ('metadata.jsonl', b'{"file_name": "a"', 'line 1: '),
        ('metadata.jsonl', b'\n[1]\n', 'line 2: no object'),
        ('metadata.jsonl', b'{"file": 3, "text": "x"}', 'are to be text'),
        ('a/one.txt', b'x' * 70_000, 'too many'),
    ],
)
def test_a_bad_table_is_one_line(folder, name, content, message):
    (folder / name).write_bytes(content)
    with pytest.raises(UserError, match=message) as raised:
        captions(folder)
    assert name in str(raised.value) and '\n' not in str(raised.value)
