"""One picture: a style of dicebear-styles, a number, and the size in pixels.

The number seeds every choice that the style leaves open. Below 64 pixels a picture is
drawn at twice the size and averaged over 2x2 pixels: drawn at 32 pixels at once, it is
off by .6 to .9 of 255 on average and by up to 86 from the mean over 16x16, and so by
.3 and 20. Two machines draw the same pictures with the same versions of the packages,
and other ones with others.
"""

import functools
import importlib.util
import io
import json
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from gan_vae.errors import UserError, unknown

VERSIONS = {
    'dicebear-core': '10.7.0',
    'dicebear-styles': '10.6.0',
    'resvg-py': '0.5.0',
}
# Their letters are drawn with the fonts of the machine, which another one lacks.
OF_LETTERS = ('initial-face', 'initials')
SMOOTH_FROM = 64  # pixels: below it drawn at twice the size


def check_versions():
    """A UserError where a package is missing or would draw other pictures."""
    for package, version in VERSIONS.items():
        try:
            found = metadata.version(package)
        except metadata.PackageNotFoundError:
            found = 'not installed'
        if found != version:
            pins = ' '.join(f'{name}=={pin}' for name, pin in VERSIONS.items())
            what = f'{package} is {found}'
            raise UserError(
                f'art: {what}, and {version} draws these pictures: pip install {pins}'
            )


@functools.cache
def folder() -> Path:
    """Where the styles lie, one JSON file each."""
    check_versions()
    spec = importlib.util.find_spec('dicebear_styles')
    if spec is None or not spec.submodule_search_locations:
        raise UserError('art: dicebear-styles has no files: install it again')
    return Path(next(iter(spec.submodule_search_locations)))


def names() -> list[str]:
    """The styles that can be drawn."""
    found = {path.stem for path in folder().glob('*.json')}
    return sorted(found - {*OF_LETTERS})


@functools.cache
def definition(style: str) -> dict[str, Any]:
    """What the package says of a style: its parts, colours and licence."""
    if style in OF_LETTERS:
        raise UserError(f'art: {style} draws letters with the fonts of the machine')
    if style not in names():
        raise unknown('style of art', style, names())
    return json.loads((folder() / f'{style}.json').read_text('utf-8'))


@functools.cache
def _parsed(style: str) -> Any:
    from dicebear import Style

    class Trusted(Style):
        """A style whose file is not validated, which takes a second for each.

        The files are those of a version that is known to be valid.
        """

        def __init__(self, data: dict[str, Any]):
            self._data = data
            self._meta = self._canvas = self._components = self._colors = None

    return Trusted(definition(style))


def draw(style: str, number: int, **options: Any) -> tuple[str, dict[str, Any]]:
    """(SVG, the choices made) of picture `number` of a style.

    options: choices that are not left to the number, as DiceBear names them.
    """
    from dicebear import Avatar

    drawn = Avatar(_parsed(style), {'seed': f'{style}-{number}', **options}).to_json()
    return drawn['svg'], drawn['options']


def render(
    svg: str, size: int, channels: int, colour: tuple[int, int, int]
) -> np.ndarray:
    """uint8 [size, size, channels] of a drawing, `colour` where nothing is drawn."""
    import resvg_py

    factor = 2 if size < SMOOTH_FROM else 1
    side = size * factor
    png = resvg_py.svg_to_bytes(
        svg_string=svg, width=side, height=side, skip_system_fonts=True
    )
    picture = Image.open(io.BytesIO(bytes(png)), formats=['PNG']).convert('RGBA')
    ground = Image.new('RGBA', picture.size, (*colour, 255))
    flat = Image.alpha_composite(ground, picture).convert('RGB')
    if factor > 1:
        flat = flat.reduce(factor)
    if channels == 1:
        flat = flat.convert('L')
    return np.asarray(flat, np.uint8).reshape(size, size, channels)
