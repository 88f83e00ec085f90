"""Plain adjustments of a picture, by Pillow, in the order of ORDER.

exposure in stops is a factor 2^(stops / 2.2) of the values, which is 2^stops of the
light where values are its power 1 / 2.2; contrast and saturation are factors about the
mean grey and about grey of the same luma. Transparency is kept.
"""

from collections.abc import Callable

from PIL import Image, ImageEnhance, ImageOps

from gan_vae.data.pictures import MAX_PIXELS
from gan_vae.errors import UserError

FLIPS = {'horizontal': ImageOps.mirror, 'vertical': ImageOps.flip}
LARGEST = 16_384  # pixels of a side


def crop(picture: Image.Image, box: tuple[int, int, int, int]) -> Image.Image:
    """The part of width W and height H whose top left pixel is (X, Y)."""
    x, y, width, height = box
    inside = x + width <= picture.width and y + height <= picture.height
    if min(width, height) < 1 or not inside:
        raise UserError(
            f'--crop={x},{y},{width},{height}: not within {picture.width}x'
            f'{picture.height}'
        )
    return picture.crop((x, y, x + width, y + height))


def size(picture: Image.Image, to: tuple[int, int]) -> Image.Image:
    """Of width W and height H; (N, 0) has a longer side of N, and its shape."""
    width, height = to
    if not height:
        scale = width / max(picture.size)
        width, height = (max(1, round(side * scale)) for side in picture.size)
    limited(width, height)
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def palette(picture: Image.Image, colours: int) -> Image.Image:
    """Of so many colours at most, by k-means from a median cut, without dither.

    What is transparent by half or more is transparent, and all else is not.
    """
    quantised = picture.convert('RGB').quantize(
        colours, Image.Quantize.MEDIANCUT, colours, dither=Image.Dither.NONE
    )
    result = quantised.convert('RGB').convert(picture.mode)
    if picture.mode == 'RGBA':
        result.putalpha(picture.getchannel('A').point(lambda a: 255 * (a >= 128)))
    return result


def zoom(picture: Image.Image, times: int) -> Image.Image:
    """Each pixel a square of times x times: pixel art, larger."""
    width, height = picture.width * times, picture.height * times
    limited(width, height)
    return picture.resize((width, height), Image.Resampling.NEAREST)


def tile(picture: Image.Image, count: tuple[int, int]) -> Image.Image:
    """N beside each other, M below each other."""
    (across, down), (width, height) = count, picture.size
    limited(width * across, height * down)
    result = Image.new(picture.mode, (width * across, height * down))
    for column in range(across):
        for row in range(down):
            result.paste(picture, (column * width, row * height))
    return result


def limited(width: int, height: int):
    """A UserError for a picture that is too large to make."""
    if max(width, height) > LARGEST or width * height > MAX_PIXELS:
        raise UserError(f'{width}x{height} pixels are too many to make')


ORDER: dict[str, Callable] = {
    'crop': crop,
    'flip': lambda picture, way: FLIPS[way](picture),
    'exposure': lambda p, stops: ImageEnhance.Brightness(p).enhance(2 ** (stops / 2.2)),
    'contrast': lambda picture, factor: ImageEnhance.Contrast(picture).enhance(factor),
    'saturation': lambda picture, factor: ImageEnhance.Color(picture).enhance(factor),
    'size': size,
    'palette': palette,
    'zoom': zoom,
    'tile': tile,
}


def edit(picture: Image.Image, changes: dict) -> Image.Image:
    """A picture of mode L, RGB or RGBA with changes, {name of ORDER: value}."""
    for name, change in ORDER.items():
        if name in changes:
            picture = change(picture, changes[name])
    return picture
