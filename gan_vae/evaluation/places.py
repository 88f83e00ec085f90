"""Sets of pictures to score: a folder, a ZIP file, arrays in a file, a prepared set.

A place is a folder of pictures, `zip:FILE`, a file of arrays (.npy of uint8
[n, H, W, C], or .npz with these as its first array and, if it has a second, integer
classes [n]), or a prepared set with its split, as cifar10:test ('all': every split).
"""

import contextlib
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
from PIL import ExifTags, Image

from gan_vae import arrays, data, files
from gan_vae.config import default
from gan_vae.data import listing
from gan_vae.data.pictures import Fit, fit_array
from gan_vae.data.readers import zip as zip_reader
from gan_vae.data.source import Examples
from gan_vae.errors import UserError

ARRAYS = ('.npy', '.npz')
CHANNELS = 3


class Place(NamedTuple):
    """A set as it is stored, before its pictures are made equal in size."""

    text: str  # as it was written
    name: str  # for cards, without folders of the machine
    set_name: str = ''  # as config.data.name
    split: str = ''
    sizes: Counter = Counter()  # {(width, height): pictures}, of files and arrays
    arrays: Examples | None = None  # of a file of arrays

    @property
    def common_size(self) -> int:
        """The most common shorter side in pixels, the smaller of two; 0: none."""
        sides = Counter(min(size) for size in self.sizes.elements())
        return min(sides, key=lambda side: (-sides[side], side), default=0)

    def flags(self, what: str) -> tuple[str, ...]:
        """What a card must say of pictures of mixed sizes; `what`: 'samples', ..."""
        if len(self.sizes) < 2:
            return ()
        small, large = (
            'x'.join(map(str, pick(self.sizes, key=np.prod))) for pick in (min, max)
        )
        return (f'the {what} are of {len(self.sizes)} sizes, {small} to {large} px',)

    @property
    def is_prepared(self) -> bool:
        """Whether it is a set with splits of its own."""
        return not self.sizes

    def fit(self, size: int) -> str:
        """How its pictures become size x size, in words."""
        if self.is_prepared:
            return f'fitted to {size} px by the reader of the set'
        steps = []
        if any(width != height for width, height in self.sizes):
            steps.append('the middle square cropped')
        if any(min(stored) != size for stored in self.sizes):
            steps.append(f'resized to {size} px by Lanczos')
        return ' and '.join(steps) if steps else 'as stored'


def opened(text: str) -> Place:
    """The Place of a text; a UserError where it is none."""
    path = files.expand(text)
    if path.suffix.lower() in ARRAYS and not path.is_dir():
        examples = _arrays(path, text)
        height, width = examples.images.shape[1:3]
        sizes = Counter({(width, height): examples.size})
        return Place(text, path.name, sizes=sizes, arrays=examples)
    set_name, split = data.place(text)
    if (kind := data.kind_of(set_name)) != 'images':
        raise UserError(f'{text} is of {kind}, and this compares pictures')
    prefix, _, rest = set_name.partition(':')
    if prefix not in SIZES:
        return Place(text, text, set_name, split)
    path = files.expand(rest)
    sizes = Counter(_sizes(SIZES[prefix](path)))
    return Place(text, path.resolve().name, set_name, split, sizes)


def examples(place: Place, size: int, split: str = '') -> Examples:
    """uint8 [n, size, size, 3] of a place; split: another one of its set."""
    how = Fit(size, CHANNELS)
    if place.arrays:
        images = np.stack([fit_array(image, how) for image in place.arrays.images])
        return place.arrays._replace(images=images)
    settings: Any = default.get_config().data
    settings.image_size, settings.channels = size, CHANNELS
    settings.storage, settings.name = 'stream', place.set_name
    return cast(Examples, data.examples(settings, split or place.split))


def _files(folder: Path) -> Iterator[Callable]:
    for file in listing.of(folder).files:
        yield partial(open, file, 'rb')


def _members(file: Path) -> Iterator[Callable]:
    with zip_reader.opened(file) as archive:
        for member in archive.infolist():
            parts = member.filename.split('/')
            if not member.is_dir() and not any(map(listing.ignored, parts)):
                yield partial(archive.open, member)


SIZES = {'folder': _files, 'zip': _members}  # the readers of files with sizes


def _sizes(streams: Iterator[Callable]) -> Iterator[tuple[int, int]]:
    """(width, height) by the headers of the pictures among files; nothing is decoded,
    and what is no picture is left out, as by the reader of the set."""
    for open_file in streams:
        try:
            with (
                warnings.catch_warnings(action='ignore'),  # of very large ones
                open_file() as stream,
                Image.open(stream, formats=('PNG', 'JPEG', 'WEBP', 'MPO')) as picture,
            ):
                width, height = picture.size
                with contextlib.suppress(Exception):  # of damaged EXIF
                    if picture.getexif().get(ExifTags.Base.Orientation, 1) > 4:
                        width, height = height, width  # it lies on its side
                yield width, height
        except Exception:  # of a damaged header anything may come
            continue


def _arrays(path: Path, text: str) -> Examples:
    try:
        stored = np.load(path, allow_pickle=False)
        stored = list(stored.values()) if path.suffix.lower() == '.npz' else [stored]
    except FileNotFoundError as error:
        raise UserError(f'there is no file {text}') from error
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f'{text}: not a file of arrays that NumPy reads') from error
    if not stored:
        raise UserError(f'{text} holds no array')
    images, *others = stored
    if images.ndim == 3 and images.shape[2] not in (1, 3, 4):  # grey, n of them
        images = images[..., None]
    images = arrays.pictures(images, f'the pictures of {text}')
    if images.shape[3] not in (1, 3, 4):
        raise UserError(f'{text}: pictures of {images.shape[3]} channels: give 1 or 3')
    if not others:
        return Examples(images)
    labels = others[0]
    if labels.shape != (len(images),) or labels.dtype.kind not in 'iu':
        raise UserError(
            f'{text}: its second array is {labels.dtype} {labels.shape}, and must be '
            f'the class of each picture, integers [{len(images)}]'
        )
    if labels.min() < 0:
        raise UserError(f'{text}: a class is negative: count them from 0')
    names = tuple(map(str, range(int(labels.max()) + 1)))
    return Examples(images, labels.astype(np.int32), names)
