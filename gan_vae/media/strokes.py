"""Drawings [T, 3] of pen strokes as pictures, SVG files and animations.

Each step is (dx, dy, lifted): the pen goes there, and is lifted after it, or not.
"""

import html
import json
import os
from pathlib import Path

import numpy as np

from gan_vae import images

PAPER, INK, PEN = (252, 251, 248), (32, 32, 40), (196, 60, 40)
FRAMES = 48  # of an animation, at most
_FINE = 4  # drawn larger by this, and made smaller again


def polylines(strokes: np.ndarray) -> list[np.ndarray]:
    """The points [n, 2] of each line the pen draws, from the start (0, 0).

    Of a line, the first point is where the pen is set down: the place that it was
    lifted to, so that the first way of a line is made in the air.
    """
    strokes = np.asarray(strokes, np.float64)
    points, lines, line = np.cumsum(strokes[:, :2], 0), [], []
    for point, lifted in zip(points, strokes[:, 2] > 0.5, strict=True):
        line.append(point)
        if lifted:
            lines.append(np.array(line))
            line = []
    return lines + [np.array(line)] * bool(line)


def picture(strokes: np.ndarray, size: int = 64) -> np.ndarray:
    """uint8 [size, size, 3], smooth, the drawing in the middle."""
    return _drawn(_fitted(polylines(strokes), size), size)


def pictures(drawings: list[np.ndarray]) -> np.ndarray:
    """uint8 [n, 64, 64, 3]."""
    return np.stack([picture(drawing) for drawing in drawings])


def svg(strokes: np.ndarray, about: dict | None = None) -> str:
    """The drawing as SVG, its points as they are; `about` as metadata."""
    lines = polylines(strokes)
    points = np.concatenate(lines)
    low, high = points.min(0), points.max(0)
    side = max(*(high - low), 1.0)
    margin, width = 0.06 * side, 0.02 * side
    x, y = low - margin
    box = f'{x:g} {y:g} {high[0] - low[0] + 2 * margin:g} '
    box += f'{high[1] - low[1] + 2 * margin:g}'
    paths = ''.join(f'<path d="{_path(line)}"/>\n' for line in lines)
    said = html.escape(json.dumps(about or {}, sort_keys=True))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}">\n'
        f'<metadata>{said}</metadata>\n'
        f'<g fill="none" stroke="rgb{INK}" stroke-width="{width:g}" '
        f'stroke-linecap="round" stroke-linejoin="round">\n{paths}</g>\n</svg>\n'
    )


def animation(strokes: np.ndarray, size: int = 192) -> list[np.ndarray]:
    """Frames uint8 [size, size, 3]: the pen draws, and then the whole drawing."""
    lines = _fitted(polylines(strokes), size)
    total = sum(map(len, lines))
    counts = np.unique(np.linspace(1, total, min(FRAMES, total)).astype(int))
    frames = []
    for count in counts:
        left, shown = int(count), []
        for line in lines:
            shown.append(line[:left])
            left -= len(line)
            if left <= 0:
                break
        frames.append(_drawn(shown, size, pen=shown[-1][-1]))
    return [*frames, _drawn(lines, size)]


def save(stem: Path, strokes: np.ndarray, about: dict) -> list[Path]:
    """STEM.png, .svg and .gif of one drawing."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    files = [stem.with_name(f'{stem.name}.{kind}') for kind in ('png', 'svg', 'gif')]
    images.save_png(files[0], picture(strokes, 256), about)
    part = stem.with_name(stem.name + '.part')
    part.write_text(svg(strokes, about))
    os.replace(part, files[1])
    images.save_gif(part, animation(strokes), seconds=3.0)
    os.replace(part, files[2])
    return files


def _path(line: np.ndarray) -> str:
    """A line of one point is a dot: a path that goes nowhere."""
    points = line if len(line) > 1 else line.repeat(2, 0)
    return 'M' + ' L'.join(f'{x:g} {y:g}' for x, y in points)


def _fitted(lines: list[np.ndarray], size: int) -> list[np.ndarray]:
    """The points in pixels of a square, in the middle of it."""
    points = np.concatenate(lines)
    low, high = points.min(0), points.max(0)
    scale = 0.84 * size / max(*(high - low), 1e-6)
    return [(line - (low + high) / 2) * scale + size / 2 for line in lines]


def _drawn(lines: list[np.ndarray], size: int, pen=None) -> np.ndarray:
    from PIL import Image, ImageDraw

    large = size * _FINE
    sheet = Image.new('RGB', (large, large), PAPER)
    ink, width = ImageDraw.Draw(sheet), max(2, round(0.022 * large))

    def dot(point, radius, colour):
        x, y = point
        ink.ellipse((x - radius, y - radius, x + radius, y + radius), colour)

    for line in lines:
        points = [tuple(point) for point in line * _FINE]
        if len(points) > 1:
            ink.line(points, INK, width, joint='curve')
        for point in (points[0], points[-1]):
            dot(point, width / 2, INK)
    if pen is not None:
        dot(tuple(pen * _FINE), 1.6 * width, PEN)
    return np.asarray(sheet.resize((size, size), Image.Resampling.LANCZOS))
