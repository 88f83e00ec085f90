"""New pictures, music and drawings."""

import numpy as np

from gan_vae.art import latents, sequences, sheets
from gan_vae.art.tools import MANY, Asked, Flag, Made, Tool, at_least
from gan_vae.errors import UserError
from gan_vae.methods import sampling

CHOSEN = 16
SHOWN = 100  # pictures with their numbers


def make(asked: Asked) -> Made:
    run, flags = asked.run, asked.flags
    at_least(flags, 1, 'num', most=MANY)
    at_least(flags, 0, 'truncation', 'temperature')
    if run.kind != 'images':
        if flags.pairs or flags.truncation is not None or vars(flags)['class']:
            raise UserError('--pairs, --truncation and --class are of images')
        made = sequences.draw(
            run.method, run.state, flags.seed, flags.num, flags.temperature
        )
        return Made(sequences=made)
    method, num = run.method, flags.num
    if flags.truncation is not None and flags.temperature is not None:
        raise UserError('--truncation and --temperature both narrow: take one')
    name = vars(flags)['class']
    label = sampling.class_id(run.classes, name) if name else None
    half = num // 2 + num % 2 if flags.pairs else num
    z = latents.draw(method, flags.seed, half, flags.truncation)
    if flags.temperature is not None:
        z = z * np.float32(flags.temperature)
    if flags.pairs:
        z = np.stack([z, -z], 1).reshape(-1, *z.shape[1:])[:num]
    if label is None and method.classes:
        # the two of a pair are of one class
        labels = np.arange(num) // (2 if flags.pairs else 1) % method.classes
    else:
        labels = None if label is None else np.full(num, label)
    made = latents.pictures(run, z, labels, track=asked.steps)
    if num > SHOWN:
        return Made(made)
    columns = int(np.ceil(np.sqrt(num)))
    numbers = [f'{n}' for n in range(num)]
    sheet = sheets.labelled([p.image for p in made], columns, numbers)
    return Made(made, sheet=sheet)


TOOLS = {
    'sample': Tool(
        'new pictures, each with its latent; or new music and drawings',
        make,
        flags={
            'num': Flag(CHOSEN, int, 'how many'),
            'class': Flag('', str, 'a name or a number; by default each in turn'),
            'truncation': Flag(None, float, 'latents drawn again until within +- this'),
            'temperature': Flag(None, float, 'factor of the deviations of latents'),
            'pairs': Flag(False, bool, 'z and -z beside each other'),
        },
        kinds=('images', 'rolls', 'strokes'),
    )
}
