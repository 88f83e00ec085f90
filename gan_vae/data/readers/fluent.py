"""fluent:KIND: Fluent emoji as line drawings, flat or in 3-D, by npm, MIT; and
fluent:KIND>KIND: those of two kinds as pairs.

The three kinds have the same names (captions), categories (labels) and splits, so that
pictures pair by their names. The splits are 80/10/10 by the hash of the family: the
name without who it is and in which colour, as line drawings of both are often the same.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from gan_vae.data import cache, fluent, listing, prepared
from gan_vae.data.pictures import Fit, fit
from gan_vae.data.settings import Settings
from gan_vae.data.source import Examples, paired
from gan_vae.data.splits import ByHash
from gan_vae.data.vector_art import drawing
from gan_vae.errors import unknown

licence = fluent.LICENCE
KIND, REST = 'images', 'line|flat|3d'


def load(rest: str, split: str, settings: Settings) -> Examples:
    """The emoji of `split` ('train', 'test', 'train+test', 'all'), of one kind, or the
    pairs of two."""
    first, arrow, second = rest.partition('>')
    if not arrow:
        return _of_kind(rest, split, settings)
    return paired(*(_of_kind(kind, split, settings) for kind in (first, second)))


def _of_kind(rest: str, split: str, settings: Settings) -> Examples:
    if rest not in fluent.PACKAGES:
        raise unknown('kind of fluent', rest, fluent.PACKAGES)
    how, by_hash = Fit.of(settings), ByHash('fluent', split)
    folder = prepared.data_dir(settings.dir) / 'downloads'
    used = ['flat', 'line', rest]
    key: dict[str, Any] = {
        'fluent': [fluent.PACKAGES[kind].sha256 for kind in used],
        'tenths': by_hash.tenths,
        'most': by_hash.most,
        'fit': how,
    }
    if rest != '3d':
        drawing.check_versions()
        key['versions'] = drawing.VERSIONS

    def parse(about: dict[str, Any]) -> Iterator[tuple[np.ndarray, int, str]]:
        emoji = fluent.read(rest, folder)
        classes = sorted({one.category for one in emoji})
        about['class_names'] = classes
        chosen = by_hash.of({one.family for one in emoji})
        inside = [one for one in emoji if one.family in chosen][: by_hash.most]
        for one in listing.progress(inside, 'fluent', len(inside), 'emoji drawn'):
            if one.svg:
                image = drawing.render(one.svg, how.size, how.channels, how.colour())
            else:
                image = fit(one.picture(), how)
            yield image, classes.index(one.category), one.caption

    return cache.cached(key, how.shape, parse, settings)
