"""Noto Emoji: 3,781 pictures of 64x64 RGBA with names and categories.

Pictures by Google (Apache-2.0), names and categories from emoji-data (MIT), both from
the npm package `emoji-datasource-google`. Needs no TensorFlow; the TFDS builder beside
this file does.
"""

import hashlib
import io
import json
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from gan_vae.data import packages
from gan_vae.errors import UserError

PACKAGE = packages.Package(
    'emoji-datasource-google',
    '16.0.0',
    'fb5fd131b362aab7a55542d2a147a79708cce0a8b1c1bbacd470172708b5c438',
)
TWEMOJI = packages.Package(  # of the same layout, pictures CC BY 4.0
    'emoji-datasource-twitter',
    '16.0.0',
    'f64a530c63bca463bd8317fdc4615ce63a53a0c65018e4ce2d848aaba7a28877',
)
SIZE = 64
PICTURES = 'package/img/google/64/'
TABLE = 'package/emoji.json'

# In Unicode's order. Left out: 'Component', five plain squares of skin tones.
CATEGORIES = (
    'Smileys & Emotion',
    'People & Body',
    'Animals & Nature',
    'Food & Drink',
    'Travel & Places',
    'Activities',
    'Objects',
    'Symbols',
    'Flags',
)
SKIN_TONES = ('none', 'light', 'medium-light', 'medium', 'medium-dark', 'dark', 'mixed')
_CODEPOINTS = ('', '1F3FB', '1F3FC', '1F3FD', '1F3FE', '1F3FF')  # of SKIN_TONES
_MODIFIERS: dict[str, str] = dict(zip(_CODEPOINTS, SKIN_TONES, strict=False))


class Emoji(NamedTuple):
    """One picture; `base` is the codepoint without skin tones, `name` is lower case."""

    codepoint: str
    base: str
    name: str
    short_name: str
    category: str
    subcategory: str
    skin_tone: str
    png: bytes

    @property
    def split(self) -> str:
        """80/10/10 by the base codepoint, so that variants stay together."""
        part = int(hashlib.sha256(self.base.encode()).hexdigest(), 16) % 10
        return 'train' if part < 8 else 'validation' if part == 8 else 'test'

    def picture(self) -> Image.Image:
        """The picture, 64x64 RGBA; a UserError if the bytes are not a PNG of it."""
        try:
            picture = Image.open(io.BytesIO(self.png), formats=['PNG'])
            if picture.size != (SIZE, SIZE):  # known before anything is decoded
                raise UserError(
                    f'{self.codepoint} is {picture.size}, not {SIZE}x{SIZE}'
                )
            return picture.convert('RGBA')
        except (OSError, SyntaxError, ValueError) as error:
            raise UserError(
                f'{self.codepoint} is not a readable PNG: {error}'
            ) from error


def read(archive: Path, style: str = 'google') -> list[Emoji]:
    """All emoji of the package archive, in Unicode's order, variants after their base.

    style: whose pictures, as the name of the package ends ('google', 'twitter').
    Raises UserError if the archive is unsafe or not laid out like the package.
    """
    pictures = PICTURES.replace('google', style)
    files = dict(packages.read(archive, (TABLE, pictures)))
    emoji = []
    try:
        for row in sorted(json.loads(files[TABLE]), key=lambda row: row['sort_order']):
            if row['category'] not in CATEGORIES:
                continue
            # 'none', '1F3FB' is 'light', '1F3FB-1F3FF', a couple, is 'mixed'
            for modifiers, one in {'': row, **row.get('skin_variations', {})}.items():
                if not one.get(f'has_img_{style}', True):
                    continue
                tones = {_MODIFIERS[m] for m in modifiers.split('-')}
                emoji.append(
                    Emoji(
                        codepoint=one['unified'],
                        base=row['unified'],
                        name=row['name'].lower(),
                        short_name=row['short_name'],
                        category=row['category'],
                        subcategory=row['subcategory'],
                        skin_tone=tones.pop() if len(tones) == 1 else 'mixed',
                        png=files[pictures + one['image']],
                    )
                )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UserError(
            f'{archive} is not laid out like {PACKAGE.file_name}: '
            f'{type(error).__name__}: {error}'
        ) from error
    return emoji
