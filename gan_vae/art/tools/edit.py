"""Plain adjustments of pictures, done in the order in which --help lists them."""

from argparse import ArgumentTypeError

import numpy as np
from PIL import Image

from gan_vae.art import editing, sheets
from gan_vae.art.tools import Flag, Input, Picture, Request, Result, ToolWithoutModel
from gan_vae.data.pictures import given, is_transparent
from gan_vae.errors import UserError

ON_SHEET = 100  # pairs of before and after, at most
# what the provenance says of the pixels: true as long as they are the same
CARRIED = ('latent', 'model', 'class', 'direction', 'strength')


def make(request: Request) -> Result:
    changes = {n: v for n, v in vars(request.flags).items() if n in FLAGS}
    changes = {n: v for n, v in changes.items() if v is not None}
    if not changes:
        listed = ', '.join(f'--{name}' for name in FLAGS)
        raise UserError(f'edit needs one of {listed}')
    pictures, pairs = [], []
    for item in request.progress(request.inputs, 'edit'):
        before = _read(item)
        try:
            after = editing.edit(before, changes)
        except UserError as error:
            raise UserError(f'{item.word}: {error}') from error
        same = before.size == after.size and before.tobytes() == after.tobytes()
        record = {n: item.provenance[n] for n in CARRIED if n in item.provenance}
        pictures.append(Picture(_array(after), provenance=record if same else {}))
        pairs.append((_array(before), pictures[-1].image))
    sheet = sheets.before_and_after(pairs[:ON_SHEET])
    return Result(pictures=pictures, sheet=sheet)


def _array(picture: Image.Image) -> np.ndarray:
    """uint8 [H, W, C]."""
    image = np.asarray(picture)
    return image.reshape(*image.shape[:2], -1)


def _read(item: Input) -> Image.Image:
    """A picture of mode L, RGB or RGBA."""
    picture = given(item.word)
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

TOOL = ToolWithoutModel(make=make, takes='PICTURE...', flags=FLAGS)
