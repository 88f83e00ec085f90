"""The look of pictures on a picture; no model but for fast, any size."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from gan_vae import images
from gan_vae.art import style
from gan_vae.art.style import colour, fast, gatys, neighbour, patch, score
from gan_vae.art.tools import (
    Flag,
    ModelRequest,
    Picture,
    Request,
    Result,
    ToolWithOptionalModel,
    at_least,
)
from gan_vae.data import pictures
from gan_vae.devices import process
from gan_vae.errors import UserError, unknown
from gan_vae.extractors import style as objective

SIZE = 256  # pixels of the longer side, unless --size says otherwise
LARGEST = 10_000  # of them
WHITE = (255, 255, 255)


class Method(NamedTuple):
    """A way of gan_vae/art/style."""

    transfer: Callable[[style.Task], np.ndarray]
    steps: int | None  # by default; None: it is done in one
    side: int  # pixels a side at least
    any_size: bool = False  # so fast that the content keeps its size


METHODS = {
    'colour': Method(colour.sliced, 20, 1, True),
    'linear': Method(colour.linear, None, 1, True),
    'patch': Method(patch.transfer, 60, patch.SIDE),
    'neighbour': Method(neighbour.transfer, 2, neighbour.SIDE),
    'gatys': Method(gatys.transfer, 30, objective.SIDE),
    'fast': Method(fast.transfer, None, fast.SIDE),
}


def make(request: Request) -> Result:
    flags = request.flags
    process.prepare()
    if flags.method not in METHODS:
        raise unknown('method', flags.method, METHODS)
    method = METHODS[flags.method]
    at_least(flags, 1, 'steps', 'size')
    if flags.size is not None and flags.size > LARGEST:
        raise UserError(f'--size={flags.size}: must be at most {LARGEST}')
    if flags.steps is not None and method.steps is None:
        raise UserError(f'--steps: {flags.method} is done in one')
    if not 0 <= flags.strength <= 1:
        raise UserError(f'--strength={flags.strength}: must be from 0 to 1')
    if flags.colours not in ('style', 'keep'):
        raise unknown('colours', flags.colours, ('style', 'keep'))
    if flags.features and flags.method != 'gatys':
        raise UserError('--features are of --method=gatys')
    transfer = method.transfer
    if flags.method == 'fast':
        transfer = _trained(transfer, request)
    elif request.model is not None:
        raise UserError(f'--workdir is of --method=fast, and {flags.method} needs none')
    elif len(request.inputs) < 2:
        raise UserError(f'--method={flags.method} needs a STYLE: style CONTENT STYLE')
    if flags.method == 'gatys':
        transfer = partial(
            transfer, params=objective.network(flags.features or 'vgg_hed')
        )
    count = len(request.inputs) - 1
    weights = _weights(flags.weights, count) if count else []
    content, alpha = _content(request.inputs[0].word, flags.size, method)
    longest = max(content.shape[:2])
    styles = [_style(t.word, longest, method) for t in request.inputs[1:]]
    on_sheet = styles
    # one of weight 0 is no style
    styles = [s for s, weight in zip(styles, weights, strict=True) if weight]
    weights = [weight for weight in weights if weight]
    shares = _shares(flags, content.shape, count)
    if len(shares) > 1:
        pieces = [(share, [s], [1.0]) for share, s in zip(shares, styles, strict=True)]
    else:
        pieces = [(shares[0], styles, weights)]
    old = images.from_uint8(content)
    new = old.copy()
    for share, inputs, each in pieces:
        rows, columns = _box(share, method.side)
        x = _styled(request, transfer, method, old[rows, columns], inputs, each)
        x -= old[rows, columns]
        new[rows, columns] += share[rows, columns, None] * x
    covered = sum(shares)[..., None] > 0
    made = np.where(covered, images.to_uint8(new), content)
    if len(shares) > 1:
        rows = columns = slice(None)
    part = content[rows, columns]
    metrics = {'structure': score.structure(made[rows, columns], part)}
    message = f'SSIM of luma to the content {_text(metrics["structure"])}'
    if styles and len(shares) == 1:
        before = score.distance(part, styles, weights)
        after = score.distance(made[rows, columns], styles, weights)
        metrics |= {'distance_before': before, 'distance': after}
        message = (
            f'distance of patches to the style {_text(before)} -> {_text(after)} grey '
            f'levels; {message}'
        )
        if before is not None and after is not None and after >= before:
            message += '; no nearer to the style than the picture was'
    sheet = style.row([content, *on_sheet, made])
    if alpha is not None:
        made = np.concatenate([made, alpha[..., None]], -1)
    return Result(
        pictures=[Picture(made)], sheet=sheet, messages=[message], metrics=metrics
    )


def _styled(request, transfer, method, content, styles, weights) -> np.ndarray:
    """float32 [H, W, 3] of a content [H, W, 3] and styles uint8 [h, w, 3]."""
    flags, kept = request.flags, content
    inputs = [images.from_uint8(s) for s in styles]
    if flags.colours == 'keep':
        kept, inputs = style.luma(content), [style.luma(s) for s in inputs]
    task = style.Task(
        kept,
        inputs,
        weights,
        flags.strength,
        flags.steps or method.steps or 1,
        flags.seed,
        request.progress,
    )
    x = transfer(task)
    if flags.colours == 'keep':
        x = style.brightened(content, kept, x)
    return np.clip(x, -1, 1)


def _trained(transfer: Callable, request: Request) -> Callable:
    """The way of a model that learned one style."""
    if not isinstance(request, ModelRequest):
        raise UserError(
            '--method=fast needs --workdir=RUN, of configs/fast_style_emoji.py'
        )
    about, method = request.model.about, request.model.method
    if method.translation is None:
        raise UserError(
            f'{about["config"]} learned no style: --method=fast needs a run of '
            'configs/fast_style_emoji.py'
        )
    if len(request.inputs) > 1:
        raise UserError(
            f'{request.inputs[1].word}: --method=fast has the style of its run, and '
            'takes CONTENT alone'
        )
    if request.flags.weights:
        raise UserError('--weights are of several STYLEs: --method=fast has one')
    return partial(
        transfer, translation=method.translation, weights=request.model.weights
    )


def _text(value: float | None) -> str:
    return 'unknown (too small)' if value is None else f'{value:.3g}'


def _weights(text: str, count: int) -> list[float]:
    """Of `count` styles, sum 1: equal where none are given."""
    try:
        found = [float(w) for w in text.split(',')] if text else [1.0] * count
    except ValueError:
        found = []
    if len(found) != count or min(found) < 0 or not 0 < sum(found) < float('inf'):
        raise UserError(
            f'--weights={text}: {count} numbers with commas between them, one for each '
            'STYLE, none below 0 and not all 0'
        )
    return [w / sum(found) for w in found]


def _sized(picture: Image.Image, longest: int) -> Image.Image:
    scale = longest / max(picture.size)
    if scale == 1:
        return picture
    size = tuple(max(1, round(side * scale)) for side in picture.size)
    return picture.resize(size, Image.Resampling.LANCZOS)


def _content(path: str, size: int | None, method: Method):
    """(uint8 [H, W, 3], alpha uint8 [H, W] or None)."""
    picture = pictures.given(path)
    own = max(picture.size)
    longest = size or (own if method.any_size else min(own, SIZE))
    if pictures.is_transparent(picture):
        alpha = np.asarray(_sized(picture.convert('RGBA').getchannel('A'), longest))
    else:
        alpha = None
    found = np.asarray(_sized(pictures.opaque(picture, WHITE), longest))
    _large_enough(path, found, method)
    return found, alpha


def _style(path: str, longest: int, method: Method) -> np.ndarray:
    """uint8 [h, w, 3], its longer side that of the content."""
    found = np.asarray(_sized(pictures.opaque(pictures.given(path), WHITE), longest))
    _large_enough(path, found, method)
    return found


def _large_enough(path: str, image: np.ndarray, method: Method):
    height, width = image.shape[:2]
    if min(height, width) < method.side:
        raise UserError(
            f'{path}: {width}x{height} is too small: this method needs {method.side} '
            'pixels a side (a larger --size, or --method=colour)'
        )


def _shares(flags, shape, count: int) -> list[np.ndarray]:
    """float32 [H, W] of each style, or one of all: how much of it goes where. Where
    masks overlap they share, by how white each is."""
    if not flags.mask:
        return [np.ones(shape[:2], np.float32)]
    files = [flags.mask] if Path(flags.mask).exists() else flags.mask.split(',')
    if len(files) > 1 and len(files) != count:
        raise UserError(
            f'--mask={flags.mask}: {len(files)} masks for {count} styles: one for all, '
            'or one for each with commas between them'
        )
    if len(files) > 1 and flags.weights:
        raise UserError('--weights are of styles that go together: take them or masks')
    found = [_mask(file, shape) for file in files]
    return [share / np.maximum(sum(found), 1) for share in found]


def _mask(path: str, shape: tuple[int, ...]) -> np.ndarray:
    """float32 [H, W], 1 where the style goes."""
    picture = pictures.given(path, f'--mask={path}').convert('L')
    height, width = shape[:2]
    # one pixel of rounding is no other shape
    slack = max(picture.size) + max(height, width)
    if abs(picture.width * height - picture.height * width) > slack:
        raise UserError(
            f'--mask={path}: {picture.width}x{picture.height} is of another shape than '
            f'the content, {width}x{height}'
        )
    found = picture.resize((width, height), Image.Resampling.BOX)
    share = np.float32(np.asarray(found)) / 255
    if not share.any():
        raise UserError(f'--mask={path} has no white: that is where the style goes')
    return share


def _box(share: np.ndarray, side: int) -> tuple[slice, slice]:
    """Rows and columns around all of the mask, `side` of each at least."""
    found = []
    for axis, length in ((1, share.shape[0]), (0, share.shape[1])):
        inside = np.flatnonzero(share.any(axis))
        start = max(0, min(inside[0], length - side))
        found.append(slice(start, max(inside[-1] + 1, start + side)))
    return tuple(found)


TOOL = ToolWithOptionalModel(
    make=make,
    takes='CONTENT [STYLE...]',
    flags={
        'method': Flag('patch', str, ', '.join(METHODS)),
        'strength': Flag(1.0, float, '0: the content as it is; to 1: all'),
        'size': Flag(
            None,
            int,
            f'pixels of the longer side; else as CONTENT, at most {SIZE} (colour, '
            'linear: any)',
        ),
        'colours': Flag('style', str, "or 'keep': those of CONTENT, style in luma"),
        'weights': Flag('', str, 'of several STYLEs, as 0.3,0.7; else equal'),
        'mask': Flag(
            '',
            str,
            'a picture, white where the style goes; one for all, or A,B for each',
            True,
        ),
        'steps': Flag(
            None,
            int,
            'of each level of size: '
            + ', '.join(f'{n} {m.steps}' for n, m in METHODS.items() if m.steps),
        ),
        'features': Flag(
            '', str, 'of gatys: vgg_hed (by default) or random, no weights'
        ),
    },
)
