"""Fills what is transparent, or marked by a mask or a box: plausible, not recovered."""

from dataclasses import replace

import jax
import numpy as np
from PIL import Image
from scipy import ndimage

from gan_vae import images
from gan_vae.art import conditions, filters, restoration, sheets
from gan_vae.art.degradations import Hole
from gan_vae.art.tools import Flag, ModelRequest, Picture, Request, Result
from gan_vae.data.pictures import Fit, fit, given, is_transparent, opaque
from gan_vae.errors import UserError
from gan_vae.methods import prompting

NEAR, FAR = 8, 24  # pixels from what is seen: the network alone, the filter alone


def make(request: Request) -> Result:
    hole = _hole(request)
    if restoration.network(request):
        return _by_network(request, np.asarray(hole) > 0)
    if isinstance(request, ModelRequest) and request.model.method.code_prior:
        return _by_codes(request, hole)
    work = restoration.read(request)
    mask = (~restoration.fitted_mask(request, hole)).astype(np.float32)
    if not mask.any():
        raise UserError('everything is missing: leave something to be seen')
    corner, end = np.split(np.array(hole.getbbox()), 2)
    outside = (corner < work.corner) | (end > np.add(work.corner, work.extent))
    if mask.all() or outside.any():
        raise UserError(
            'what is missing lies outside of the middle square, which is all that this '
            'model sees: crop the picture, or restore it without --workdir'
        )

    missing = np.asarray(hole) > 0
    if restoration.by_filter(request, work, 'filter'):
        return _filtered(request, work, missing)

    def paste(x: np.ndarray) -> np.ndarray:
        return np.where(missing[..., None], work.enlarged(x, 0.0), work.full)

    work = replace(work, seen=work.seen * mask)
    return restoration.restored(request, Hole(), work, mask, paste=paste)


def _by_network(request: ModelRequest, missing: np.ndarray) -> Result:
    """By the network near what is seen, and by a filter farther away, where it sees
    nothing."""
    if missing.all():
        raise UserError('everything is missing: leave something to be seen')
    y, rest = restoration.whole(request), None
    away = np.asarray(ndimage.distance_transform_edt(missing))
    if away.max() > NEAR:
        plate, _ = filters.plate(y, missing)
        share = np.clip((FAR - away) / (FAR - NEAR), 0, 1)[..., None]
        rest = share.astype(np.float32), plate
    mask = (~missing)[..., None].astype(np.float32)
    return restoration.networked(request, y, mask=mask, rest=rest)


def _by_codes(request: ModelRequest, hole: Image.Image) -> Result:
    """By a prior over codes, at the size of the model: codes that see what is missing
    are drawn anew."""
    model, flags = request.model, request.flags
    prior, codes = model.method.code_prior, model.method.codes
    for name in ('steps', 'size'):
        if getattr(flags, name) is not None:
            raise UserError(f'--{name}: this model draws codes, and has no such steps')
    picture = opaque(given(request.inputs[0].word), (255, 255, 255))
    seen = fit(picture, Fit.of(model.config.data))
    missing = restoration.fitted_mask(request, hole)[..., 0]
    if missing.all() or not missing.any():
        raise UserError(
            'what is missing is all, or nothing, of the middle square that this model '
            'sees: crop the picture'
        )
    cells = missing.reshape(
        codes.shape[0], -1, codes.shape[1], missing.shape[1] // codes.shape[1]
    )
    stays = np.asarray(~cells.any((1, 3)))
    if not prior.any_order and (stays.ravel()[np.argmin(stays) :]).any():
        raise UserError(
            'this model draws from the top to the bottom: a hole must reach the lower '
            'edge. A masked_transformer takes any hole (prompt_art.py:masked)'
        )
    words, messages = conditions.words(request)
    x = images.from_uint8(seen)
    plain, _ = filters.plate(np.where(missing[..., None], 0, x), missing)
    known = np.asarray(jax.jit(codes.encode)(model.weights, plain[None]))[0]
    num = restoration.SAMPLES if flags.num is None else max(1, flags.num)
    drawn = prompting.draw(
        model.method, model.weights, flags.seed, num, words, given=(known, stays)
    )
    pictures = [np.where(missing[..., None], image, seen) for image in drawn]
    before = np.where(missing[..., None], 127, seen).astype(np.uint8)
    heads = ['seen', *(str(n) for n in range(num))]
    sheet = sheets.labelled([before, *pictures], min(9, len(heads)), heads)
    if picture.size != seen.shape[1::-1]:
        sizes = [f'{w}x{h}' for w, h in (picture.size, seen.shape[1::-1])]
        word = request.inputs[0].word
        messages.append(f'{word}: {sizes[0]}, made {sizes[1]}, as the model draws')
    messages += [
        f'{stays.sum()} of {stays.size} codes stay: those of squares that are seen '
        'whole',
        restoration.PLAUSIBLE,
    ]
    made = [Picture(image) for image in pictures]
    return Result(pictures=made, sheet=sheet, messages=messages)


def _filtered(request: Request, work: restoration.Work, missing: np.ndarray) -> Result:
    """By a filter, at the picture's own size."""
    x, size = filters.plate(work.full, missing)
    messages = (f'what is missing is of {size} pixels, enlarged',) if size else ()
    seen = np.where(missing[..., None], 0.0, work.full)
    return restoration.filtered(request, replace(work, full=seen), x, messages)


def _hole(request: Request) -> Image.Image:
    """A mask of mode L of the picture's size, white where it is missing."""
    word, flags = request.inputs[0].word, request.flags
    picture = given(word)
    if flags.mask and flags.box:
        raise UserError('--mask and --box both say what is missing: take one')
    if flags.mask:
        hole = given(flags.mask, f'--mask={flags.mask}').convert('L')
        if hole.size != picture.size:
            raise UserError(
                f'--mask={flags.mask} is {hole.width}x{hole.height}, and {word} is '
                f'{picture.width}x{picture.height}: make them of one size'
            )
        hole = hole.point(lambda level: 255 * (level > 127))
    elif flags.box:
        hole = Image.new('L', picture.size)
        hole.paste(255, _box(flags.box, picture.size))
    elif is_transparent(picture):
        alpha = picture.convert('RGBA').getchannel('A')
        hole = alpha.point(lambda level: 255 * (level < 128))
    else:
        raise UserError(
            f'{word} has no transparent part: say by --mask=FILE (white is missing) or '
            '--box=X,Y,WIDTH,HEIGHT what is to be filled'
        )
    if not hole.getbbox():
        raise UserError(
            'nothing is missing: the mask has no white, or the alpha is full'
        )
    return hole


def _box(text: str, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of X,Y,WIDTH,HEIGHT within a picture."""
    try:
        x, y, width, height = map(int, text.split(','))
    except ValueError:
        x = y = width = height = -1
    inside = 0 <= x < x + width <= size[0] and 0 <= y < y + height <= size[1]
    if not inside:
        raise UserError(
            f'--box={text}: give X,Y,WIDTH,HEIGHT within {size[0]}x{size[1]} pixels'
        )
    return x, y, x + width, y + height


TOOL = restoration.tool(
    make,
    {
        'mask': Flag('', str, 'a picture of the same size: white is missing', True),
        'box': Flag('', str, 'X,Y,WIDTH,HEIGHT of what is missing, in pixels'),
    },
)
