"""What lies between: pictures, a film of the way, drawings."""

import numpy as np

from gan_vae.art import interpolation, latents, sequences
from gan_vae.art.tools import MANY, Asked, Flag, Made, Tool, at_least
from gan_vae.errors import UserError, unknown
from gan_vae.methods.contract import capability


def make(asked: Asked) -> Made:
    run, flags = asked.run, asked.flags
    at_least(flags, 2, 'num', most=MANY)
    if flags.movie not in ('gif', 'mp4'):
        raise unknown('--movie', flags.movie, ('gif', 'mp4'))
    if flags.how not in interpolation.WAYS:
        raise unknown('--how', flags.how, interpolation.WAYS)
    if run.kind != 'images':
        return _of_sequences(asked)
    found = [latents.of_thing(run, thing, flags.seed) for thing in asked.things]
    stops = np.stack([z for z, _ in found])
    if flags.loop:
        stops = np.concatenate([stops, stops[:1]])
    label, last = found[0][1], len(stops) - 1

    def labels(z):
        return None if label is None else np.full(len(z), label)

    def draw(places):
        z = interpolation.along(stops, places, flags.how)
        return latents.decode(run, z, labels(z))

    # a stop is the end of one part and the beginning of the next: it is shown once
    num = last * (flags.num - 1) + (not flags.loop)
    if flags.even:
        places = interpolation.even(draw, last, num, flags.loop)
    else:
        places = last * interpolation.shares(num, flags.loop)
    z = interpolation.along(stops, places, flags.how)
    made = latents.pictures(run, z, labels(z), track=asked.steps)
    frames = [p.image for p in made]
    return Made(made, min(len(made), flags.num), frames=frames, film=flags.movie)


def _of_sequences(asked: Asked) -> Made:
    run, num = asked.run, asked.flags.num
    if capability(run.method, 'latents.encode') is None:
        raise UserError(
            f'{run.about["config"]} has no latent of a whole sequence, as a sketch_vae '
            'has; python -m gan_vae.art complete goes on from one'
        )
    flags = asked.flags
    if (
        len(asked.things) != 2
        or flags.loop
        or flags.even
        or flags.how != 'slerp'
        or flags.movie != 'gif'
    ):
        raise UserError(f'between {run.kind}, interpolate takes two, and --num alone')
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
            'how': Flag('slerp', str, "along arcs, or straight: 'lerp'"),
            'movie': Flag('gif', str, "the film: gif, or 'mp4' (the extra video)"),
            'even': Flag(False, bool, 'each picture as far from the one before'),
        },
        kinds=('images', 'rolls', 'strokes'),
    )
}
