"""The one place that rounds, and pictures that say where they came from."""

import json

import numpy as np
import pytest
from PIL import Image, ImageSequence

from gan_vae import images


def test_uint8_ends_middle_and_round_trip():
    np.testing.assert_array_equal(
        images.to_uint8(np.array([-1.0, 1.0, 0.0, -9.0, 9.0])), [0, 255, 128, 0, 255]
    )
    every = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(images.to_uint8(images.from_uint8(every)), every)
    steps = images.to_uint8(np.linspace(-1, 1, 10_000))
    assert (np.diff(steps.astype(int)) >= 0).all()


def test_grid_holds_each_image_in_order():
    batch = np.arange(5 * 4 * 3 * 3, dtype=np.uint8).reshape(5, 4, 3, 3)
    sheet = images.grid(batch, columns=2, pad=2)
    assert sheet.shape == (3 * 6 + 2, 2 * 5 + 2, 3)
    np.testing.assert_array_equal(sheet[2:6, 7:10], batch[1])
    np.testing.assert_array_equal(sheet[14:18, 2:5], batch[4])


def test_png_keeps_pixels_and_provenance(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (8, 8, 1), np.uint8)
    about = {'config': 'x', 'seed': 3}
    images.save_png(tmp_path / 'a' / 'x.png', image, about)
    assert images.read_provenance(tmp_path / 'a' / 'x.png') == about
    np.testing.assert_array_equal(
        np.asarray(Image.open(tmp_path / 'a/x.png')), image[..., 0]
    )


def test_time_lapse_follows_the_steps(tmp_path):
    for step, value in ((100, 10), (20, 200), (3, 90)):
        images.save_png(tmp_path / f'{step}.png', np.full((4, 4, 3), value, np.uint8))
    assert images.time_lapse(tmp_path, tmp_path / 'all.gif')
    gif = Image.open(tmp_path / 'all.gif')
    shades = []
    for frame in range(3):
        gif.seek(frame)
        shades.append(gif.convert('RGB').getpixel((0, 0))[0])
    assert shades == [90, 200, 10]


def test_films_tell_other_programs_what_made_them(tmp_path):
    """By XMP where its specification wants it, which readers of blocks pass over."""
    frames = list(np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), np.uint8))
    about = {'digital_source_type': 'trainedAlgorithmicMedia', 'seed': 1}
    term = 'http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia'
    gif = tmp_path / 'film.gif'
    images.save_gif(gif, frames, provenance=about)
    with Image.open(gif) as film:
        assert film.n_frames == 3 and json.loads(film.info['comment']) == about
        pixels = [np.asarray(f.convert('RGB')) for f in ImageSequence.Iterator(film)]
    raw = gif.read_bytes()
    start = raw.index(b'!\xff\x0bXMP DataXMP')
    assert start == 13 + 3 * 2 ** ((raw[10] & 7) + 1)  # after the table of colours
    packet = raw[start + 14 : raw.index(b'?>\x01\xff\xfe', start) + 2]
    assert packet.decode().startswith('<?xpacket') and term.encode() in packet
    images.save_gif(tmp_path / 'silent.gif', frames)
    with Image.open(tmp_path / 'silent.gif') as film:
        for a, b in zip(pixels, ImageSequence.Iterator(film), strict=True):
            np.testing.assert_array_equal(a, np.asarray(b.convert('RGB')))


def test_mp4_carries_xmp(tmp_path):
    av = pytest.importorskip('av')
    frames = list(np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), np.uint8))
    about = {'digital_source_type': 'algorithmicMedia'}
    images.save_mp4(tmp_path / 'film.mp4', frames, provenance=about)
    raw, at, boxes = (tmp_path / 'film.mp4').read_bytes(), 0, {}
    while at < len(raw):
        size = int.from_bytes(raw[at : at + 4], 'big')
        boxes[raw[at + 4 : at + 8]] = raw[at + 8 : at + size]
        at += size
    assert at == len(raw) and {b'ftyp', b'moov', b'mdat'} <= boxes.keys()
    assert boxes[b'uuid'][:4] == bytes.fromhex('be7acfcb')
    assert b'digitalsourcetype/algorithmicMedia' in boxes[b'uuid']
    with av.open(str(tmp_path / 'film.mp4')) as film:
        assert len(list(film.decode(video=0))) == 3
    assert json.loads(images.comment_of_mp4(tmp_path / 'film.mp4')) == about
