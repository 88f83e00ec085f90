"""One picture, from whatever a file or an array holds to uint8 [size, size, channels].

Orientation, transparency, palettes and depth are resolved first, then the stated policy
makes it square, then one antialiased resize (Lanczos) makes it small.
"""

import os
import re
import stat
import warnings
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from PIL import Image, ImageColor, ImageOps

from gan_vae.data.settings import Settings
from gan_vae.errors import UserError

MAX_PIXELS = 100_000_000  # a larger file is taken for a decompression bomb
LIMIT = f'{MAX_PIXELS // 10**6} megapixels'


class Fit(NamedTuple):
    """How pictures become images of a set."""

    size: int
    channels: int  # 1 or 3
    policy: str = 'crop'  # centre 'crop', or 'pad' with the background
    background: str = 'white'  # any CSS colour

    @classmethod
    def of(cls, settings: Settings) -> 'Fit':
        """What the section `data` of a config says; a UserError if it is no colour."""
        s = settings
        how = cls(s.image_size, s.channels, s.fit, s.background)
        how.colour()
        return how

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.size, self.size, self.channels

    def colour(self) -> tuple[int, int, int]:
        try:
            return ImageColor.getrgb(self.background)[:3]
        except ValueError as error:
            raise UserError(
                f'config.data.background={self.background!r} is not a colour: use a '
                "name such as 'white' or '#rrggbb'"
            ) from error


class Unusable(Exception):
    """Why a file is left out of a set, in a few words."""


def open_picture(file: str | Path | BinaryIO) -> Image.Image:
    """Opens and decodes a path or a binary stream; `Unusable` with the reason if not.

    Whatever Pillow raises on a damaged file becomes `Unusable`, and its warnings are
    not shown: MAX_PIXELS is the limit here.
    """
    try:
        if isinstance(file, str | Path):
            if not stat.S_ISREG(mode := os.stat(file).st_mode):
                raise Unusable('a folder' if stat.S_ISDIR(mode) else 'not a file')
            with open(file, 'rb') as stream:
                return open_picture(stream)
        with warnings.catch_warnings(action='ignore'):
            return _decoded(file)
    except Unusable:
        raise
    except Image.DecompressionBombError as error:
        raise Unusable(f'too large: at most {LIMIT}') from error
    except Exception as error:  # of parsers of large formats
        why = getattr(error, 'strerror', None)  # of the file, and not of what it holds
        if 'MAX_TEXT_CHUNK' in str(error) or 'text chunks' in str(error):
            why = 'its text chunks are too large: save it without metadata'
        raise Unusable(why.lower() if why else 'corrupt') from error


def _decoded(stream: BinaryIO) -> Image.Image:
    head = stream.read(64)
    stream.seek(0)
    if not head:
        raise Unusable('empty')
    for start, name in _FORMATS.items():
        if re.match(start, head, re.DOTALL):
            raise Unusable(f'{name} is not PNG, JPEG or WebP')
    try:
        with Image.open(stream) as picture:
            if picture.format not in ('PNG', 'JPEG', 'WEBP', 'MPO'):
                raise Unusable(f'{picture.format} is not PNG, JPEG or WebP')
            if picture.width * picture.height > MAX_PIXELS:
                raise Unusable(
                    f'{picture.width}x{picture.height} is too large: at most {LIMIT}'
                )
            picture.load()
            return picture
    except Image.UnidentifiedImageError as error:
        damaged = head.startswith((b'\x89PNG', b'\xff\xd8\xff'))
        raise Unusable('corrupt' if damaged else 'not an image') from error


_FORMATS = {  # that Pillow may not know, by their first bytes; ISO media have a brand
    rb'.{4}ftypavi[fs]': 'AVIF',
    rb'.{4}ftyp(he|mif1|msf1)': 'HEIC',
    rb'.{4}ftypcrx ': 'CR3',
    rb'.{4}ftyp|\x1aE\xdf\xa3': 'a film',
    rb'\xff\x0a|\0\0\0\x0cJXL ': 'JPEG XL',
    rb'%PDF': 'PDF',
    rb'<svg': 'SVG',
    rb'<\?xml': 'XML or SVG',
    rb'PK\x03\x04': 'a ZIP archive',
}


def open_still(file: str | Path | BinaryIO) -> Image.Image:
    """As `open_picture`; `Unusable` for a film too."""
    picture = open_picture(file)
    if picture.format != 'MPO' and getattr(picture, 'is_animated', False):
        raise Unusable('a film of several pictures: take one of them')
    return picture


def given(file: str, called: str = '') -> Image.Image:
    """The upright picture of a file that a person named, ~ for their home.

    A UserError, which says `called` or else the file's name, for what is none or is a
    film of several.
    """
    try:
        picture = open_still(os.path.expanduser(file))
    except Unusable as error:
        is_folder = os.path.isdir(os.path.expanduser(file))
        hint = ': name a picture in it' if is_folder else ''
        raise UserError(f'{called or file}: {error}{hint}') from error
    return upright(picture)


def upright(picture: Image.Image) -> Image.Image:
    """A decoded picture of any mode, turned as its EXIF says, of 8 bits a channel."""
    try:
        with warnings.catch_warnings(action='ignore'):
            orientation = picture.getexif().get(0x0112, 1)
    except Exception:  # of as many kinds as a damaged block has: it says nothing
        orientation = 1
    if turn := _TURNS.get(orientation):
        picture = picture.transpose(turn)
        for key in ('exif', 'xmp', 'XML:com.adobe.xmp', 'Raw profile type exif'):
            picture.info.pop(key, None)  # else it would be turned again
    if picture.mode.startswith(('I', 'F')):  # 16 bits or float grey: scale to 8 bits
        grey, deep = np.asarray(picture, np.float64), picture.mode.startswith('I;16')
        top = 65535.0 if deep or grey.max() > 255 else 255.0
        picture = Image.fromarray((grey / top * 255).clip(0, 255).astype(np.uint8))
    return picture


_TURNS = {  # EXIF orientation -> what makes the picture upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def is_transparent(picture: Image.Image) -> bool:
    """Whether a decoded picture has an alpha channel, or a colour that means it."""
    modes = ('RGBA', 'LA', 'PA', 'La', 'RGBa')
    return picture.mode in modes or 'transparency' in picture.info


def opaque(picture: Image.Image, colour: tuple[int, int, int]) -> Image.Image:
    """RGB of an upright picture, that colour where nothing is."""
    if is_transparent(picture):
        rgba = picture.convert('RGBA')
        picture = Image.new('RGB', rgba.size, colour)
        picture.paste(rgba, mask=rgba.getchannel('A'))
    return picture.convert('RGB')


def within(picture: Image.Image, longest: int) -> Image.Image:
    """An upright picture, made smaller if a side has more than `longest` pixels."""
    scale = longest / max(picture.size)
    if scale >= 1:
        return picture
    width, height = (max(1, round(side * scale)) for side in picture.size)
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def fit(picture: Image.Image, how: Fit) -> np.ndarray:
    """uint8 [size, size, channels] of a decoded picture of any mode."""
    colour = how.colour()
    picture = opaque(upright(picture), colour)
    square = (how.size, how.size)
    if how.policy == 'crop':
        picture = ImageOps.fit(picture, square, Image.Resampling.LANCZOS)
    else:
        picture = ImageOps.pad(picture, square, Image.Resampling.LANCZOS, color=colour)
    if how.channels == 1:
        picture = picture.convert('L')
    return np.asarray(picture, np.uint8).reshape(how.size, how.size, how.channels)


def fit_array(image: np.ndarray, how: Fit) -> np.ndarray:
    """The same for uint8 [H, W, C], C = 1, 3 or 4; `image` itself if it fits already. A
    UserError for an array of another shape."""
    if image.ndim != 3 or image.shape[-1] not in (1, 3, 4):
        raise UserError(
            f'a picture is an array [H, W, C] with C = 1, 3 or 4, and not '
            f'{list(image.shape)}'
        )
    if image.shape == (how.size, how.size, how.channels):
        return image
    return fit(Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image), how)
