"""The embedded emoji, the archive they come from, and the TFDS set of all of them."""

import collections
import dataclasses
import hashlib
import io
import json
import socket
import tarfile
import time
from importlib import resources

import numpy as np
import pytest
from PIL import Image

from gan_vae import data
from gan_vae.data import emoji, noto_emoji, packages, splits
from gan_vae.data.readers import emoji_set
from gan_vae.data.settings import Settings
from gan_vae.errors import UserError


@pytest.fixture(scope='module')
def items():
    return json.loads((resources.files(emoji) / 'emoji.json').read_text())['items']


def test_embedded_set_is_whole_quick_and_in_eight_categories():
    start = time.process_time()
    images, labels, names, categories = emoji.load('all')
    assert time.process_time() - start < 0.5  # 0.05 alone on a machine
    assert images.shape == (1636, 32, 32, 3) and images.dtype == np.uint8
    assert labels.dtype == np.int32 and len(names) == 1636
    counts = dict(zip(categories, np.bincount(labels), strict=True))
    assert counts == {
        'Smileys & Emotion': 169,
        'People & Body': 386,
        'Animals & Nature': 159,
        'Food & Drink': 131,
        'Travel & Places': 218,
        'Activities': 85,
        'Objects': 264,
        'Symbols': 224,
    }
    assert (images[:, 0, 0] == 255).all()  # on white, and white survives the palette


def test_kept_categories_are_numbered_anew_in_the_order_of_the_set(config):
    """So that a model by class has no class without pictures."""
    config.data.categories, config.data.name = '', 'emoji'
    every = data.examples(config.data, 'all')
    kept = data.keep_categories(every, 'Symbols, Food & Drink')
    assert kept.class_names == ('Food & Drink', 'Symbols')
    assert np.bincount(kept.labels).tolist() == [131, 224]
    names = [every.class_names[i] for i in every.labels]
    rows = [i for i, name in enumerate(names) if name in kept.class_names]
    assert [kept.class_names[i] for i in kept.labels] == [names[i] for i in rows]
    np.testing.assert_array_equal(kept.images, every.images[rows])
    with pytest.raises(UserError, match="did you mean 'Symbols'"):
        data.keep_categories(every, 'Symbol')


# Flat pictures whose name is their colour: a shift by one cell or row breaks them all.
@pytest.mark.parametrize(
    'codepoint, colour',
    [
        ('2764-FE0F', (244, 67, 54)),  # red heart
        ('1F499', (25, 118, 210)),  # blue heart
        ('1F7E9', (124, 179, 66)),  # green square, in the last row
        ('2B1B', (66, 66, 66)),  # black square
    ],
)
def test_cell_belongs_to_its_item(items, codepoint, colour):
    (row,) = [i for i, item in enumerate(items) if item['codepoint'] == codepoint]
    middle = emoji.load('all')[0][row, 14:20, 12:20].reshape(-1, 3).mean(0)
    np.testing.assert_allclose(middle, colour, atol=15)


def test_splits_are_disjoint_joined_and_near_80_10_10(items):
    sizes = collections.Counter(item['split'] for item in items)
    assert sizes == {'train': 1332, 'validation': 150, 'test': 154}
    assert len({item['codepoint'] for item in items}) == 1636
    both = emoji.load('test+train')[0]
    assert len(set(emoji.load('train[:64]')[1])) == 8
    assert len(emoji.load('train[:64]')[0]) == 64
    assert len(both) == 1332 + 154
    with pytest.raises(UserError, match="'tset'.*did you mean 'test'"):
        emoji.load('tset')


def archive(path, *members):
    """Writes a .tgz of (TarInfo or name, bytes) members."""
    with tarfile.open(path, 'w:gz') as tar:
        for member, data in members:
            if isinstance(member, str):
                member = tarfile.TarInfo(member)
                member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


def link(kind):
    info = tarfile.TarInfo('package/link')
    info.type, info.linkname = kind, '/etc/passwd'
    return info


@pytest.mark.parametrize(
    'member, message',
    [
        (link(tarfile.SYMTYPE), 'link'),
        (link(tarfile.LNKTYPE), 'link'),
        (link(tarfile.FIFOTYPE), 'special file'),
        ('package/../../evil', 'leaves the archive'),
        ('/package/evil', 'leaves the archive'),
        ('package/large', 'has 1001 bytes, more than 1000'),
    ],
)
def test_reader_refuses(tmp_path, member, message):
    path = archive(tmp_path / 'a.tgz', ('package/good', b'1'), (member, b'x' * 1001))
    with pytest.raises(UserError, match=message):
        list(packages.read(path, ('package/',), max_member_bytes=1000))


def test_reader_limits_members_and_bytes_even_of_what_it_skips(tmp_path):
    zeros = ('other/zeros', bytes(10**7))  # 10 kB when compressed
    path = archive(tmp_path / 'a.tgz', ('package/a', b'1'), ('package/b', b'2'), zeros)
    assert dict(packages.read(path, ('package/a',))) == {'package/a': b'1'}
    with pytest.raises(UserError, match='more than 2 members'):
        list(packages.read(path, ('package/',), max_members=2))
    with pytest.raises(UserError, match='larger than allowed'):
        list(packages.read(path, ('package/',), max_bytes=10**6))
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(UserError, match='cannot read the archive'):
        list(packages.read(path, ('package/',)))


def test_wrong_hash_and_missing_npm_are_one_line(tmp_path, monkeypatch):
    package = noto_emoji.PACKAGE
    (tmp_path / package.file_name).write_bytes(b'not it')
    with pytest.raises(UserError, match=f'SHA-256 is .*, not {package.sha256}'):
        packages.fetch(package, tmp_path)
    monkeypatch.setenv('PATH', str(tmp_path))
    with pytest.raises(UserError, match='npm.*--archive') as caught:
        packages.fetch(package, tmp_path / 'new')
    assert '\n' not in str(caught.value)


def png(seed, mode):
    """A random 64x64 picture of `mode`, its bytes and what it should be read as."""
    noise = np.random.default_rng(seed).integers(0, 256, (64, 64, 4), np.uint8)
    picture = Image.fromarray(noise, 'RGBA' if mode == 'RGBA' else None)
    options = {}
    if mode == 'LA':
        picture = picture.convert('LA')
    elif mode == 'P':
        picture, options = picture.convert('RGB').quantize(16), {'transparency': 3}
    file = io.BytesIO()
    picture.save(file, 'png', **options)
    return file.getvalue(), np.asarray(Image.open(file).convert('RGBA'))


def test_tfds_builder_gives_back_the_pictures(tmp_path, monkeypatch):
    rows, files, expected = [], [], {}
    for i in range(30):
        code = f'1F{600 + i}'
        row = {'unified': code, 'image': f'{code}.png', 'name': f'NAME {i}'}
        row |= {'short_name': f'n{i}', 'sort_order': 30 - i, 'subcategory': 'any'}
        row['category'] = (*noto_emoji.CATEGORIES, 'Component')[i % 10]
        tones = ('1F3FD', '1F3FB-1F3FF') if i == 0 else ()
        row['skin_variations'] = {
            tone: {'unified': f'{code}-{tone}', 'image': f'{code}-{tone}.png'}
            for tone in tones
        }
        rows.append(row)
        for one in (row, *row['skin_variations'].values()):
            data, pixels = png(len(files), ('RGBA', 'LA', 'P')[len(files) % 3])
            files.append((noto_emoji.PICTURES + one['image'], data))
            if row['category'] != 'Component':
                expected[one['unified']] = pixels
    table = (noto_emoji.TABLE, json.dumps(rows).encode())
    path = archive(tmp_path / 'fake.tgz', table, *files)

    from gan_vae.data.noto_emoji.noto_emoji_dataset_builder import Builder

    def refuse(*_):
        raise AssertionError('the builder opened a connection')

    monkeypatch.setattr(socket.socket, 'connect', refuse)
    builder = Builder(data_dir=tmp_path / 'data', archive=path)
    assert builder.name == 'noto_emoji' and str(builder.version) == '16.0.0'
    builder.download_and_prepare()

    import tensorflow_datasets as tfds

    split_of = collections.defaultdict(set)
    for split in ('train', 'validation', 'test'):
        for example in tfds.as_numpy(builder.as_dataset(split=split)):
            code, base = example['codepoint'].decode(), example['base_codepoint']
            np.testing.assert_array_equal(example['image'], expected.pop(code))
            split_of[base].add(split)
            tone = noto_emoji.SKIN_TONES[example['skin_tone']]
            suffix = {'medium': '-1F3FD', 'mixed': '-1F3FB-1F3FF', 'none': ''}[tone]
            assert code == base.decode() + suffix
    assert not expected
    assert all(len(splits) == 1 for splits in split_of.values())
    assert set.union(*split_of.values()) == {'train', 'validation', 'test'}


def test_a_picture_of_another_size_is_refused_before_it_is_decoded():
    file = io.BytesIO()
    Image.new('L', (5000, 5000)).save(file, 'png')
    row = noto_emoji.Emoji(*'abcdefg', png=file.getvalue())
    with pytest.raises(UserError, match='5000'):
        row.picture()


def test_two_drawings_of_the_same_emoji_pair_by_their_names(tmp_path, monkeypatch):
    """Skin tones are left out, what one set lacks as well; splits are of both."""
    monkeypatch.setenv('GAN_VAE_CACHE', str(tmp_path / 'cache'))
    folder = tmp_path / 'sets' / 'downloads'
    folder.mkdir(parents=True)
    colours = {'noto': (250, 0, 0), 'twemoji': (0, 0, 250)}
    for number, (name, colour) in enumerate(colours.items()):
        style, package = emoji_set.SETS[name]
        file = io.BytesIO()
        Image.new('RGBA', (64, 64), colour).save(file, 'PNG')
        rows, members = [], []
        for i in range(30):
            row = {'unified': f'1F60{i}', 'name': f'FACE {i}', 'short_name': f'f{i}'}
            row |= {'category': 'Objects', 'subcategory': '', 'sort_order': i}
            row |= {'image': f'{i}.png', f'has_img_{style}': i != 7 + number}
            dark = row | {'unified': f'1F60{i}-1F3FF'}
            rows.append(row | {'skin_variations': {'1F3FF': dark}})
            if i != 7 + number:
                members.append((f'package/img/{style}/64/{i}.png', file.getvalue()))
        table = ('package/emoji.json', json.dumps(rows).encode())
        path = archive(folder / package.file_name, table, *members)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        known = style, dataclasses.replace(package, sha256=digest)
        monkeypatch.setitem(emoji_set.SETS, name, known)
    settings = Settings(dir=str(tmp_path / 'sets'), image_size=16)
    both = emoji_set.load('noto>twemoji', 'all', settings)
    assert set(both.captions) == {f'face {i}' for i in range(30) if i not in (7, 8)}
    np.testing.assert_array_equal(both.images[0, 0, 0], [250, 0, 0, 0, 0, 250])
    parts = [emoji_set.load('noto', s, settings).captions for s in splits.NAMES]
    assert sum(map(len, parts)) == len(set().union(*parts)) == 29
    test = emoji_set.load('noto>twemoji', 'test', settings).captions
    assert test and set(test) <= set(parts[2])
    with pytest.raises(UserError, match='set of emoji'):
        emoji_set.load('nato', 'all', settings)
    with pytest.raises(UserError, match='prepare emoji_set'):
        emoji_set.load('noto', 'all', Settings(dir=str(tmp_path), image_size=24))
