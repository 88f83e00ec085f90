"""Drawings by pen strokes [T, 3] as pictures, SVG files and animations.

A step (dx, dy, lifted), of Ha & Eck 2017, arXiv:1704.03477: the way to the next point,
x to the right and y down, and whether the pen is lifted there. It starts at (0, 0).
"""

import html
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gan_vae import files, images

SIZE = 64  # pixels of a side, in a grid
PAPER, INK, PEN = (252, 251, 248), (30, 32, 40), (214, 64, 42)
PROMPT = (36, 103, 182)
_MARGIN = 0.08  # of the side
_WIDTH = 0.02  # of the side
_FINE = 4  # drawn so much larger, and reduced


def polylines(strokes: np.ndarray) -> list[np.ndarray]:
    """The points [n, 2] of each line on the paper.

    The first starts at (0, 0), each other where the pen was set down: the point that it
    reached in the air. One point is a dot.
    """
    strokes = np.asarray(strokes, np.float64)
    points = np.pad(np.cumsum(strokes[:, :2], 0), ((1, 0), (0, 0)))
    lines = np.split(
        points, np.flatnonzero(strokes[:, 2] > 0.5) + 2
    )  # 1 for the origin
    return [line for line in lines if len(line)]


def picture(strokes: np.ndarray, size: int = SIZE, prompt_steps: int = 0) -> np.ndarray:
    """uint8 [size, size, 3], smooth, the drawing in the middle; the first
    `prompt_steps` in another ink."""
    prompt = polylines(strokes[:prompt_steps]) if prompt_steps else []
    return _drawn(polylines(strokes), _fit(strokes, size), size, prompt=prompt)


def pictures(drawings: list[np.ndarray], prompt_steps: int = 0) -> np.ndarray:
    """uint8 [n, SIZE, SIZE, 3]."""
    return np.stack([picture(each, SIZE, prompt_steps) for each in drawings])


def to_svg(strokes: np.ndarray, provenance: dict | None = None) -> str:
    """The drawing as SVG, its points as they are; `provenance` is JSON metadata."""
    lines = polylines(strokes)
    low, side, size = _box(strokes)
    margin = _MARGIN * side
    box = ' '.join(map(_number, [*(low - margin), *(size + 2 * margin)]))
    paths = ''.join(f'<path d="{_path(line)}"/>\n' for line in lines)
    metadata = ''
    if provenance is not None:
        text = html.escape(json.dumps(provenance, sort_keys=True), quote=False)
        metadata = f'<metadata>{text}</metadata>\n'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}">\n{metadata}'
        f'<g fill="none" stroke="#{bytes(INK).hex()}" stroke-linecap="round" '
        f'stroke-linejoin="round" stroke-width="{_number(_WIDTH * side)}">\n'
        f'{paths}</g>\n</svg>\n'
    )


def pen_frames(
    strokes: np.ndarray, size: int = 192, frames: int = 60
) -> list[np.ndarray]:
    """At most `frames` of uint8 [size, size, 3]: the pen, a dot, goes its way at one
    speed; the last is the `picture`."""
    strokes = np.asarray(strokes, np.float64)
    fit = _fit(strokes, size)
    ends = np.cumsum(np.hypot(*strokes[:, :2].T))
    if not ends.any():
        return [picture(strokes, size)]
    shots = []
    for way in np.linspace(0, ends[-1], frames + 1)[1:-1]:
        last = int(np.searchsorted(ends, way))
        before = ends[last - 1] if last else 0.0
        drawn = strokes[: last + 1].copy()
        drawn[last, :2] *= (way - before) / (ends[last] - before)
        lines = polylines(drawn)
        shots.append(_drawn(lines, fit, size, pen=lines[-1][-1]))
    return [*shots, picture(strokes, size)]


def audio(strokes: np.ndarray) -> None:
    """Drawings make no sound."""
    return None


def save(
    path: Path, strokes: np.ndarray, provenance: dict, prompt_steps: int = 0
) -> list[Path]:
    """Writes PATH.svg, .png and .gif, each with its provenance."""
    path = Path(path)
    svg, png, gif = (path.with_name(f'{path.name}.{k}') for k in ('svg', 'png', 'gif'))
    files.write(svg, to_svg(strokes, provenance))
    images.save_png(png, picture(strokes, 256, prompt_steps), provenance)
    images.save_gif(gif, pen_frames(strokes), seconds=3.0, provenance=provenance)
    return [svg, png, gif]


def _box(strokes: np.ndarray):
    """The upper left corner, the longer side and both sides of what is drawn."""
    points = np.concatenate(polylines(strokes))
    low, high = points.min(0), points.max(0)
    side = (high - low).max()
    return low, side if side > 0 else 1.0, high - low


def _fit(strokes: np.ndarray, size: int):
    """A function from points to pixels of a square."""
    low, side, box = _box(strokes)
    scale = (1 - 2 * _MARGIN) * size / side
    return lambda points: (points - low - box / 2) * scale + size / 2


def _drawn(
    lines: list, fit, size: int, pen=None, prompt: Sequence[np.ndarray] = ()
) -> np.ndarray:
    """The lines, those of a prompt over them, and the tip of a pen."""
    from PIL import Image, ImageDraw

    side = size * _FINE
    sheet = Image.new('RGB', (side, side), PAPER)
    ink, width = ImageDraw.Draw(sheet), max(_FINE, round(_WIDTH * side))

    def dot(point, radius, colour):
        ink.ellipse([*(point - radius), *(point + radius)], colour)

    coloured = [(line, INK) for line in lines] + [(line, PROMPT) for line in prompt]
    for line, colour in coloured:
        corners = fit(line) * _FINE
        ink.line([*corners.ravel()], colour, width)
        for corner in corners:  # Pillow's joints leave gaps in sharp bends
            dot(corner, width / 2, colour)
    if pen is not None:
        dot(fit(pen) * _FINE, 1.5 * width, PEN)
    return np.asarray(sheet.resize((size, size), Image.Resampling.BOX))


def _number(value: float) -> str:
    return f'{value + 0.0:.7g}'


def _path(line: np.ndarray) -> str:
    """A dot is a path that goes nowhere: its round caps show."""
    points = line if len(line) > 1 else line.repeat(2, 0)
    return 'M' + 'L'.join(f'{_number(x)} {_number(y)}' for x, y in points)
