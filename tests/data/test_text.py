"""Texts by characters: files, poems, and what is known of an alphabet."""

import gzip
import io
import json
import tarfile

import numpy as np
import pytest

from gan_vae import data
from gan_vae.data import packages, poems, writing
from gan_vae.data.settings import Settings
from gan_vae.errors import UserError


def test_points_are_characters_and_back():
    values = writing.points('a春\n', ends=True)
    assert values.dtype == np.int32 and values.ravel().tolist() == [97, 0x6625, 10, 0]
    assert writing.string(values) == 'a春\n'
    assert writing.string(np.array([[97], [1], [98], [0], [99]])) == 'a\ufffdb'


def test_an_alphabet_has_what_is_there_twice():
    text = writing.text_of([writing.points('abca', True), writing.points('cx')])
    assert text.words == ('a', 'c') and text.length == 5
    assert text.captions == ('abca', 'cx')
    assert writing.alphabet(text) == (0, 1, 97, 99)


def test_a_file_is_cut_into_pieces_of_each_split(tmp_path):
    text = ''.join(chr(97 + n % 23) for n in range(4000)) + '\r\nend'
    (tmp_path / 'mine.txt').write_bytes(b'\xef\xbb\xbf' + text.encode())
    settings = Settings(name=f'text:{tmp_path / "mine.txt"}', segment_steps=100)
    parts = {
        split: data.examples(settings, split).values
        for split in ('train', 'validation', 'test', 'all')
    }
    assert [len(p) for p in parts.values()] == [37, 2, 2, 41]
    joined = ''.join(map(writing.string, parts['all']))
    assert joined == text.replace('\r\n', '\n')
    pieces = [
        writing.string(v) for p in ('train', 'validation', 'test') for v in parts[p]
    ]
    assert pieces == [writing.string(v) for v in parts['all']]
    few = data.examples(settings, 'train[:3]').values
    assert len(few) == 3 and len(few[0]) == 100


@pytest.mark.parametrize(
    'content, message',
    [(b'\xff\xfe1', 'no text in UTF-8'), (b'few', 'too few for 20 pieces')],
)
def test_what_is_no_text_is_one_line(tmp_path, content, message):
    (tmp_path / 'mine.txt').write_bytes(content)
    with pytest.raises(UserError, match=message):
        data.examples(Settings(name=f'text:{tmp_path / "mine.txt"}'), 'train')
    with pytest.raises(UserError, match='no file'):
        data.examples(Settings(name=f'text:{tmp_path}/none'), 'train')


@pytest.fixture
def archive(tmp_path, monkeypatch):
    """A package of few poems, in the folder of the data."""
    quatrain = ['甲乙丙丁戊，己庚辛壬癸。', '子丑寅卯辰，巳午未申酉。']
    others = [
        {'paragraphs': quatrain},
        {'paragraphs': quatrain},  # there twice
        {'paragraphs': ['甲乙丙丁戊，己庚辛壬。']},  # of no form
        {'paragraphs': ['甲乙丙丁a，己庚辛壬癸。', quatrain[1]]},  # a letter
        {'paragraphs': [f'{c}乙丙丁戊己庚，' * 4 for c in '甲']},
    ]
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode='w') as tar:
        info = tarfile.TarInfo('package/dist/quantangshi/poet.tang.0.json')
        content = json.dumps(others).encode()
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
    folder = tmp_path / 'downloads'
    folder.mkdir()
    (folder / poems.PACKAGE.file_name).write_bytes(gzip.compress(stream.getvalue()))
    monkeypatch.setattr(packages, 'check', lambda path, file: path)
    return tmp_path


def test_poems_are_those_of_a_form_each_once(archive):
    found = poems.poems(archive / 'downloads')
    quatrain = '甲乙丙丁戊\n己庚辛壬癸\n子丑寅卯辰\n巳午未申酉'
    assert found['5x4'] == [quatrain] and found['7x4'] == [
        '\n'.join(['甲乙丙丁戊己庚'] * 4)
    ]
    assert found['5x8'] == found['7x8'] == []
    settings = Settings(name='poems:5x4', dir=str(archive))
    read = data.examples(settings, 'all')
    assert [writing.string(v) for v in read.values] == [f'◔{quatrain}']
    assert read.values[0][-1] == writing.END and len(read.values[0]) == 1 + 23 + 1
    with pytest.raises(UserError, match='form of poems'):
        data.examples(Settings(name='poems:6x4', dir=str(archive)), 'all')


def test_poems_that_are_not_there_say_what_fetches_them(tmp_path):
    with pytest.raises(UserError, match='python -m gan_vae.data.prepare poems'):
        data.examples(Settings(name='poems', dir=str(tmp_path)), 'train')


def test_each_poem_is_in_one_split():
    some = [f'{n}' for n in range(3000)]
    counts = {s: sum(poems.in_split(p, s) for p in some) for s in poems.SPLITS}
    assert sum(counts.values()) == 3000
    assert all(sum(poems.in_split(p, s) for s in poems.SPLITS) == 1 for p in some)
    assert abs(counts['train'] / 3000 - 0.9) < 0.02


def test_a_poem_is_regular_by_its_own_symbol():
    right = poems.written('5x4', '\n'.join(['abcde'] * 4))
    assert poems.is_regular(right)
    for text in (right[1:], right + '\n', right[:-1], '', '◑' + right[1:], right + 'x'):
        assert not poems.is_regular(text)
