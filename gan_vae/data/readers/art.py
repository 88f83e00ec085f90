"""art:STYLE[=N][+STYLE[=N]...]: vector drawings of DiceBear, each style a class.

N drawings of each style over all splits, 3,000 where nothing is said, less those that
look like an earlier one. `art` alone is art:critters+landscape+planets+sprouts. They
are drawn at the size that is asked for, 3 to 8 ms of one core each, and then cached.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from gan_vae.data import cache
from gan_vae.data.pictures import Fit
from gan_vae.data.settings import Settings
from gan_vae.data.source import Examples
from gan_vae.data.splits import joined
from gan_vae.data.vector_art import (
    captions,
    drawing,
    factors,
    licences,
    painter,
    splits,
)
from gan_vae.data.vector_art.styles import of as words_of
from gan_vae.errors import UserError

KIND = 'images'
REST = 'STYLE+STYLE'
DEFAULT = 'critters+landscape+planets+sprouts'
COUNT, MOST = 3000, 1_000_000  # of a style
LEAST_SIZE = 16
FEW = 200  # a slice that is drawn before other processes would have started


class Drawing(NamedTuple):
    """One example, its split, and {factor: value} of what is seen in it."""

    split: str
    style: str
    image: np.ndarray
    seen: dict[str, str]


def licence(rest: str, settings: Settings) -> str:
    """Those of its styles."""
    styles = parse(rest)
    return ', '.join(dict.fromkeys(licences.of(style).name for style in styles))


def load(rest: str, split: str, settings: Settings) -> Examples:
    """The drawings of `split`: 'train', 'test_comp', 'train[:64]', 'all'.

    Their factors are named 'critters.body' and the like.
    """
    drawing.check_versions()
    styles = parse(rest)
    parts, most = joined('art', split, splits.NAMES)
    how = Fit.of(settings)
    if how.size < LEAST_SIZE:
        raise UserError(
            f'config.data.image_size={how.size}: nothing can be seen in art below '
            f'{LEAST_SIZE} pixels'
        )
    names = factor_values(styles)
    key = {
        'art': list(styles.items()),
        'versions': drawing.VERSIONS,
        'background': how.colour(),
        'factors': names,
    }

    def cached(key: dict[str, Any], drawn: Iterable[Drawing], settings: Settings):
        parsed = partial(_examples, drawn, list(styles), names)
        return cache.cached(key, how.shape, parsed, settings)

    if most is not None:
        few = (d for d in distinct(styles, how, most <= FEW) if d.split in parts)
        key |= {'parts': parts, 'most': most}
        found = [cached(key, islice(few, most), settings)]
    else:
        drawn: list[Drawing] = []

        def of(part: str) -> Iterator[Drawing]:
            if not drawn:  # and only then, as the part may be in the cache
                drawn.extend(distinct(styles, how))
            yield from (d for d in drawn if d.split == part)

        # All of them, as each needs all drawings; what is not asked for, on disk only.
        on_disk = Settings(storage='stream')
        every = {
            part: cached(
                key | {'part': part},
                of(part),
                settings if [part] == parts else on_disk,
            )
            for part in splits.NAMES
        }
        found = [every[part] for part in parts]
    whole = joint(found)._replace(factor_values=names, note=licences.note(styles))
    return whole._replace(captions=captions.of(whole), reworded=captions.of)


def parse(rest: str) -> dict[str, int]:
    """{style: how many} of REST; a UserError that says what it should be."""
    styles: dict[str, int] = {}
    for word in rest.split('+'):
        match = re.fullmatch(r'([^=]+)(?:=(\d{1,9}))?', word.strip())
        if not match or not 1 <= int(match[2] or COUNT) <= MOST:
            raise UserError(
                f'art:{rest}: {word!r} is not STYLE or STYLE=N with N from 1 to '
                f'{MOST:,}, as in art:critters+sprouts=5000'
            )
        drawing.definition(match[1])
        if match[1] in styles:
            raise UserError(f'art:{rest}: {match[1]} is there twice')
        styles[match[1]] = int(match[2] or COUNT)
    return styles


def factor_values(styles: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """{'critters.body': its values, 'none' at last} of the styles that have words."""
    return {
        f'{style}.{factor}': factors.values(style, factor)
        for style in styles
        if (words := words_of(style))
        for factor in words.factors
    }


def distinct(
    styles: dict[str, int], how: Fit, alone: bool = False
) -> Iterator[Drawing]:
    """The drawings, number by number, less those that look like an earlier one."""
    pictures = (
        (style, number)
        for number in range(max(styles.values()))
        for style, count in styles.items()
        if number < count
    )
    total, already = sum(styles.values()), set[str | bytes]()
    for style, options, image in painter.paint(pictures, total, how, alone):
        same = splits.key(style, options), hashlib.sha256(image.tobytes()).digest()
        if already.isdisjoint(same):
            seen = factors.seen(style, options)
            yield Drawing(splits.split(style, options), style, image, seen)
        already.update(same)


def _examples(
    drawn: Iterable[Drawing],
    classes: list[str],
    names: dict[str, tuple[str, ...]],
    about: dict[str, Any],
) -> Iterator[tuple[np.ndarray, int, str]]:
    """What the cache takes of a set: see cache.cached."""
    found: dict[str, list[int]] = {name: [] for name in names}
    about |= {'class_names': classes, 'factors': found}
    for one in drawn:
        for name, among in names.items():
            style, _, factor = name.partition('.')
            value = one.seen[factor] if style == one.style else factors.NONE
            found[name].append(among.index(value))
        yield one.image, classes.index(one.style), ''


def joint(parts: list[Examples]) -> Examples:
    """Several parts of a set as one, in memory where there are several."""
    first, *others = parts
    if not others:
        return first
    labels = [part.labels for part in parts if part.labels is not None]
    tables = [part.factors for part in parts if part.factors]
    return first._replace(
        images=np.concatenate([part.images for part in parts]),
        labels=np.concatenate(labels),
        factors={
            name: np.concatenate([table[name] for table in tables])
            for name in first.factors or {}
        }
        or None,
    )
