"""New texts and poems, from their first words on."""

import numpy as np

from gan_vae.art import sequences
from gan_vae.art.tools import Flag, ModelRequest, Result, ToolWithModel
from gan_vae.data import poems, writing
from gan_vae.errors import UserError, unknown

PRINTED = 4  # texts


def make(request: ModelRequest) -> Result:
    model, flags = request.model, request.flags
    is_poem = model.config.data.name.partition(':')[0] == 'poems'
    if flags.form and flags.form not in poems.FORMS:
        raise unknown('--form', flags.form, poems.FORMS)
    if flags.form and not is_poem:
        data = model.config.data.name
        raise UserError(f'--form={flags.form} is of poems: this model is of {data}')
    if flags.begin and is_poem and not flags.form:
        raise UserError('--begin of a poem: say its form, as --form=7x4')
    law, messages = (flags.seed, flags.num, flags.temperature), []
    known = model.method.text.words
    if odd := [c for c in dict.fromkeys(flags.begin) if c not in known]:
        messages.append(
            f'characters that this model does not know, and leaves out: {"".join(odd)}'
        )
    begin = ''.join(c for c in flags.begin if c in known)
    text = poems.written(flags.form, begin) if flags.form else begin
    if text:
        prompt = writing.points(text)
        values = sequences.complete(model.method, model.weights, prompt, *law)
    else:
        values = sequences.draw(model.method, model.weights, *law)
    messages += [writing.string(value) + '\n' for value in values[:PRINTED]]
    right = {}
    if is_poem:
        forms = [poems.is_regular(writing.string(value)) for value in values]
        right = {'form_right': float(np.mean(forms))}
    return Result(
        sequences=values, prompt_steps=len(text), messages=messages, metrics=right
    )


TOOL = ToolWithModel(
    make=make,
    flags={
        'begin': Flag('', str, 'the first characters, which stay'),
        'form': Flag('', str, f'of poems: {", ".join(poems.FORMS)}'),
        'num': Flag(8, int, 'how many', least=1),
        'temperature': Flag(
            1.0, float, 'of the draws: below 1 safer, above bolder', least=0
        ),
    },
    kinds=('text',),
)
