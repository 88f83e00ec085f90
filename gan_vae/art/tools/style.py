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
)
from gan_vae.data import pictures
from gan_vae.devices import process
from gan_vae.errors import UserError
from gan_vae.extractors import style as objective

SIZE = 256  # pixels of the longer side, unless --size says otherwise
LARGEST = 10_000  # of them
WHITE = (255, 255, 255)
COLOURS = ('style', 'keep')


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
    flags, (word, *others) = request.flags, [item.word for item in request.inputs]
    process.prepare()
    method = _method(request)
    picture = pictures.given(word)
    own = max(picture.size)
    longest = flags.size or (own if method.any_size else min(own, SIZE))
    content = _fitted(word, longest, method)
    every = [_fitted(other, longest, method) for other in others]
    weights = _weights(flags.weights, len(others)) if others else []
    # one of weight 0 is no style
    weighted = [(s, w) for s, w in zip(every, weights, strict=True) if w]
    shares = _shares(flags, content.shape, len(others))
    pieces = [(shares[0], weighted)]
    if len(shares) > 1:
        pieces = [(share, [(s, 1.0)]) for share, s in zip(shares, every, strict=True)]
    old = images.from_uint8(content)
    new = old.copy()
    for share, styles in pieces:
        at = _box(share, method.side)
        change = _styled(request, method, old[at], styles) - old[at]
        new[at] += share[at][..., None] * change
    covered = sum(shares)[..., None] > 0
    stylised = np.where(covered, images.to_uint8(new), content)
    at = _box(shares[0], method.side) if len(shares) == 1 else ...
    metrics = {'structure': score.structure(stylised[at], content[at])}
    message = f'SSIM of luma to the content {_text(metrics["structure"])}'
    if weighted and len(shares) == 1:
        styles = [*zip(*weighted, strict=True)]
        before, after = (score.distance(x[at], *styles) for x in (content, stylised))
        metrics |= {'distance_before': before, 'distance': after}
        message = (
            f'distance of patches to the style {_text(before)} -> {_text(after)} grey '
            f'levels; {message}'
        )
        if before is not None and after is not None and after >= before:
            message += '; no nearer to the style than the picture was'
    messages = [message]
    if longest < own:
        messages.append(
            f'{word}: its {own} pixels are {longest} here; --size={own} keeps them'
        )
    sheet = style.row([content, *every, stylised])
    if pictures.is_transparent(picture):
        alpha = _sized(picture.convert('RGBA').getchannel('A'), longest)
        stylised = np.dstack([stylised, np.asarray(alpha)])
    return Result(
        pictures=[Picture(stylised)], sheet=sheet, messages=messages, metrics=metrics
    )


def _method(request: Request) -> Method:
    """The way that the flags say, with the network or the model that it takes."""
    flags, name = request.flags, request.flags.method
    method = METHODS[name]
    if flags.steps is not None and method.steps is None:
        raise UserError(f'--steps: {name} is done in one')
    if flags.features and name != 'gatys':
        raise UserError('--features are of --method=gatys')
    if name == 'fast':
        return method._replace(transfer=_trained(request))
    if request.model is not None:
        raise UserError(f'--workdir is of --method=fast, and {name} needs none')
    if len(request.inputs) < 2:
        raise UserError(
            'style takes a picture and one or more whose style it gets, as style '
            f'photo.jpg painting.jpg (--method={name})'
        )
    if name == 'gatys':
        params = objective.network(flags.features or 'vgg_hed')
        return method._replace(transfer=partial(gatys.transfer, params=params))
    return method


def _trained(request: Request) -> Callable[[style.Task], np.ndarray]:
    """The way of a model that learned one style."""
    if not isinstance(request, ModelRequest):
        raise UserError(
            '--method=fast needs --workdir=RUN, of configs/fast_style_emoji.py'
        )
    about, translation = request.model.about, request.model.method.translation
    if translation is None:
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
    weights = request.model.weights
    return partial(fast.transfer, translation=translation, weights=weights)


def _styled(request: Request, method: Method, content, weighted) -> np.ndarray:
    """float32 [H, W, 3] of a content [H, W, 3] and styles uint8 [h, w, 3], each with
    its weight."""
    flags, base = request.flags, content
    styles = [images.from_uint8(s) for s, _ in weighted]
    weights = [weight for _, weight in weighted]
    if flags.colours == 'keep':
        base, styles = style.luma(content), [style.luma(s) for s in styles]
    steps = flags.steps or method.steps or 1
    task = style.Task(
        base, styles, weights, flags.strength, steps, flags.seed, request.progress
    )
    x = method.transfer(task)
    if flags.colours == 'keep':
        x = style.brightened(content, base, x)
    return np.clip(x, -1, 1)


def _text(value: float | None) -> str:
    return 'unknown (too small)' if value is None else f'{value:.3g}'


def _weights(text: str, count: int) -> list[float]:
    """Of `count` styles, sum 1: equal where none are given."""
    try:
        shares = [float(w) for w in text.split(',')] if text else [1.0] * count
    except ValueError:
        shares = []
    if len(shares) != count or min(shares) < 0 or not 0 < sum(shares) < float('inf'):
        raise UserError(
            f'--weights={text}: {count} numbers with commas between them, one for each '
            'STYLE, none below 0 and not all 0'
        )
    return [w / sum(shares) for w in shares]


def _sized(picture: Image.Image, longest: int) -> Image.Image:
    scale = longest / max(picture.size)
    if scale == 1:
        return picture
    size = tuple(max(1, round(side * scale)) for side in picture.size)
    return picture.resize(size, Image.Resampling.LANCZOS)


def _fitted(path: str, longest: int, method: Method) -> np.ndarray:
    """uint8 [h, w, 3] of a file, with so many pixels along its longer side."""
    picture = _sized(pictures.opaque(pictures.given(path), WHITE), longest)
    if min(picture.size) < method.side:
        raise UserError(
            f'{path}: {picture.width}x{picture.height} is too small: this method needs '
            f'{method.side} pixels a side (a larger --size, or --method=colour)'
        )
    return np.asarray(picture)


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
    masks = [_mask(file, shape) for file in files]
    return [mask / np.maximum(sum(masks), 1) for mask in masks]


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
    picture = picture.resize((width, height), Image.Resampling.BOX)
    share = np.float32(np.asarray(picture)) / 255
    if not share.any():
        raise UserError(f'--mask={path} has no white: that is where the style goes')
    return share


def _box(share: np.ndarray, side: int) -> tuple[slice, slice]:
    """Rows and columns around all of the mask, `side` of each at least."""
    spans = []
    for axis, length in ((1, share.shape[0]), (0, share.shape[1])):
        inside = np.flatnonzero(share.any(axis))
        start = max(0, min(inside[0], length - side))
        spans.append(slice(start, max(inside[-1] + 1, start + side)))
    return tuple(spans)


STEPS = ', '.join(f'{name} {m.steps}' for name, m in METHODS.items() if m.steps)
LONGER = (
    f'pixels of the longer side; else as CONTENT, at most {SIZE} (colour, linear: any)'
)
FLAGS = {
    'method': Flag('patch', str, ', '.join(METHODS), choices=METHODS),
    'strength': Flag(1.0, float, '0: the content as it is; to 1: all', least=0, most=1),
    'size': Flag(None, int, LONGER, least=1, most=LARGEST),
    'colours': Flag('style', str, "or 'keep': style in luma alone", choices=COLOURS),
    'weights': Flag('', str, 'of several STYLEs, as 0.3,0.7; else equal'),
    'mask': Flag('', str, 'white where the style goes: one for all, or A,B,...', True),
    'steps': Flag(None, int, f'of each level of size: {STEPS}', least=1),
    'features': Flag('', str, 'of gatys: vgg_hed (by default) or random, no weights'),
}
TOOL = ToolWithOptionalModel(make=make, takes='CONTENT [STYLE...]', flags=FLAGS)
