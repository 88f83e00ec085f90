"""What lies between two or more: numbers of samples, pictures, drawings."""

import numpy as np

from gan_vae.art import interpolation, latents, sequences
from gan_vae.art.tools import MANY, Flag, ModelRequest, Result, ToolWithModel, at_least
from gan_vae.errors import UserError, unknown
from gan_vae.methods import sampling
from gan_vae.methods.contract import capability


def make(request: ModelRequest) -> Result:
    model, flags = request.model, request.flags
    at_least(flags, 2, 'num', most=MANY)
    if flags.movie not in ('gif', 'mp4'):
        raise unknown('--movie', flags.movie, ('gif', 'mp4'))
    if flags.how not in interpolation.WAYS:
        raise unknown('--how', flags.how, interpolation.WAYS)
    if model.kind != 'images':
        return _of_sequences(request)
    ends = [latents.of_input(model, item, flags.seed) for item in request.inputs]
    stops, label = np.stack([z for z, _ in ends]), ends[0][1]
    if flags.loop:
        stops = np.concatenate([stops, stops[:1]])
    last = len(stops) - 1

    def draw(places):
        z = interpolation.along(stops, places, flags.how)
        return sampling.decode(model.method, model.weights, z, label)

    # a stop is the end of one part and the beginning of the next, and drawn once
    num = last * (flags.num - 1) + (not flags.loop)
    if flags.even:
        places = interpolation.even(draw, last, num, flags.loop)
    else:
        places = last * interpolation.shares(num, flags.loop)
    z = interpolation.along(stops, places, flags.how)
    labels = None if label is None else np.full(len(z), label)
    pictures = latents.pictures(model, z, labels, request.progress)
    return Result(
        pictures=pictures,
        columns=min(len(pictures), flags.num),
        frames=[p.image for p in pictures],
        film=flags.movie,
    )


def _of_sequences(request: ModelRequest) -> Result:
    model, flags = request.model, request.flags
    if capability(model.method, 'latents.encode') is None:
        raise UserError(
            f'{model.about["config"]} has no latent of a whole sequence, as a '
            'sketch_vae has; python -m gan_vae.art complete goes on from one'
        )
    changed = flags.loop or flags.even or flags.how != 'slerp' or flags.movie != 'gif'
    if len(request.inputs) != 2 or changed:
        raise UserError(f'between {model.kind}, interpolate takes two, and --num alone')
    ends = [sequences.given(item.word, model) for item in request.inputs]
    values = sequences.between(model.method, model.weights, *ends, flags.num)
    return Result(sequences=values)


TOOL = ToolWithModel(
    make=make,
    takes='THING THING...',
    flags={
        'num': Flag(8, int, 'pictures from each to the next, both counted'),
        'loop': Flag(False, bool, 'and back to the first'),
        'how': Flag('slerp', str, "along arcs, or straight: 'lerp'"),
        'movie': Flag('gif', str, "the film: gif, or 'mp4' (the extra video)"),
        'even': Flag(False, bool, 'each picture as far from the one before'),
    },
    kinds=('images', 'rolls', 'strokes'),
)
