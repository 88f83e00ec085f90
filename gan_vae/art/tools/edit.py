"""Plain adjustments of pictures, done in the order in which --help lists them."""

import re
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
    changes = {name: vars(request.flags)[name] for name in FLAGS}
    changes = {name: value for name, value in changes.items() if value is not None}
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
        images = [np.atleast_3d(np.asarray(p)) for p in (before, after)]
        pictures.append(Picture(images[1], provenance=record if same else {}))
        pairs.append(tuple(images))
    sheet = sheets.before_and_after(pairs[:ON_SHEET])
    return Result(pictures=pictures, sheet=sheet)


def _read(item: Input) -> Image.Image:
    """A picture of mode L, RGB or RGBA."""
    picture = given(item.word)
    grey = picture.mode in ('1', 'L')
    return picture.convert(
        'RGBA' if is_transparent(picture) else 'L' if grey else 'RGB'
    )


def _numbers(text: str, usage: str, least: int) -> list[int]:
    """Whole numbers as in `usage`: 'N', 'WxH', 'X,Y,W,H'."""
    match = re.fullmatch(re.sub('[A-Z]', '([0-9]{1,8})', usage), text)
    numbers = [int(number) for number in match.groups()] if match else []
    if not numbers or min(numbers) < least:
        raise ArgumentTypeError(f'{text!r} is not {usage}, at least {least} each')
    return numbers


def _size(text: str) -> list[int]:
    if 'x' in text:
        return _numbers(text, 'WxH', 1)
    return [*_numbers(text, 'N', 1), 0]


FLAGS = {  # in the order in which they are done
    'crop': Flag(
        None,
        lambda text: _numbers(text, 'X,Y,W,H', 0),
        'X,Y,W,H: left, top, width, height',
    ),
    'flip': Flag(None, str, 'horizontal (a mirror) or vertical', choices=editing.FLIPS),
    'exposure': Flag(None, float, 'stops of light; below 0 darker', least=-10, most=10),
    'contrast': Flag(
        None, float, 'a factor: 0 grey all over, 1 as it is', least=0, most=100
    ),
    'saturation': Flag(None, float, 'a factor: 0 grey, 1 as it is', least=0, most=100),
    'size': Flag(None, _size, 'N, pixels of the longer side, or WxH'),
    'palette': Flag(None, int, 'N colours at most', least=1, most=256),
    'zoom': Flag(None, int, 'N: each pixel a square of N by N', least=1, most=64),
    'tile': Flag(None, lambda text: _numbers(text, 'NxM', 1), 'NxM: N across, M down'),
}

TOOL = ToolWithoutModel(make=make, takes='PICTURE...', flags=FLAGS)
