"""The split of a drawing: 85/7/8 by the hash of its visible factors, pairs held out.

So two pictures that look alike are in one split. In a Latin square of the values of
two factors, one pair in six is held out: each value is trained on, the pair never.
"""

import json
import zlib
from typing import Any

from gan_vae.data.vector_art import factors, styles

NAMES = ('train', 'validation', 'test', 'test_comp')
STEP = 6


def key(style: str, options: dict[str, Any]) -> str:
    """What two drawings that look the same have in common.

    Of a style without words these are all choices, and no two drawings are the same.
    """
    words = styles.of(style)
    if words is None:
        return json.dumps([style, options], sort_keys=True)
    return '/'.join([style, *(factors.choice(options, f) for f in words.factors)])


def held_out(style: str, options: dict[str, Any]) -> bool:
    """Whether a drawing has one of the pairs of values that are never trained on."""
    words = styles.of(style)
    if words is None:
        return False
    numbers = [
        factors.values(style, factor).index(factors.choice(options, factor))
        for factor in words.held_out
    ]
    return sum(numbers) % STEP == 0


def split(style: str, options: dict[str, Any]) -> str:
    """The split of a drawing, one of NAMES."""
    if held_out(style, options):
        return 'test_comp'
    part = zlib.crc32(key(style, options).encode()) % 100
    return 'train' if part < 85 else 'validation' if part < 92 else 'test'
