"""Fluent emoji by Microsoft (MIT), each as a line drawing, flat, and in 3-D.

The same 1,594 emoji, by the same names, in three packages of npm: line and flat are SVG
of 32x32 units, 1,570 are in 3-D too, WebP of 256x256 pixels. Skin tones are left out,
which line drawings have not. The packages hold no licence file; their fields say MIT.

    Copyright (c) Microsoft Corporation. MIT License:
    https://github.com/microsoft/fluentui-emoji/blob/main/LICENSE
"""

import io
import json
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from gan_vae.data import packages
from gan_vae.data.pictures import Unusable, open_picture
from gan_vae.errors import UserError

LICENCE = 'MIT (Microsoft Corporation)'
LINE = packages.Package(
    '@iconify-json/fluent-emoji-high-contrast',
    '1.2.6',
    '0b92d48c90d2200bd499e3cdd09a127ca6a8c8ddefd34c35eb5a1e4994012ae0',
)
FLAT = packages.Package(
    '@iconify-json/fluent-emoji-flat',
    '1.2.6',
    '7d064769dee690815f823bc5bcc511d957198caf9f5edd8dd9c1aa48a6aeb175',
)
SOLID = packages.Package(
    '@lobehub/fluent-emoji-3d',
    '1.1.0',
    'c1bb7eee7de090205a232518a9ab4adb3df458bfbe8a1f78232991194c8b2e58',
)
PACKAGES = {'line': LINE, 'flat': FLAT, '3d': SOLID}
_VARIANTS = {
    *('man', 'woman', 'men', 'women', 'person', 'people', 'boy', 'girl', 'child'),
    *('black', 'blonde', 'blue', 'brown', 'curly', 'green', 'grey', 'hair', 'orange'),
    *('pink', 'purple', 'red', 'white', 'yellow'),
}
_ALIKE = {  # drawn alike in one of the ways
    'dvd': 'optical-disk',
    'grinning-cat': 'cat-face',
    'pouting-face': 'angry-face',
    'white-square-button': 'black-medium-square',
}
_TABLES = 'package/icons.json', 'package/chars.json', 'package/metadata.json'
_PICTURES = 'package/assets/'


class Emoji(NamedTuple):
    """One emoji in one of the three ways."""

    name: str  # the same in all three, 'man-running'
    category: str
    svg: str  # '' in 3-D
    webp: bytes  # b'' in line and flat

    @property
    def family(self) -> str:
        """What it shares with those that look like it: other people, other colours."""
        name = _ALIKE.get(self.name, self.name).removesuffix('-facing-right')
        words = [word for word in name.split('-') if word not in _VARIANTS]
        return '-'.join(words) or 'person'

    @property
    def caption(self) -> str:
        return self.name.replace('-', ' ')

    def picture(self) -> Image.Image:
        """The decoded WebP; a UserError if it is none."""
        try:
            return open_picture(io.BytesIO(self.webp))
        except Unusable as error:
            raise UserError(f'{SOLID.file_name}: {self.name} is {error}') from error


def archive(kind: str, folder: Path) -> Path:
    """The checked package of 'line', 'flat' or '3d' in a folder of downloads."""
    return packages.downloaded(PACKAGES[kind], folder, 'fluent')


def read(kind: str, folder: Path) -> list[Emoji]:
    """All emoji that are in line and flat, of one kind, in the order of their names."""
    flat, line = (_tables(archive(each, folder)) for each in ('flat', 'line'))
    try:
        shown = [
            {name for name, icon in icons['icons'].items() if not icon.get('hidden')}
            for icons, *_ in (flat, line)
        ]
        names = sorted(set.intersection(*shown))
        category = {
            name: category
            for category, members in flat[2]['categories'].items()
            for name in members
        }
        if kind == '3d':
            files = _by_codepoint(archive('3d', folder))
            codepoints = {name: _bare(point) for point, name in flat[1].items()}
            pictures = {name: files.get(codepoints[name], b'') for name in names}
            return [
                Emoji(name, category[name], '', webp)
                for name, webp in pictures.items()
                if webp
            ]
        icons = (flat if kind == 'flat' else line)[0]
        return [Emoji(name, category[name], _svg(icons, name), b'') for name in names]
    except (KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f'a package of fluent is laid out otherwise: {type(error).__name__} {error}'
        ) from error


def _tables(path: Path) -> list[dict[str, Any]]:
    files = dict(packages.read(path, _TABLES))
    return [json.loads(files[name]) for name in _TABLES]


def _by_codepoint(path: Path) -> dict[str, bytes]:
    """{codepoints without the selectors of variants: WebP}."""
    return {
        _bare(name.removeprefix(_PICTURES).removesuffix('.webp')): raw
        for name, raw in packages.read(path, (_PICTURES,))
    }


def _bare(codepoints: str) -> str:
    """'1f5e8-fe0f' without FE0F, which one package writes and the other does not."""
    return '-'.join(part for part in codepoints.split('-') if part != 'fe0f')


def _svg(icons: dict[str, Any], name: str) -> str:
    icon = icons['icons'][name]
    width, height = (icon.get(k, icons.get(k, 16)) for k in ('width', 'height'))
    side = max(width, height)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" '
        f'color="black">{icon["body"]}</svg>'
    )
