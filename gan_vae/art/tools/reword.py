"""A picture changed by words: what the new words make unlikely is drawn anew."""

import jax
import numpy as np

from gan_vae import images
from gan_vae.art import sheets
from gan_vae.art.tools import Flag, ModelRequest, Picture, Result, ToolWithModel
from gan_vae.data.pictures import Fit, fit, given
from gan_vae.data.vector_art import mood
from gan_vae.errors import UserError
from gan_vae.methods import prompting
from gan_vae.methods.contract import Law, required

NATS = 1.0


def make(request: ModelRequest) -> Result:
    model, flags = request.model, request.flags
    method, weights = model.method, model.weights
    required(method, 'code_prior.score', 'reword')
    text = required(method, 'captions', 'reword').text
    if not flags.to:
        raise UserError('say what it is to be by --to="WORDS"')
    was, messages = flags.was, list[str]()
    recorded = request.inputs[0].provenance.get('prompt')
    if not was and isinstance(recorded, str) and recorded:
        was = recorded
        messages.append(f'it shows, as it says itself: {was!r}; --was=WORDS otherwise')
    was, _ = mood.plain(was, text.words)
    if (to := mood.changed(was, flags.to, text.words)) != flags.to:
        if not was:
            raise UserError(
                f'--to={flags.to} changes a face: say what the picture shows by '
                '--was="WORDS"'
            )
        messages.append(f'it is to be: {to!r}')
    rows = []
    for words in (was, to):
        row, lines = np.zeros(text.length, np.int32), []
        if words:
            row, lines = prompting.numbers(text, words)
        rows.append(row[None])
        messages += lines
    seen = fit(given(request.inputs[0].word), Fit.of(model.config.data))
    encode, decode = jax.jit(method.codes.encode), jax.jit(method.codes.decode)
    codes = np.asarray(encode(weights, images.from_uint8(seen[None])))
    floors = prompting.floors(method, weights, codes, rows[0], flags.nats)
    law = Law(flags.guidance, flags.temperature, None, None)
    drawn = prompting.draw(
        method, weights, flags.seed, flags.num, rows[1][0], law, (codes[0], floors[0])
    )
    same = images.to_uint8(decode(weights, codes))
    x = images.from_uint8(np.concatenate([same, drawn]))
    again = np.asarray(encode(weights, x))
    changed = again[1:] != again[:1]
    messages.append(f'{changed.mean():.0%} of the codes changed, of {codes.size}')
    heads = ['given', *(str(n) for n in range(flags.num))]
    sheet = sheets.labelled([seen, *drawn], min(9, len(heads)), heads)
    return Result(pictures=[Picture(x) for x in drawn], sheet=sheet, messages=messages)


TOOL = ToolWithModel(
    make=make,
    takes='PICTURE',
    flags={
        'to': Flag('', str, 'words for what it is to be'),
        'was': Flag(
            '', str, 'words for what it shows; unless given, the prompt in the picture'
        ),
        'nats': Flag(
            NATS, float, 'how much less likely a code may be and stay', least=0
        ),
        'num': Flag(4, int, 'how many', least=1, most=64),
        'guidance': Flag(None, float, 'how much the words count, as 2', least=0),
        'temperature': Flag(None, float, 'of the draws: below 1 safer', least=0),
    },
)
