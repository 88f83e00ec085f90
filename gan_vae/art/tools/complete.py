"""How a melody (MIDI), a drawing (SVG), a text, held-out sequence N or a picture could
go on.

Of a picture, by a prior over codes, the upper part stays, or all but a box.
"""

from typing import Any

import jax
import numpy as np

from gan_vae import images
from gan_vae.art import conditions, sequences, sheets
from gan_vae.art.tools import Flag, ModelRequest, Picture, Result, ToolWithModel
from gan_vae.data.pictures import Fit, fit, given
from gan_vae.errors import UserError, counted
from gan_vae.methods import prompting
from gan_vae.methods.contract import Law, required

OF_PICTURES = ('keep', 'box', 'prompt', 'class', 'guidance', 'top_k', 'top_p')
OF_SEQUENCES = ('steps', 'grid')


def make(request: ModelRequest) -> Result:
    model, flags, word = request.model, request.flags, request.inputs[0].word
    values, pictures = vars(flags), model.kind == 'images'
    for name in OF_SEQUENCES if pictures else OF_PICTURES:
        if values[name] not in (None, ''):
            kind = 'music and drawings' if pictures else 'pictures'
            raise UserError(f'--{name} is of {kind}')
    if pictures:
        return _picture(request)
    if flags.grid is not None and model.kind != 'rolls':
        raise UserError('--grid is of music')
    messages: list[str] = []
    prompt = sequences.given(word, model, flags.grid or 1, messages.append)
    if model.kind != 'text' or word.isdecimal() or flags.steps is not None:
        prompt = sequences.beginning(prompt, flags.steps)
    law = flags.seed, flags.num, flags.temperature
    values = sequences.complete(model.method, model.weights, prompt, *law)
    if not len(prompt):
        raise UserError(f'{word!r}: this model knows none of these characters')
    unit = 'character' if model.kind == 'text' else 'step'
    messages.append(f'the first {counted(len(prompt), unit)} are those of {word!r}')
    return Result(sequences=values, prompt_steps=len(prompt), messages=messages)


def _picture(request: ModelRequest) -> Result:
    """A picture that goes on below, or in a box."""
    model, flags = request.model, request.flags
    prior = required(model.method, 'code_prior', 'complete')
    codes = model.method.codes
    how = Fit.of(model.config.data)
    seen = fit(given(request.inputs[0].word), how)
    x = images.from_uint8(seen[None])
    stays = _stays(flags, codes.shape, how.size)
    if not prior.any_order and (stays.ravel()[np.argmin(stays) :]).any():
        raise UserError(
            f'--box={flags.box}: this model draws from the top to the bottom: the box '
            'has to reach the lower right corner; a masked_transformer takes any'
        )
    words, messages = conditions.words(request)
    law = Law(flags.guidance, flags.temperature, flags.top_k, flags.top_p)
    known = np.asarray(jax.jit(codes.encode)(model.weights, x))[0]
    drawn = prompting.draw(
        model.method, model.weights, flags.seed, flags.num, words, law, (known, stays)
    )
    kept, count = int(stays.sum()), stays.size
    messages.append(f'{kept} of {count} codes stay')
    heads = ['given', *(str(n) for n in range(flags.num))]
    sheet = sheets.labelled([seen, *drawn], min(9, len(heads)), heads)
    pictures = [Picture(image) for image in drawn]
    return Result(pictures=pictures, sheet=sheet, messages=messages)


def _stays(flags: Any, shape: tuple[int, int], size: int) -> np.ndarray:
    """bool [h, w]: the codes that stay."""
    rows, columns = shape
    if flags.box:
        if flags.keep is not None:
            raise UserError('--keep and --box both say what stays: take one')
        try:
            left, top, width, height = map(int, flags.box.split(','))
        except ValueError:
            left = top = width = height = -1
        inside = left >= 0 <= top and left + width <= size >= top + height
        if not (inside and width > 0 < height):
            raise UserError(
                f'--box={flags.box}: give X,Y,WIDTH,HEIGHT within {size}x{size} pixels'
            )
        y, x = (size * (np.arange(n) + 0.5) / n for n in (rows, columns))
        inside = (top <= y) & (y < top + height)
        stays = ~(inside[:, None] & (left <= x) & (x < left + width))
    else:
        share = 0.5 if flags.keep is None else flags.keep
        stays = np.repeat(np.arange(rows)[:, None] < round(share * rows), columns, 1)
    if stays.all():
        raise UserError('nothing is left to draw: a smaller --keep, or a larger --box')
    return stays


TOOL = ToolWithModel(
    make=make,
    takes='THING',
    flags={
        'steps': Flag(None, int, 'of the input that are kept; else its first half'),
        'grid': Flag(None, int, 'steps in a quarter of a MIDI file; else 1', least=1),
        'num': Flag(8, int, 'how many', least=1, most=64),
        'keep': Flag(
            None, float, 'of a picture: the upper share; else 0.5', least=0, most=1
        ),
        'box': Flag('', str, 'of a picture: X,Y,WIDTH,HEIGHT in pixels to be drawn'),
        'guidance': Flag(None, float, 'how much words or class count, as 2', least=0),
        'top_k': Flag(None, int, 'only so many of the likeliest codes; 0 is all'),
        'top_p': Flag(None, float, 'the likeliest codes of so much probability'),
        'temperature': Flag(
            1.0, float, 'of the draws: below 1 safer, above bolder', least=0
        ),
    }
    | conditions.FLAGS,
    kinds=('images', 'rolls', 'strokes', 'text'),
)
