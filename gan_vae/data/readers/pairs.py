"""pairs:FOLDER,FOLDER: pictures of two folders that have the same names, as pairs.

The names are those in the folders, without their last suffix: `a/cat.png` goes with
`a/cat.jpg`. A pair is one image: the channels of the first picture, then those of the
second.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from gan_vae.data import cache, licences, listing
from gan_vae.data.pictures import Fit, Unusable, fit, open_picture
from gan_vae.data.settings import Settings
from gan_vae.data.source import Examples
from gan_vae.data.splits import ByHash
from gan_vae.errors import UserError, counted

KIND, REST, PLACE = 'images', 'FOLDER,FOLDER', True


def licence(rest: str, settings: Settings) -> str:
    """As files of the folders say."""
    both = (licences.of_folder(place.strip()) for place in rest.split(','))
    return ', '.join(dict.fromkeys(filter(None, both)))


def load(rest: str, split: str, settings: Settings) -> Examples:
    """The pairs of `split` ('train', 'test', 'all'), by the hash of their names."""
    places = [place.strip() for place in rest.split(',')]
    if len(places) != 2 or not all(places):
        raise UserError(f'pairs:{rest}: write pairs:FOLDER,FOLDER')
    listings = [listing.of(place) for place in places]
    tables = [
        {_stem(name): file for file, name in zip(found.files, found.names, strict=True)}
        for found in listings
    ]
    names = [name for name in tables[0] if name in tables[1]]
    if not names:
        raise UserError(
            f'pairs:{rest}: no picture of the first folder has the name of one in the '
            'second'
        )
    by_hash, how = ByHash(repr(rest), split), Fit.of(settings)
    chosen = by_hash.of(names)
    stamps = [
        (name, *((s.st_size, s.st_mtime_ns) for t in tables for s in [t[name].stat()]))
        for name in names
    ]
    identity = {
        'pairs': [str(found.root.resolve()) for found in listings],
        'files': stamps,
        'tenths': by_hash.tenths,
        'most': by_hash.most,
        'fit': how,
    }

    def parse(about: dict[str, Any]) -> Iterator[tuple[np.ndarray, int, str]]:
        skipped, count = [], 0
        wanted = [name for name in names if name in chosen]
        if not wanted:
            raise by_hash.nothing(rest, len(names))
        for name in listing.progress(wanted, rest, len(wanted)):
            try:
                pair = [fit(open_picture(table[name]), how) for table in tables]
            except Unusable as error:
                skipped.append(f'{name} ({error})')
                continue
            count += 1
            yield np.concatenate(pair, -1), -1, listing.printable(name)
        note = listing.note(skipped)
        if not count:
            raise UserError(f'pairs:{rest}: no usable pair (split {split!r}); {note}')
        lone = sum(len(table) - len(names) for table in tables)
        notes = [note] if note else []
        if lone:
            notes.append(f'{counted(lone, "picture")} without a partner')
        about['note'] = '; '.join(notes)

    shape = (*how.shape[:2], 2 * how.channels)
    found = cache.cached(identity, shape, parse, settings)
    return found._replace(note=f'{rest!r}: {found.note}' if found.note else '')


def _stem(name: str) -> str:
    folder, slash, base = name.rpartition('/')
    return folder + slash + (base.rpartition('.')[0] or base)
