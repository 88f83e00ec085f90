"""fluent: three packages of one set of emoji, which pair by their names."""

import hashlib
import io
import json
import tarfile

import numpy as np
import pytest
from PIL import Image

from gan_vae import data
from gan_vae.data import fluent, packages, prepare
from gan_vae.data.settings import Settings
from gan_vae.errors import UserError

# 'hidden' is in neither table of what is shown, a skin tone is in one alone.
BODY = '<rect x="{}" width="16" height="32" fill="{}"/>'
CHARS = {'1f5e8': 'bubble', '1f468-200d-1f52c': 'man-scientist', '2764': 'red-heart'}
NAMES = ['bubble', 'man-scientist', 'red-heart']


def tables(fill: str, more: tuple[str, ...] = ()) -> list[tuple[str, bytes]]:
    icons = {
        name: {'body': BODY.format(0, fill)} for name in (*NAMES, 'no-char', *more)
    }
    icons['red-heart'] = {'body': BODY.format(0, fill), 'height': 33}
    icons['old'] = {'body': '', 'hidden': True}
    del icons['no-char']
    about = {'icons': icons, 'width': 32, 'height': 32}
    categories = {'Symbols': ['bubble', 'red-heart'], 'People': ['man-scientist']}
    return [
        ('package/icons.json', json.dumps(about).encode()),
        ('package/chars.json', json.dumps(CHARS).encode()),
        ('package/metadata.json', json.dumps({'categories': categories}).encode()),
    ]


def webp(colour: str) -> bytes:
    file = io.BytesIO()
    picture = Image.new('RGBA', (256, 256), (0, 0, 0, 0))
    picture.paste(colour, (0, 0, 128, 256))
    picture.save(file, 'webp', lossless=True)
    return file.getvalue()


@pytest.fixture
def downloads(tmp_path, monkeypatch):
    """A folder of data with three small packages, known by their own hashes."""
    monkeypatch.setenv('GAN_VAE_CACHE', str(tmp_path / 'cache'))
    assets = {'1f5e8-fe0f': 'red', '1f468-200d-1f52c': 'blue', '1f600': 'green'}
    members = {
        'line': tables('currentColor'),
        'flat': tables('#ff0000', ('man-scientist-dark',)),
        '3d': [(f'package/assets/{n}.webp', webp(c)) for n, c in assets.items()],
    }
    folder = tmp_path / 'sets' / 'downloads'
    folder.mkdir(parents=True)
    for kind, package in list(fluent.PACKAGES.items()):
        path = folder / package.file_name
        with tarfile.open(path, 'w:gz') as tar:
            for name, raw in members[kind]:
                info = tarfile.TarInfo(name)
                info.size = len(raw)
                tar.addfile(info, io.BytesIO(raw))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        mine = packages.Package(package.name, package.version, digest)
        monkeypatch.setitem(fluent.PACKAGES, kind, mine)
    return folder


def load(kind: str, folder, split: str = 'all'):
    settings = Settings(name=f'fluent:{kind}', image_size=16, dir=str(folder.parent))
    return data.examples(settings, split)


def test_the_three_kinds_pair_by_name(downloads):
    line, flat, solid = (load(kind, downloads) for kind in ('line', 'flat', '3d'))
    assert line.captions == flat.captions == ('bubble', 'man scientist', 'red heart')
    assert solid.captions == ('bubble', 'man scientist')  # FE0F or not is the same
    assert line.class_names == ('People', 'Symbols')
    assert line.labels.tolist() == flat.labels.tolist() == [1, 0, 1]
    assert (line.images[0, 8, 4] == 0).all() and (line.images[0, 8, 12] == 255).all()
    assert flat.images[0, 8, 4].tolist() == [255, 0, 0]
    np.testing.assert_allclose(solid.images[0, 8, 3], [255, 0, 0], atol=2)
    np.testing.assert_allclose(solid.images[1, 8, 3], [0, 0, 255], atol=2)


def test_look_alikes_are_in_one_split(downloads):
    def family(name):
        return fluent.Emoji(name, '', '', b'').family

    assert family('man-running-facing-right') == family('woman-running') == 'running'
    assert family('red-heart') == family('white-heart') == 'heart'
    assert family('person-red-hair') == family('man') == 'person'
    assert family('right-arrow') != family('left-arrow')
    parts = [name for name in ('train', 'validation', 'test')]
    counts = []
    for part in parts:
        try:
            counts.append(load('flat', downloads, part).size)
        except UserError as error:
            assert 'is empty' in str(error)
    assert sum(counts) == 3


def test_what_is_wrong_is_one_line(downloads, tmp_path, capsys):
    with pytest.raises(UserError, match="kind of fluent 'flats'.*did you mean 'flat'"):
        load('flats', downloads)
    with pytest.raises(UserError, match='fluent:line|flat|3d'):
        data.examples(Settings(name='fluent'), 'train')
    with pytest.raises(UserError, match='gan_vae.data.prepare fluent --data_dir='):
        load('line', tmp_path / 'none' / 'downloads')
    (downloads / fluent.PACKAGES['flat'].file_name).write_bytes(b'another')
    with pytest.raises(UserError, match='its SHA-256 is'):
        load('3d', downloads)
    wrong = tmp_path / 'wrong.tgz'
    wrong.write_bytes(b'')
    asked = ['fluent', f'--archive={wrong}', f'--data_dir={tmp_path}']
    assert prepare.main(asked) == 2
    assert 'SHA-256' in capsys.readouterr().err


def test_prepare_takes_what_is_there_and_says_how_to_train(downloads, capsys):
    for package, mine in zip(
        prepare.FETCHED['fluent'], fluent.PACKAGES.values(), strict=True
    ):
        assert package.file_name == mine.file_name
    scoped = fluent.LINE
    assert scoped.file_name == 'iconify-json-fluent-emoji-high-contrast-1.2.6.tgz'
    assert scoped.source == 'npm pack @iconify-json/fluent-emoji-high-contrast@1.2.6'


def test_prepare_fetches_all_three(tmp_path, monkeypatch, capsys):
    fetched = []
    monkeypatch.setattr(
        packages, 'fetch', lambda package, folder: fetched.append(package) or folder
    )
    assert prepare.main(['fluent', f'--data_dir={tmp_path}']) == 0
    assert fetched == [fluent.LINE, fluent.FLAT, fluent.SOLID]
    said = capsys.readouterr().out
    assert '--config.data.name=fluent:flat --config.data.categories= ' in said
