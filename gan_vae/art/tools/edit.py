"""Plain adjustments around a generator."""

from argparse import ArgumentTypeError

import numpy as np
from PIL import Image

from gan_vae.art import editing
from gan_vae.art.tools import Asked, Flag, Made, Picture, Thing, Tool
from gan_vae.data.pictures import given, is_transparent
from gan_vae.errors import UserError

# what a picture of ours says of its pixels: true as long as they are the same
CARRIED = ('latent', 'model', 'class', 'direction', 'strength')


def make(asked: Asked) -> Made:
    changes = {n: v for n, v in vars(asked.flags).items() if n in FLAGS}
    changes = {n: v for n, v in changes.items() if v is not None}
    if not changes:
        listed = ', '.join(f'--{name}' for name in FLAGS)
        raise UserError(f'edit needs one of {listed}')
    made = []
    for thing in asked.steps(asked.things, 'edit'):
        before = _read(thing)
        try:
            after = editing.edit(before, changes)
        except UserError as error:
            raise UserError(f'{thing.word}: {error}') from error
        same = before.size == after.size and before.tobytes() == after.tobytes()
        about = {n: thing.about[n] for n in CARRIED if n in thing.about} if same else {}
        image = np.asarray(after)
        made.append(Picture(image.reshape(*image.shape[:2], -1), about=about))
    return Made(made)


def _read(thing: Thing) -> Image.Image:
    """A picture of mode L, RGB or RGBA."""
    picture = given(thing.word)
    grey = picture.mode in ('1', 'L')
    wanted = 'RGBA' if is_transparent(picture) else 'L' if grey else 'RGB'
    return picture.convert(wanted)


def _real(least: float, most: float):
    def kind(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float('nan')
        if not least <= value <= most:
            raise ArgumentTypeError(f'{text!r} is not from {least:g} to {most:g}')
        return value

    return kind


def _whole(usage: str, least: int, most: int):
    """Whole numbers as in `usage`: 'N', 'WxH', 'X,Y,W,H'; of one number the number."""
    mark = ',' if ',' in usage else 'x'

    def kind(text: str) -> list[int] | int:
        parts = text.split(mark)
        right = len(parts) == len(usage.split(mark)) and all(
            part.isascii() and part.isdecimal() and len(part) < 9 for part in parts
        )
        if not right or not all(least <= int(part) <= most for part in parts):
            raise ArgumentTypeError(
                f'{text!r} is not {usage}, from {least} to {most} each'
            )
        return [int(part) for part in parts] if mark in usage else int(text)

    return kind


def _size(text: str) -> list[int]:
    usage = 'WxH' if 'x' in text else 'N'
    found = _whole(usage, 1, editing.LARGEST)(text)
    return found if isinstance(found, list) else [found, 0]


def _way(text: str) -> str:
    if text not in editing.FLIPS:
        raise ArgumentTypeError(f'{text!r} is not {" or ".join(editing.FLIPS)}')
    return text


FLAGS = {  # in the order in which they are done
    'crop': Flag(
        None, _whole('X,Y,W,H', 0, 10**8), 'X,Y,W,H: left, top, width, height'
    ),
    'flip': Flag(None, _way, 'horizontal (a mirror) or vertical'),
    'exposure': Flag(None, _real(-10, 10), 'stops of light; below 0 darker'),
    'contrast': Flag(None, _real(0, 100), 'a factor: 0 grey all over, 1 as it is'),
    'saturation': Flag(None, _real(0, 100), 'a factor: 0 grey, 1 as it is'),
    'size': Flag(None, _size, 'N, pixels of the longer side, or WxH'),
    'palette': Flag(None, _whole('N', 1, 256), 'N colours at most'),
    'zoom': Flag(None, _whole('N', 1, 64), 'N: each pixel a square of N by N'),
    'tile': Flag(None, _whole('NxM', 1, 1000), 'NxM: N across, M down'),
}

TOOLS = {
    'edit': Tool(
        f'plain adjustments, done in this order: {", ".join(FLAGS)}',
        make,
        'PICTURE...',
        FLAGS,
        run=False,
    )
}
