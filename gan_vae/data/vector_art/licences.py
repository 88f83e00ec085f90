"""Under which licence each style is: as its file says, field `meta`.

DiceBear's own code is MIT; the drawings are the artists'. A model trained on drawings
makes others like them, so one is shipped only where all of them are CC0.
"""

from collections.abc import Iterable
from typing import NamedTuple

from gan_vae.data.vector_art import drawing

CC0 = 'CC0 1.0'


class Licence(NamedTuple):
    """What a style's file says of its rights."""

    name: str  # 'CC0 1.0', 'CC BY 4.0', 'MIT', 'Free for personal and commercial use'
    url: str
    creator: str
    source: str  # the URL of the original drawings
    text: str  # the line of attribution


def of(style: str) -> Licence:
    """The licence of a style; a UserError for one that is not drawn."""
    meta = drawing.definition(style)['meta']
    licence = meta['license']
    return Licence(
        licence['name'].rstrip('.'),
        licence.get('url', ''),
        meta['creator']['name'],
        meta['source']['url'],
        licence.get('text', ''),
    )


def may_ship(styles: Iterable[str]) -> bool:
    """Whether models of a set of these styles may be part of the package: all CC0."""
    return all(of(style).name == CC0 for style in styles)


def note(styles: Iterable[str]) -> str:
    """Which styles are not CC0, and whose they are, in one line; '' where all are."""
    others = [
        f'{style} is {licence.name} by {licence.creator}'
        for style in styles
        if (licence := of(style)).name != CC0
    ]
    return f'art: {", ".join(others)}: name them where you share' if others else ''
