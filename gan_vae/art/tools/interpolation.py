"""What lies between: pictures, a film of the way, drawings."""

import numpy as np

from gan_vae.art import latents, sequences
from gan_vae.art.tools import Asked, Flag, Made, Tool, at_least
from gan_vae.errors import UserError
from gan_vae.evaluation.path_length import slerp


def make(asked: Asked) -> Made:
    run, flags = asked.run, asked.flags
    at_least(flags, 2, 'num')
    if run.kind != 'images':
        return _of_sequences(asked)
    found = [latents.of_thing(run, thing, flags.seed) for thing in asked.things]
    z = [z for z, _ in found]
    if flags.loop:
        z.append(z[0])
    label = found[0][1]
    path = [
        slerp(*(np.repeat(e[None], flags.num, 0) for e in ends), _shares(flags.num))
        for ends in zip(z, z[1:], strict=False)
    ]
    # a stop is the end of one part and the beginning of the next: it is shown once
    path = [part[:-1] for part in path[:-1]] + [
        path[-1][:-1] if flags.loop else path[-1]
    ]
    path = np.concatenate(path).astype(np.float32)
    labels = None if label is None else np.full(len(path), label)
    made = latents.pictures(run, path, labels)
    return Made(made, min(len(made), flags.num), frames=[p.image for p in made])


def _shares(num: int) -> np.ndarray:
    return np.linspace(0, 1, num)


def _of_sequences(asked: Asked) -> Made:
    run, num = asked.run, asked.flags.num
    if run.method.encode is None:
        raise UserError(
            f'{run.about["config"]} has no latent of a whole sequence, as a sketch_vae '
            'has; python -m gan_vae.art complete goes on from one'
        )
    if len(asked.things) != 2 or asked.flags.loop:
        raise UserError(f'between {run.kind}, interpolate takes two, and no --loop')
    ends = [sequences.given(thing.word, run) for thing in asked.things]
    return Made(sequences=sequences.between(run.method, run.state, *ends, num))


TOOLS = {
    'interpolate': Tool(
        'what lies between two or more: numbers of samples, pictures, drawings',
        make,
        'THING THING...',
        {
            'num': Flag(8, int, 'pictures from each to the next, both counted'),
            'loop': Flag(False, bool, 'and back to the first'),
        },
        kinds=('images', 'rolls', 'strokes'),
    )
}
