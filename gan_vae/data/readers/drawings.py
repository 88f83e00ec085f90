"""drawings:PATH: an artist's own drawings, a folder of SVG files, as pen strokes.

Each path is flattened and simplified (Douglas & Peucker 1973), and the longer side of a
drawing is 255 units, as in Ha & Eck 2017, arXiv:1704.03477. Files are split 80/10/10 by
the hash of their names, as pictures are. A file of a kilobyte may ask for a million
shapes, by <use> of <use>, or for a million points: both are counted before they are
made.
"""

import io
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.parsers import expat

import numpy as np

from gan_vae import modules
from gan_vae.data import listing
from gan_vae.data.pictures import Unusable
from gan_vae.data.sequences import Sequences
from gan_vae.data.settings import Settings
from gan_vae.data.splits import ByHash
from gan_vae.errors import UserError

KIND, REST, PLACE = 'strokes', 'PATH', True
SIDE = 255.0
NEAR = 2.0  # units that a line may be off
MOST = 250  # points of a drawing
LARGEST = 2**20  # bytes of a file
MOST_ELEMENTS = 20_000  # of a file, with what <use> repeats
MOST_RAW = 50_000  # points of a drawing before it is simplified
WIDEST = 1e9  # of coordinates and sides, in units of the file
_FINE = 32  # points of a curve before it is simplified


def load(path: str, split: str, settings: Settings | None = None) -> Sequences:
    """The drawings of `split` ('train', 'test', 'train+test', 'all')."""
    where, folder = repr(path), listing.of(path, '.svg')
    by_hash = ByHash(where, split)
    chosen = by_hash.of(folder.names)
    inside = [f for f in zip(folder.files, folder.names, strict=True) if f[1] in chosen]
    drawings, skipped = [], []
    for file, name in listing.progress(inside, where, len(inside)):
        try:
            drawings.append(_strokes_in(file))
        except (Unusable, OSError) as error:
            skipped.append(f'{name} ({getattr(error, "strerror", None) or error})')
    note = listing.note(folder.left_out + skipped)
    if folder.files and not inside:
        raise by_hash.nothing(where, len(folder.files))
    if not drawings:
        raise UserError(
            f'no usable drawings in {where} (split {split!r}): it takes SVG files, '
            f'subfolders too, and has {len(inside)}. {note}'.rstrip()
        )
    note = f'{where}: {note}' if note else ''
    return Sequences('strokes', tuple(drawings), note=note)


def read(path: str | Path) -> np.ndarray:
    """`strokes_of` one file; a UserError where it is no drawing."""
    try:
        return _strokes_in(Path(path))
    except OSError as error:
        raise UserError(f'cannot read {path}: {error.strerror}') from error
    except Unusable as error:
        raise UserError(
            f'{path} is no drawing in SVG that can be used: {error}'
        ) from error


def _strokes_in(file: Path) -> np.ndarray:
    if file.stat().st_size > LARGEST:
        raise Unusable('more than 1 MiB')
    return strokes_of(file.read_bytes())


def strokes_of(svg: bytes) -> np.ndarray:
    """float32 [T, 3], whole numbers (dx, dy, lifted), of an SVG file.

    Raises Unusable: not SVG, entities in it, nothing drawn, more than MOST points.
    """
    svgelements = modules.optional(
        'svgelements', 'drawings', 'svgelements', 'sequences'
    )
    try:
        _refuse_bombs(svg)
        lines, left = [], MOST_RAW
        for shape in svgelements.SVG.parse(io.BytesIO(svg)).elements():
            if not isinstance(shape, svgelements.Shape):
                continue
            for part in svgelements.Path(shape).as_subpaths():
                points = itertools.islice(_points(part), left + 1)
                lines.append(np.array([[p.x, p.y] for p in points]))
                left -= len(lines[-1])
                if left < 0:
                    raise Unusable(f'more than {MOST_RAW} points, unsimplified')
    except Unusable:
        raise
    except Exception as error:  # of a parser of a large format
        words = f'{type(error).__name__}: {error}'.splitlines()[0][:80]
        raise Unusable(f'no readable SVG: {words}') from error
    lines = [line for line in lines if len(line) > 1]
    if not all((np.abs(line) < WIDEST).all() for line in lines):
        raise Unusable(f'coordinates that are no numbers below {WIDEST:g}')
    side = np.ptp(np.concatenate(lines), 0).max() if lines else 0.0
    if side * WIDEST < 1:
        raise Unusable('nothing is drawn in it')
    lines = [np.round(simplified(line * (SIDE / side), NEAR)) for line in lines]
    if sum(map(len, lines)) > MOST:
        raise Unusable(f'more than {MOST} points')
    lifted = np.concatenate([np.arange(len(line)) == len(line) - 1 for line in lines])
    ways = np.diff(np.concatenate(lines), axis=0)  # from the first point
    return np.concatenate([ways, lifted[1:, None]], -1).astype(np.float32)


def simplified(line: np.ndarray, near: float, most: int = MOST) -> np.ndarray:
    """The points of a line [n, 2] without which it would be off by more than `near`.

    Of a line that needs more than `most`, some of more than `most`: all would take a
    time of n squared.
    """
    keep = np.zeros(len(line), bool)
    keep[[0, -1]] = True
    open_parts = [(0, len(line) - 1)]
    while open_parts and keep.sum() <= most:
        first, last = open_parts.pop()
        if last - first < 2:
            continue
        inner, way = line[first + 1 : last] - line[first], line[last] - line[first]
        length = np.hypot(*way)
        if length > 0:  # as far as the segment, not its line
            share = np.clip(inner @ way / length**2, 0, 1)
            inner = inner - share[:, None] * way
        distance = np.hypot(*inner.T)
        farthest = int(distance.argmax())
        if distance[farthest] > near:
            middle = first + 1 + farthest
            keep[middle] = True
            open_parts += [(first, middle), (middle, last)]
    return line[keep]


def _points(part: Any) -> Iterator[Any]:
    """Points along a subpath: ends of straight lines, many of a curve."""
    import svgelements

    straight = svgelements.Line, svgelements.Close, svgelements.Move
    for segment in part:
        if segment.end is None:
            continue
        if isinstance(segment, straight):
            yield segment.end
        else:
            for n in range(1, _FINE + 1):
                yield segment.point(n / _FINE)


def _refuse_bombs(svg: bytes):
    """Unusable where entities are declared, in any encoding, or <use> repeats too much.

    A document type without entities, as old editors write it, is harmless.
    """
    from svgelements import SVG

    def refuse(*_):
        raise Unusable('it declares entities')

    parser = expat.ParserCreate()
    parser.EntityDeclHandler = refuse
    parser.Parse(svg, True)
    # svgelements' own walk, which repeats what is used, but only as it is asked for
    count = size = 0
    walk = SVG._use_structure_parse  # pyright: ignore[reportPrivateUsage]
    for _, event, element in walk(io.BytesIO(svg)):
        if event == 'start':
            count, size = count + 1, size + sum(map(len, element.attrib.values()))
        if count > MOST_ELEMENTS or size > LARGEST:
            raise Unusable(f'more than {MOST_ELEMENTS} elements or 1 MiB, repeated')
