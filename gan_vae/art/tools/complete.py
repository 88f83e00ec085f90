"""How a melody (MIDI), a drawing (SVG) or held-out sequence N could go on."""

from gan_vae.art import sequences
from gan_vae.art.tools import Flag, ModelRequest, Result, ToolWithModel
from gan_vae.errors import UserError, counted


def make(request: ModelRequest) -> Result:
    model, flags, word = request.model, request.flags, request.inputs[0].word
    if flags.grid is not None and model.kind != 'rolls':
        raise UserError('--grid is of music')
    messages: list[str] = []
    prompt = sequences.given(word, model, flags.grid or 1, messages.append)
    prompt = sequences.beginning(prompt, flags.steps)
    law = flags.seed, flags.num, flags.temperature
    values = sequences.complete(model.method, model.weights, prompt, *law)
    messages.append(f'the first {counted(len(prompt), "step")}: of {word}')
    return Result(sequences=values, prompt_steps=len(prompt), messages=messages)


TOOL = ToolWithModel(
    make=make,
    takes='THING',
    flags={
        'steps': Flag(None, int, 'of the input that are kept; else its first half'),
        'grid': Flag(None, int, 'steps in a quarter of a MIDI file; else 1', least=1),
        'num': Flag(8, int, 'how many', least=1),
        'temperature': Flag(
            1.0, float, 'of the draws: below 1 safer, above bolder', least=0
        ),
    },
    kinds=('rolls', 'strokes'),
)
