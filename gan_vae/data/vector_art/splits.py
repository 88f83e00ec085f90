"""The split of a drawing: 85/7/8 by the hash of its visible factors, pairs held out.

So two pictures that look alike are in one split. In a Latin square of the values of
two factors, one pair in six is held out: each value is trained on, the pair never.
"""

import functools
import json
import zlib
from typing import Any

from gan_vae.data.vector_art import drawing, labelled

NAMES = ('train', 'validation', 'test', 'test_comp')


def choice(options: dict[str, Any], factor: str) -> str:
    """The value of a factor among the choices of a drawing; 'none' where it lacks."""
    if factor.endswith('Color'):
        return next(iter(options.get(factor) or ()), 'none')
    return options.get(f'{factor}Variant', 'none')


@functools.cache
def values(style: str, factor: str) -> tuple[str, ...]:
    """All values of a factor, in the order of the style's file, and 'none' at last."""
    about = drawing.definition(style)
    if factor.endswith('Color'):
        known = about['colors'][factor.removesuffix('Color')]['values']
    else:
        known = about['components'][factor]['variants']
    return (*known, 'none')


def key(style: str, options: dict[str, Any]) -> str:
    """What two drawings that look the same have in common."""
    if style not in labelled.FACTORS:
        return json.dumps([style, options], sort_keys=True)
    found = [choice(options, factor) for factor in labelled.FACTORS[style]]
    return '/'.join([style, *found])


def split(style: str, options: dict[str, Any]) -> str:
    """The split of a drawing, one of NAMES."""
    if pair := labelled.HELD_OUT.get(style):
        numbers = [values(style, f).index(choice(options, f)) for f in pair]
        if sum(numbers) % labelled.STEP == 0:
            return 'test_comp'
    part = zlib.crc32(key(style, options).encode()) % 100
    return 'train' if part < 85 else 'validation' if part < 92 else 'test'
