"""An artist's folder: every kind of picture is read, every kind of junk is named."""

import io
import os
import random
import socket
import struct
import subprocess
import sys
import zlib
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from gan_vae import config as config_lib
from gan_vae import data
from gan_vae.data import listing
from gan_vae.data.pictures import Fit, Unusable, fit, given, open_picture, upright
from gan_vae.data.readers import folder
from gan_vae.errors import UserError

HOW = Fit(16, 3)


class Settings(NamedTuple):
    """The part of config.data that a folder needs."""

    image_size: int
    channels: int
    fit: str
    background: str
    storage: str
    memory_gb: float


@pytest.fixture(autouse=True)
def private_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv('GAN_VAE_CACHE', str(tmp_path_factory.mktemp('cache')))


def load(path, split='all', how=HOW, storage='memory', memory_gb=1.0):
    return folder.load(str(path), split, Settings(*how, storage, memory_gb))


def flat(path, colour, size=(20, 20), mode='RGB', **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, colour).save(path, **options)


def test_every_mode_and_format_becomes_rgb(tmp_path):
    flat(tmp_path / 'a.png', (10, 20, 30))
    flat(tmp_path / 'b.jpg', (200, 100, 50), quality=95)
    flat(tmp_path / 'c.webp', (0, 255, 0), lossless=True)
    flat(tmp_path / 'd.png', 77, mode='L')
    flat(tmp_path / 'e.png', (255, 0, 0, 0), mode='RGBA')  # transparent red: background
    flat(tmp_path / 'f.png', 128 * 257, mode='I;16')
    flat(tmp_path / 'h.png', 200, mode='I;16')  # nearly black, and not 200 of 255
    palette = Image.new('P', (20, 20), 1)
    palette.putpalette([0, 0, 0, 9, 8, 7])
    palette.save(tmp_path / 'g.png')
    found = load(tmp_path)
    assert found.images.shape == (8, 16, 16, 3) and found.note == ''
    middle = found.images[:, 8, 8].astype(int)
    expected = [
        (10, 20, 30),
        (200, 100, 50),
        (0, 255, 0),
        (77,) * 3,
        (255,) * 3,
        (128,) * 3,
    ]
    np.testing.assert_allclose(middle, [*expected, (9, 8, 7), (1,) * 3], atol=2)
    assert found.labels is None and found.captions[0] == 'a'


def test_background_orientation_crop_and_pad(tmp_path):
    wide = Image.new('RGB', (60, 20), (255, 0, 0))
    wide.paste((0, 0, 255), (20, 0, 40, 20))  # blue in the middle third
    assert (fit(wide, HOW)[:, 2:-2] == (0, 0, 255)).all()
    padded = fit(wide, HOW._replace(policy='pad', background='#00ff00'))
    assert (padded[0] == (0, 255, 0)).all()
    np.testing.assert_allclose(
        padded[8, 8].astype(int), (0, 0, 255), atol=10
    )  # Lanczos
    tall = Image.new('RGB', (20, 20), (255, 0, 0))
    tall.paste((0, 0, 255), (0, 0, 20, 10))  # blue above
    exif = tall.getexif()
    exif[0x0112] = 3  # upside down
    tall.save(tmp_path / 'x.jpg', exif=exif, quality=95)
    image = load(tmp_path).images[0].astype(int)
    assert image[2, 8, 0] > 200 and image[13, 8, 2] > 200
    with pytest.raises(UserError, match="background='whit'"):
        load(tmp_path, how=HOW._replace(background='whit'))


def test_resize_is_antialiased():
    stripes = np.zeros((64, 64), np.uint8)
    stripes[:, ::2] = 255
    assert fit(Image.fromarray(stripes), HOW).std() < 10


def test_junk_is_named_in_one_line_and_left_out(tmp_path):
    flat(tmp_path / 'good.png', (1, 2, 3))
    (tmp_path / 'notes.txt').write_text('hello')
    (tmp_path / 'torn.png').write_bytes((tmp_path / 'good.png').read_bytes()[:60])
    flat(tmp_path / 'tiny.png', (1, 2, 3), size=(4, 40))
    flat(tmp_path / 'odd.gif', 3, mode='P')
    (tmp_path / '.hidden.png').write_bytes(b'x')
    header = struct.pack('>IIBBBBB', 100_000, 100_000, 8, 2, 0, 0, 0)
    chunk = b'IHDR' + header
    bomb = b'\x89PNG\r\n\x1a\n' + struct.pack('>I', 13) + chunk
    bomb += struct.pack('>I', zlib.crc32(chunk)) + struct.pack('>I', 4) + b'IDAT0000'
    (tmp_path / 'bomb.png').write_bytes(bomb + bytes(8))
    found = load(tmp_path)
    assert len(found.images) == 1 and '\n' not in found.note
    assert 'left out 5 files' in found.note and '.hidden' not in found.note
    for name, why in {
        'notes.txt': 'not an image',
        'torn.png': 'corrupt',
        'tiny.png': 'only 4x40',
        'odd.gif': 'GIF',
        'bomb.png': 'too large',
    }.items():
        assert f'{name} (' in found.note and why in found.note


def test_empty_missing_and_bad_split_are_errors(tmp_path):
    with pytest.raises(UserError, match='no usable pictures .* PNG, JPEG and WebP'):
        load(tmp_path)
    with pytest.raises(UserError, match='no folder'):
        load(tmp_path / 'none')
    flat(tmp_path / 'a.png', (1, 2, 3))
    with pytest.raises(UserError, match="no split 'tran'"):
        load(tmp_path, split='tran')


def test_a_slice_is_a_part_of_its_split_and_of_all_classes(tmp_path):
    for i in range(60):
        flat(tmp_path / ('cats' if i % 2 else 'dogs') / f'{i}.png', (i, 0, 0))
    train = load(tmp_path, 'train')
    part = load(tmp_path, 'train[:12]')
    assert part.size == 12 and set(part.labels) == {0, 1}
    assert set(part.images[:, 0, 0, 0]) <= set(train.images[:, 0, 0, 0])
    assert load(tmp_path, 'train[:1000]').size == train.size


def test_the_tiny_variant_trains_on_a_folder(tmp_path):
    for i in range(30):
        flat(tmp_path / f'{i}.png', (i, 0, 0))
    config = config_lib.load(
        'configs/dcgan_emoji.py:tiny', {'data.name': f'folder:{tmp_path}'}
    )
    assert data.training(config.data).size > 0
    assert data.examples(config.data, config.data.eval_split).size > 0


def test_subfolders_are_classes_and_splits_are_stable(tmp_path):
    for i in range(30):
        flat(tmp_path / ('cats' if i % 2 else 'dogs') / f'{i}.png', (i, 0, 0))
    everything = load(tmp_path)
    assert everything.class_names == ('cats', 'dogs')
    np.testing.assert_array_equal(
        everything.labels == 0, everything.images[:, 0, 0, 0] % 2
    )
    parts = [
        load(tmp_path, s).images[:, 0, 0, 0] for s in ('train', 'validation', 'test')
    ]
    assert sorted(np.concatenate(parts)) == list(range(30))
    for i in range(30, 40):
        flat(tmp_path / 'cats' / f'{i}.png', (i, 0, 0))
    assert set(parts[0]) <= set(load(tmp_path, 'train').images[:, 0, 0, 0])


def test_second_start_reads_the_cache_and_a_change_is_seen(tmp_path, monkeypatch):
    flat(tmp_path / 'a.png', (1, 2, 3))
    first = load(tmp_path).images
    with monkeypatch.context() as patch:
        patch.setattr(folder, 'open_picture', lambda f: pytest.fail('parsed again'))
        np.testing.assert_array_equal(load(tmp_path).images, first)
        streamed = load(tmp_path, storage='stream').images
        assert isinstance(streamed, np.memmap)
        np.testing.assert_array_equal(streamed, first)
    flat(tmp_path / 'a.png', (9, 9, 9))
    os.utime(tmp_path / 'a.png', ns=(1, 1))
    assert (load(tmp_path).images == 9).all()


def test_memory_budget_names_the_way_out(tmp_path):
    flat(tmp_path / 'a.png', (1, 2, 3))
    with pytest.raises(UserError, match='data.storage=stream'):
        load(tmp_path, memory_gb=1e-9)


def test_real_photographs_and_paintings_are_all_used():
    root = os.environ.get('GAN_VAE_TEST_DATA')
    if not root:
        pytest.skip('set GAN_VAE_TEST_DATA to a folder with pictures/')
    found = load(f'{root}/pictures', how=Fit(64, 3))
    assert len(found.images) == 7 and found.note == ''
    assert found.captions[0] == 'brushstrokes' and found.images.std() > 30


def test_what_systems_put_beside_class_folders_takes_no_classes(tmp_path):
    for name in ('cats/a.png', 'cats/b.png', 'dogs/c.png', 'dogs/d.png'):
        flat(tmp_path / name, (1, 2, 3))
    for name in ('Thumbs.db', 'desktop.ini', '.DS_Store', 'cats/._a.png'):
        (tmp_path / name).write_bytes(b'x')
    (tmp_path / '__MACOSX').mkdir()
    flat(tmp_path / '__MACOSX' / 'a.png', (1, 2, 3))
    assert load(tmp_path).class_names == ('cats', 'dogs')
    assert load(tmp_path).note == ''
    (tmp_path / 'empty').mkdir()
    flat(tmp_path / 'broken' / 'tiny.png', (1, 2, 3), size=(2, 2))
    (tmp_path / 'notes.txt').write_text('of no class')
    found = load(tmp_path)  # a class is a folder with a usable picture
    assert found.class_names == ('cats', 'dogs')
    assert 'broken/tiny.png (only 2x2)' in found.note
    flat(tmp_path / 'cover.png', (1, 2, 3))
    found = load(tmp_path)
    assert (
        not found.class_names and 'no classes, as cover.png lies beside' in found.note
    )


def test_a_class_is_the_same_in_splits_that_lack_it(tmp_path):
    for i in range(30):
        flat(tmp_path / 'many' / f'{i}.png', (i, 0, 0))
    flat(tmp_path / 'few' / '1.png', (0, 9, 0))
    splits = ('train', 'validation', 'test')
    found = [load(tmp_path, split) for split in splits]
    assert {part.class_names for part in found} == {('few', 'many')}
    lacking = [part for part in found if 'has no pictures of few' in part.note]
    assert len(lacking) == 2 and all((part.labels == 1).all() for part in lacking)


@pytest.mark.skipif(sys.platform != 'linux', reason='names of bytes, pipes, sockets')
def test_whatever_a_file_system_can_hold_is_used_or_named(tmp_path):
    root = tmp_path / 'set'
    flat(root / 'cats' / 'a.png', (1, 2, 3))
    flat(tmp_path / 'elsewhere' / 'b.png', (1, 2, 3))
    os.symlink(tmp_path / 'elsewhere', root / 'dogs')  # a class by a link
    os.symlink(root, root / 'cats' / 'loop')
    os.symlink(tmp_path, root / 'cats' / 'up')
    os.symlink('nowhere', root / 'cats' / 'gone.png')
    os.mkfifo(root / 'cats' / 'pipe.png')
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(root / 'socket'))
    raw = (root / 'cats' / 'a.png').read_bytes()
    os.mkdir(os.fsencode(root) + b'/c\xff\n')
    with open(os.fsencode(root) + b'/c\xff\n/d\xfe\n.png', 'wb') as file:
        file.write(raw)
    (root / 'cats' / 'none.png').write_bytes(b'')
    run = root / 'runs' / 'vae'  # a run's samples are not its data
    flat(run / 'samples' / '100.png', (1, 2, 3))
    (run / 'config.json').write_text('{}')
    (run / 'checkpoints').mkdir()
    found = load(root)
    assert found.class_names == ('cats', 'c\\xff\\n', 'dogs')
    assert found.captions == ('a', 'd\\xfe\\n', 'b') and '\n' not in found.note
    for text in (
        'cats/loop (a link to a folder that is read already)',
        'cats/up (a link to a folder that holds it)',
        'cats/gone.png (a link to nothing)',
        'cats/pipe.png (not a file)',
        'socket (not a file)',
        'cats/none.png (empty)',
        'runs/vae (the folder of a run)',
    ):
        assert text in found.note
    assert 'left out 6 files' in found.note and 'left out 1 file:' in found.note


def png(**options) -> bytes:
    file = io.BytesIO()
    Image.new('RGB', (48, 32), (9, 8, 7)).save(file, 'PNG', **options)
    return file.getvalue()


@pytest.mark.filterwarnings('error')
def test_a_damaged_exif_block_costs_no_picture():
    exif = Image.new('RGB', (1, 1)).getexif()
    exif[0x0112], exif[0x010F], exif[0x011A] = 6, 'maker', 72.0
    exif.get_ifd(0x8769)[0x9003] = '2020:01:01 00:00:00'
    whole = b'Exif\0\0' + exif.tobytes().removeprefix(b'Exif\0\0')
    turned = upright(open_picture(io.BytesIO(png(exif=whole))))
    assert turned.size == upright(turned).size == (32, 48)  # once, not twice
    draws = random.Random(0)
    damages = [b'Exif\0\0MM', b'Exif\0\0']
    for _ in range(500):
        block = bytearray(whole)
        for _ in range(draws.randint(1, 4)):
            block[draws.randrange(6, len(block))] = draws.randrange(256)
        damages.append(bytes(block[: draws.randrange(6, 2 * len(block))]))
    sizes = {
        upright(open_picture(io.BytesIO(png(exif=block)))).size for block in damages
    }
    assert sizes == {(48, 32), (32, 48)}


def large_text(**options) -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text('workflow', 'a' * 2_000_000, **options)
    return png(pnginfo=info)


@pytest.mark.parametrize(
    'raw, why',
    [
        (b'\0\0\0\x18ftypheic\0\0\0\0mif1heic' + bytes(99), 'HEIC is not PNG'),
        (b'\0\0\0\x18ftypqt  ' + bytes(99), 'a film is not PNG'),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', 'SVG is not PNG'),
        (large_text(zip=True), 'text chunks are too large: save it without metadata'),
        (large_text()[:-4000], 'corrupt'),
        (b'', 'empty'),
    ],
)
def test_a_picture_that_cannot_be_used_is_named_rightly(raw, why, tmp_path):
    file = tmp_path / 'photo'
    file.write_bytes(raw)
    with pytest.raises(Unusable, match=why):
        open_picture(file)
    with pytest.raises(UserError, match=f'photo: .*{why}'):
        given(file)
    assert open_picture(io.BytesIO(large_text())).size == (48, 32)


def test_a_large_scan_is_read_without_a_warning(tmp_path):
    """95 megapixels: Pillow warns at 89, and our limit is 100."""
    Image.new('1', (9500, 10000)).save(tmp_path / 'scan.png')
    code = f"""
from gan_vae.data.pictures import given
assert given({str(tmp_path / 'scan.png')!r}).size == (9500, 10000)
"""
    command = [sys.executable, '-c', code]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, '', '')


def test_a_slow_folder_shows_how_far_it_is(tmp_path, monkeypatch, capsys):
    for i in range(3):
        flat(tmp_path / f'{i}.png', (1, 2, 3))
    clock = iter(range(0, 1000, 6))
    monkeypatch.setattr(listing.time, 'monotonic', lambda: next(clock))
    load(tmp_path)
    assert '2 of 3 files read' in capsys.readouterr().err
