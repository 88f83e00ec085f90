"""Poems of the Tang dynasty in regular forms, of the npm package chinese-poetry (MIT).

A form is LINE x LINES: 5x4 and 7x4 are quatrains, 5x8 and 7x8 are of eight lines. The
poems are in the public domain.
"""

import json
import re
import zlib
from pathlib import Path

from gan_vae.data.packages import MIB, Package, fetch, read

PACKAGE = Package(
    'chinese-poetry',
    '2.0.1',
    '25b549e46919c3a0569db6b68ddc96956b04a484ea4518ad2bbd4f137e307e86',
)
# The symbol that stands before a poem of each form.
FORMS = {'5x4': '◔', '7x4': '◑', '5x8': '◕', '7x8': '●'}
MARKS = '，。？！；、：'
SPLITS = {'train': (0, 90), 'validation': (90, 95), 'test': (95, 100)}


def poems(folder: Path) -> dict[str, list[str]]:
    """{form: poems, each once, a line each of theirs} of the fetched package."""
    found: dict[str, dict[str, None]] = {form: {} for form in FORMS}
    archive = fetch(PACKAGE, folder)
    prefix = 'package/dist/quantangshi/poet.tang.'
    limits = {'max_member_bytes': 64 * MIB, 'max_bytes': 2048 * MIB}
    for _, content in read(archive, (prefix,), **limits):
        for poem in json.loads(content):
            text = ''.join(poem['paragraphs'])
            lines = [line for line in re.split(f'[{MARKS}]', text) if line]
            form = f'{len(lines[0]) if lines else 0}x{len(lines)}'
            regular = form in FORMS and len({*map(len, lines)}) == 1
            if regular and re.fullmatch(r'[\u3400-\U0003ffff]+', ''.join(lines)):
                found[form]['\n'.join(lines)] = None
    return {form: list(each) for form, each in found.items()}


def in_split(poem: str, split: str) -> bool:
    """Whether a poem is in a split, by its hash."""
    low, high = SPLITS[split]
    return low <= zlib.crc32(poem.encode()) % 100 < high


def written(form: str, poem: str) -> str:
    """A poem as it is learned: the symbol of its form, and its lines."""
    return FORMS[form] + poem


def is_regular(text: str) -> bool:
    """Whether a poem, as it is learned, has the lines of its form."""
    lines = text[1:].split('\n')
    form = f'{len(lines[0])}x{len(lines)}'
    return FORMS.get(form) == text[:1] and len({*map(len, lines)}) == 1
