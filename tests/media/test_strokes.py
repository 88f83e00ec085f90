"""Drawings by strokes: lines, pictures, SVG files and animations."""

import json
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from gan_vae import images, media
from gan_vae.errors import UserError
from gan_vae.media import strokes

# a hook from the origin, a way in the air to (7, 5), a dot there, and a line
DRAWING = np.array(
    [[4, 0, 0], [0, 3, 1], [3, 2, 1], [-6, -1, 0], [0, 2.5, 0]], np.float32
)
LINES = [[[0, 0], [4, 0], [4, 3]], [[7, 5]], [[1, 4], [1, 6.5]]]


def test_polylines_begin_where_the_pen_is_set_down():
    assert [line.tolist() for line in strokes.polylines(DRAWING)] == LINES


def dark(picture):
    return np.asarray(picture, int).sum(-1) < 300


def test_picture_is_in_the_middle_and_keeps_its_aspect():
    square = np.array([[8, 0, 0], [0, 8, 0], [-8, 0, 0], [0, -8, 1]])
    picture = strokes.picture(square, 64)
    assert picture.shape == (64, 64, 3) and picture.dtype == np.uint8
    np.testing.assert_array_equal(picture, picture[::-1])
    np.testing.assert_array_equal(picture, picture.transpose(1, 0, 2))
    rows, columns = np.nonzero(dark(strokes.picture(square * [2, 1, 1], 100)))
    assert np.ptp(columns) == pytest.approx(84, abs=2)
    assert np.ptp(rows) == pytest.approx(42, abs=2)
    assert rows.mean() == pytest.approx(49.5, abs=1)
    np.testing.assert_array_equal(strokes.picture(square * [1e5, 1e5, 1], 64), picture)


def test_ways_in_the_air_leave_no_ink():
    apart = np.array([[0, 8, 1], [8, -8, 0], [0, 8, 1]])  # two uprights
    ink = dark(strokes.picture(apart, 64))
    assert ink[32, :8].any() and ink[32, -8:].any() and not ink[:, 16:48].any()


def test_what_was_given_has_another_ink():
    plain, begun = (strokes.picture(DRAWING, 96, n) for n in (0, 2))
    changed = (plain != begun).any(-1)
    lines = strokes.polylines(DRAWING[:2])
    assert changed.any() and len(lines) == 1
    blue = begun[changed].astype(int)
    assert (blue[:, 2] > blue[:, 0]).all()
    every = strokes.picture(DRAWING, 96, len(DRAWING))
    assert (every != plain).any(-1).sum() > changed.sum()


def test_drawings_of_any_length_are_of_one_size_even_without_a_way():
    drawings = [DRAWING, DRAWING[:1], np.zeros((3, 3)), np.zeros((0, 3))]
    assert strokes.pictures(drawings).shape == (4, 64, 64, 3)
    assert [len(strokes.pen_frames(d)) for d in drawings[1:]] == [60, 1, 1]


def test_svg_is_xml_with_exactly_the_points_and_the_provenance():
    about = {'config': '</metadata>&<!--', 'seed': 3}
    root = ET.fromstring(strokes.to_svg(DRAWING, about))
    space = '{http://www.w3.org/2000/svg}'
    assert json.loads(root.find(f'{space}metadata').text) == about
    found = [
        [[*map(float, point.split())] for point in re.split('[ML]', path.get('d'))[1:]]
        for path in root.iter(f'{space}path')
    ]
    assert found == [line if len(line) > 1 else line * 2 for line in LINES]
    x, y, width, height = map(float, root.get('viewBox').split())
    assert x < 0 and y < 0 and x + width > 7 and y + height > 6.5


def test_frames_follow_the_pen_and_end_with_the_picture():
    frames = strokes.pen_frames(DRAWING, 96, frames=30)
    assert len(frames) == 30
    np.testing.assert_array_equal(frames[-1], strokes.picture(DRAWING, 96))
    ink = [dark(frame) for frame in frames]
    final = ink[-1]
    red = [(f[..., 0] > 180) & (f[..., 1] < 120) for f in frames]
    assert all(r.any() for r in red[:-1]) and not red[-1].any()
    assert all((i & ~final).sum() <= 3 for i in ink)  # never ink of a way in the air
    counts = [(i | r & final).sum() for i, r in zip(ink, red, strict=True)]
    assert counts[0] < counts[10] < counts[20] < counts[29]
    tip = np.argwhere(red[0]).mean(0)  # near the origin, the upper left corner
    assert tip[0] < 20 and tip[1] < 20


def test_saved_files_hold_the_drawing_and_its_provenance(tmp_path):
    about = {'config': 'x' * 600, 'seed': 3}
    files = media.of('strokes').save(tmp_path / 'new' / 'a.b', DRAWING, about)
    assert [file.name for file in files] == ['a.b.svg', 'a.b.png', 'a.b.gif']
    assert {*(tmp_path / 'new').iterdir()} == {*files}
    svg, png, gif = files
    assert svg.read_text() == strokes.to_svg(DRAWING, about)
    assert images.read_provenance(png) == about
    assert Image.open(png).size == (256, 256)
    with Image.open(gif) as film:
        assert json.loads(film.info['comment']) == about
        film.seek(film.n_frames - 1)
        last = np.asarray(film.convert('RGB'), int)
        assert film.info['duration'] >= 2000
    assert np.abs(last - strokes.picture(DRAWING, last.shape[0])).max() <= 8


def test_of_knows_its_kinds():
    assert media.of('strokes').audio(DRAWING) is None
    with pytest.raises(UserError, match="did you mean 'rolls'"):
        media.of('roll')
