"""crops:PATH: squares out of the pictures of a folder, for networks of any picture.

A picture is cut at its own size, at a half and at a quarter of it into squares of the
size of the set, each of which overlaps its neighbours by half. Flat squares are left
out. The squares of a picture are all of one split.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image

from gan_vae.data import cache, licences, listing
from gan_vae.data.pictures import Unusable, opaque, open_picture
from gan_vae.data.settings import Settings
from gan_vae.data.source import Examples
from gan_vae.data.splits import ByHash
from gan_vae.errors import UserError

KIND, REST, PLACE = 'images', 'PATH', True
SCALES = 1, 2, 4
FLAT = 4.0  # grey levels: the deviation below which a square shows nothing
MOST = 400  # squares of a picture, of all that it has, evenly


def licence(path: str, settings: Settings) -> str:
    """As files of the folder say."""
    return licences.of_folder(path)


def load(path: str, split: str, settings: Settings) -> Examples:
    """The squares of the pictures of `split` ('train', 'test', 'all')."""
    root, files, names, left_out = listing.of(path)
    by_hash, size = ByHash(repr(path), split), settings.image_size
    chosen = by_hash.of(names)
    shape = size, size, settings.channels
    stamps = [(name, file.stat()) for file, name in zip(files, names, strict=True)]
    identity = {
        'crops': str(root.resolve()),
        'files': [(name, s.st_size, s.st_mtime_ns) for name, s in stamps],
        'tenths': by_hash.tenths,
        'most': by_hash.most,
    }

    def parse(about: dict[str, Any]) -> Iterator[tuple[np.ndarray, int, str]]:
        skipped, count = [], 0
        both = [pair for pair in zip(files, names, strict=True) if pair[1] in chosen]
        for file, name in listing.progress(both, path, len(both)):
            try:
                squares = of_picture(open_picture(file), size, settings.channels)
            except Unusable as error:
                skipped.append(f'{name} ({error})')
                continue
            for square in squares:
                count += 1
                yield square, -1, name
        if not count and not both and files:
            raise by_hash.nothing(path, len(files))
        note = listing.note(left_out + skipped)
        if not count:
            raise UserError(
                f'no squares of {size} pixels in {path!r} (split {split!r})'
                + (f'; {note}' if note else '')
            )
        about['note'] = note

    found = cache.cached(identity, shape, parse, settings)
    return found._replace(note=f'{path!r}: {found.note}' if found.note else '')


def of_picture(picture: Image.Image, size: int, channels: int) -> list[np.ndarray]:
    """Squares uint8 [size, size, channels]; Unusable where it is smaller than one."""
    if min(picture.size) < size:
        raise Unusable(f'only {picture.width}x{picture.height}')
    picture, squares = opaque(picture, (255, 255, 255)), []
    picture = picture.convert('L' if channels == 1 else 'RGB')
    for scale in SCALES:
        width, height = (side // scale for side in picture.size)
        if min(width, height) < size:
            break
        small = picture.resize((width, height), Image.Resampling.BOX)
        pixels = np.asarray(small).reshape(height, width, channels)
        step = size // 2
        squares += [
            square
            for top in range(0, height - size + 1, step)
            for left in range(0, width - size + 1, step)
            for square in [pixels[top : top + size, left : left + size]]
            if square.std((0, 1)).max() >= FLAT
        ]
    rows = np.unique(np.linspace(0, len(squares) - 1, MOST).astype(int))
    return [squares[row] for row in rows] if squares else []
