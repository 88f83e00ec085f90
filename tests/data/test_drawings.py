"""A folder of SVG files as strokes."""

import numpy as np
import pytest

from gan_vae import data
from gan_vae.data.readers import drawings
from gan_vae.data.readers.drawings import Unusable, simplified, strokes_of
from gan_vae.errors import UserError
from gan_vae.media import strokes as media

pytest.importorskip('svgelements', reason='pip install "gan_vae[sequences]"')


def svg(body, head=''):
    space = 'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"'
    return f'{head}<svg {space}>{body}</svg>'.encode()


def test_lines_of_known_points():
    """A path, a line and a group that is moved: 10 units are 255."""
    found = strokes_of(
        svg(
            '<path d="M0 0 L10 0 L10 5"/>'
            '<g transform="translate(2 3)"><line x1="0" y1="0" x2="0" y2="2"/></g>'
        )
    )
    wanted = [[255, 0, 0], [0, 128, 1], [-204, -52, 0], [0, 52, 1]]
    np.testing.assert_allclose(found, wanted, atol=1.01)
    assert found.dtype == np.float32


def test_a_circle_is_a_few_points_near_it():
    found = strokes_of(svg('<circle cx="5" cy="5" r="4"/>'))
    points = np.cumsum(found[:, :2], 0)
    middle = (points.max(0) + points.min(0)) / 2
    off = np.hypot(*(points - middle).T) - 127.5
    assert 8 < len(points) < 40 and np.abs(off).max() < 4


def test_simplified_lines_are_no_farther_than_asked():
    t = np.linspace(0, 6, 200)
    line = np.stack([40 * t, 60 * np.sin(t)], -1)
    kept = simplified(line, 2.0)
    again = np.interp(line[:, 0], kept[:, 0], kept[:, 1])
    assert len(kept) < 25 and np.abs(again - line[:, 1]).max() < 3
    np.testing.assert_array_equal(simplified(line, 0.0)[[0, -1]], line[[0, -1]])


def test_what_is_written_is_read_again():
    values = np.array(
        [[255, 0, 0], [0, 90, 1], [-100, 20, 0], [-20, -60, 1]], np.float32
    )
    again = strokes_of(media.to_svg(values).encode())
    np.testing.assert_allclose(again, values, atol=1.01)


@pytest.mark.parametrize(
    'raw, said',
    [
        (b'no svg', 'no readable SVG'),
        (svg('<path d="M0 0 L'), 'readable|nothing'),
        (svg(''), 'nothing is drawn'),
        (svg('<path d="M1 1"/>'), 'nothing is drawn'),
        (svg('<text>&a;</text>', '<!DOCTYPE s [<!ENTITY a "b">]>'), 'entities'),
        (
            svg('<path d="&a;"/>', '<!DOCTYPE s [<!ENTITY a "M0 0 L9 9">]>')
            .decode()
            .encode('utf-16'),
            'entities',
        ),
        (svg('<path d="M-1e308 0 L1e308 5"/>'), 'below 1e\\+09'),
        (svg('<path d="M0 0 L1e-320 1e-320"/>'), 'nothing is drawn'),
        (svg('<path d="M0 0 L9 9"/><path d="M1 1 L1e999 5"/>'), 'below|readable'),
        (svg('<path d="M0 0 C' + '1 2 3 4 5 6 ' * 2000 + '"/>'), 'unsimplified'),
        (
            svg('<path d="M0 0 ' + 'L9 9 L0 9 L9 0 L0 0 ' * 80 + '"/>'),
            'more than 250 points$',
        ),
    ],
)
def test_what_cannot_be_used_says_why(raw, said):
    with pytest.raises(Unusable, match=said):
        strokes_of(raw)


def test_a_line_of_too_many_corners_is_left_early():
    """Each next swing is wider: the farthest point is always next to an end."""
    swings = np.linspace(1, 50, 40_000) * np.resize([1, -1], 40_000)
    line = 255 / 100 * np.stack([swings, np.arange(40_000) * 1e-4], -1)
    assert len(simplified(line, 2.0)) == 251


def used(depth: int) -> bytes:
    """A line ten times, ten times, ...: 10 ** depth lines from few bytes."""
    body = '<g id="u0"><path d="M0 0 L9 9"/></g>'
    for n in range(depth):
        body += f'<g id="u{n + 1}">' + f'<use href="#u{n}"/>' * 10 + '</g>'
    return svg(body)


def test_uses_of_uses_are_counted_before_they_are_made():
    """A million million lines, and a circle of uses, cost a second at most."""
    with pytest.raises(Unusable, match='elements'):
        strokes_of(used(12))
    with pytest.raises(Unusable, match='readable|elements'):
        strokes_of(svg('<g id="a"><use href="#a"/></g>'))
    assert len(strokes_of(used(1))) > 10
    long = '<path id="p" d="M0 0 ' + 'l1 1 ' * 40_000 + '"/>'
    with pytest.raises(Unusable, match='1 MiB, repeated'):
        strokes_of(svg(long + '<use href="#p"/>' * 200))


def test_a_folder(tmp_path, config):
    for number in range(12):
        body = f'<path d="M0 0 L{number + 1} 5 L3 9"/>'
        (tmp_path / f'{number}.svg').write_bytes(svg(body, '<!DOCTYPE svg>'))
    (tmp_path / 'bad.svg').write_text('oh')
    config.data.name, config.data.categories = f'drawings:{tmp_path}', ''
    found = data.examples(config.data, 'all')
    assert found.size == 12 and 'bad.svg' in found.note and found.kind == 'strokes'
    train, rest = (
        drawings.load(str(tmp_path), split) for split in ('train', 'validation+test')
    )
    assert train.size + rest.size == 12
    with pytest.raises(UserError, match='no folder'):
        drawings.load(str(tmp_path / 'none'), 'all')
    (tmp_path / 'empty').mkdir()
    with pytest.raises(UserError, match='no usable drawings'):
        drawings.load(str(tmp_path / 'empty'), 'all')
