"""What lies between two or more: numbers of samples, pictures, drawings."""

import numpy as np

from gan_vae.art import interpolation, latents, sequences
from gan_vae.art.interpolation import WAYS
from gan_vae.art.tools import MANY, Flag, ModelRequest, Result, ToolWithModel
from gan_vae.errors import UserError
from gan_vae.methods import sampling
from gan_vae.methods.contract import capability


def make(request: ModelRequest) -> Result:
    model, flags = request.model, request.flags
    if model.kind != 'images':
        return _of_sequences(request)
    model = latents.space_of(model, request.inputs)
    stops, labels = latents.of_inputs(model, request.inputs, flags.seed)
    how = 'lerp' if model.base else flags.how  # styles have no arcs
    label = None if labels is None else labels[:1]
    if flags.loop:
        stops = np.concatenate([stops, stops[:1]])
    last = len(stops) - 1

    def draw(places):
        z = interpolation.along(stops, places, how)
        return sampling.decode(model.method, model.weights, z, label)

    # a stop is the end of one part and the beginning of the next, and drawn once
    num = last * (flags.num - 1) + (not flags.loop)
    if flags.even:
        places = interpolation.even(draw, last, num, flags.loop)
    else:
        places = last * interpolation.shares(num, flags.loop)
    z = interpolation.along(stops, places, how)
    pictures = latents.pictures(model, z, label, request.progress)
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
        'num': Flag(8, int, 'from each to the next, both counted', least=2, most=MANY),
        'loop': Flag(False, bool, 'and back to the first'),
        'how': Flag('slerp', str, "along arcs, or straight: 'lerp'", choices=WAYS),
        'movie': Flag('gif', str, "or 'mp4' (the extra video)", choices=('gif', 'mp4')),
        'even': Flag(False, bool, 'each picture as far from the one before'),
    },
    kinds=('images', 'rolls', 'strokes'),
)
