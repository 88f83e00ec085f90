"""art_pairs:STYLE[=N],FACTOR=VALUE: pairs of drawings in which one factor differs.

The first is a drawing as of `art`, the second the same with VALUE in place of what it
has: art_pairs:critters,eyes=wink. N pairs over all splits, 3,000 where nothing is said,
less those of drawings that have VALUE already. Splits are those of the first drawing,
and the caption is its number. A colour is written as in `art_pairs:critters,
backgroundColor=#047857`.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np

from gan_vae.data import cache, listing
from gan_vae.data.pictures import Fit
from gan_vae.data.readers import art
from gan_vae.data.settings import Settings
from gan_vae.data.source import Examples
from gan_vae.data.splits import joined
from gan_vae.data.vector_art import drawing, factors, licences, splits, styles
from gan_vae.data.vector_art.words import NONE
from gan_vae.errors import UserError, unknown

KIND, REST = 'images', 'STYLE,FACTOR=VALUE'


def licence(rest: str, settings: Settings) -> str:
    """Those of its styles."""
    styles = [parse(rest)[0]]
    return ', '.join(dict.fromkeys(licences.of(style).name for style in styles))


def load(rest: str, split: str, settings: Settings) -> Examples:
    """The pairs of `split`: the channels of the first drawing, then of the second."""
    drawing.check_versions()
    parts, most = joined('art_pairs', split, splits.NAMES)
    style, count, factor, value = parse(rest)
    how = Fit.of(settings)
    key = {
        'art_pairs': [style, count, factor, value],
        'versions': drawing.VERSIONS,
        'background': how.colour(),
        'parts': parts,
        'most': most,
        'channels': how.channels,
    }
    height, width, channels = how.shape

    def parse_pairs(about: dict[str, Any]) -> Iterator[tuple[np.ndarray, int, str]]:
        numbers = listing.progress(range(count), 'art_pairs', count, 'pairs drawn')
        some = pairs(style, numbers, factor, value, parts)
        for number, svgs in islice(some, most):
            both = [
                drawing.render(svg, how.size, how.channels, how.colour())
                for svg in svgs
            ]
            yield np.concatenate(both, -1), -1, str(number)

    shape = height, width, 2 * channels
    found = cache.cached(key, shape, parse_pairs, settings)
    if not found.size:
        raise UserError(f'art_pairs:{rest} has no pair in the split {split!r}')
    return found._replace(note=licences.note([style]))


def parse(rest: str) -> tuple[str, int, str, str]:
    """(style, N, factor, value) of REST; a UserError that says what it should be."""
    first, comma, change = rest.partition(',')
    factor, equals, value = change.strip().partition('=')
    if not (comma and equals and value):
        raise UserError(
            f'art_pairs:{rest}: write art_pairs:{REST}, as critters,eyes=wink'
        )
    ((style, count),) = art.parse(re.sub(r'\+.*', '', first)).items()
    if '+' in first:
        raise UserError(f'art_pairs:{rest}: takes one style')
    words = styles.of(style)
    if not words or not words.factors:
        raise unknown('style with factors', style, styles.with_factors())
    if factor not in words.factors:
        raise unknown(f'factor of {style}', factor, words.factors)
    if value not in (among := factors.values(style, factor)):
        raise unknown(f'{factor} of {style}', value, among)
    return style, count, factor, value


def pairs(
    style: str, numbers: Any, factor: str, value: str, parts: list[str]
) -> Iterator[tuple[int, tuple[str, str]]]:
    """(number, SVGs of a drawing and of the changed one) of those numbers."""
    change: dict[str, Any] = {f'{factor}Variant': value}  # all else stays as it was
    if factor.endswith('Color'):
        change = {factor: [value]}
    elif value == NONE:
        change = {f'{factor}Probability': 0}
    for number in numbers:
        svg, options = drawing.draw(style, number)
        before = factors.seen(style, options)
        if before[factor] == value or splits.split(style, options) not in parts:
            continue
        changed, options = drawing.draw(style, number, **change)
        after = factors.seen(style, options)
        same = {k: v for k, v in before.items() if k != factor}
        if after[factor] == value and same.items() <= after.items():
            yield number, (svg, changed)
