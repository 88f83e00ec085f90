"""Pictures as bytes: what a file says of itself, small versions, and plain ones."""

import io
import warnings
from functools import lru_cache
from pathlib import Path

from PIL import Image

from gan_vae import images
from gan_vae.art.provenance import embedded
from gan_vae.data.pictures import Unusable, open_picture, open_still, upright
from gan_vae.errors import UserError

PICTURES = ('.png', '.jpg', '.webp')
SUFFIXES = {'PNG': '.png', 'JPEG': '.jpg', 'MPO': '.jpg', 'WEBP': '.webp'}
TYPES = {
    '.png': 'image/png',
    '.jpg': 'image/jpeg',
    '.webp': 'image/webp',
    '.gif': 'image/gif',
    '.mp4': 'video/mp4',
}
PIXELS = 40_000_000  # of a picture that is given, at most


def suffix_of(raw: bytes) -> str:
    """The suffix of the name that a picture gets. A UserError for what is none, or is
    too large, which is known before it is decoded."""
    if _pixels(raw) > PIXELS:
        raise UserError(f'too large: at most {PIXELS // 10**6} megapixels')
    try:
        picture = open_still(io.BytesIO(raw))
    except Unusable as error:
        raise UserError(f'this file cannot be used: {error}') from error
    return SUFFIXES[picture.format or 'PNG']


def _pixels(raw: bytes) -> float:
    """That a picture has by its own account, undecoded; 0 for what is none."""
    try:
        with (
            warnings.catch_warnings(action='ignore'),
            Image.open(io.BytesIO(raw), formats=('PNG', 'JPEG', 'WEBP')) as head,
        ):
            return head.width * head.height
    except Image.DecompressionBombError:
        return float('inf')
    except Exception:  # of parsers of as many kinds; decoding says what is wrong
        return 0


def size(file: Path) -> tuple[int, int]:
    """Width and height of a picture, upright."""
    try:
        with (
            warnings.catch_warnings(action='ignore'),
            Image.open(file, formats=('PNG', 'JPEG', 'WEBP')) as picture,
        ):
            turned = picture.getexif().get(0x0112, 1) in (5, 6, 7, 8)
            width, height = picture.size
            return (height, width) if turned else (width, height)
    except Exception:  # a file that somebody put there
        return 0, 0


def plain(file: Path) -> bytes:
    """The PNG of a picture without a word of how it was made, but for what the IPTC
    calls its digital source type."""
    picture = upright(open_picture(file))
    source = embedded(file).get('digital_source_type', '')
    buffer = io.BytesIO()
    picture.save(buffer, 'PNG', pnginfo=images.png_info(None, source))
    return buffer.getvalue()


@lru_cache(500)
def thumbnail(file: Path, side: int, _: int) -> tuple[bytes, str]:
    """(bytes, type) of a picture of at most `side` pixels; `_`: when it was written."""
    picture = upright(open_picture(file))
    if max(picture.size) <= side and file.suffix == '.png':
        return file.read_bytes(), TYPES['.png']
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    buffer, kind = io.BytesIO(), 'PNG' if picture.mode == 'RGBA' else 'JPEG'
    picture = picture if kind == 'PNG' else picture.convert('RGB')
    picture.save(buffer, kind, **({'quality': 88} if kind == 'JPEG' else {}))
    return buffer.getvalue(), f'image/{kind.lower()}'
