"""Pictures moved along one or more directions that directions has found."""

import numpy as np

from gan_vae.art import latents, sheets
from gan_vae.art.tools import Flag, ModelRequest, Result, ToolWithModel
from gan_vae.errors import UserError
from gan_vae.files import expand
from gan_vae.methods import sampling


def make(request: ModelRequest) -> Result:
    model, flags = request.model, request.flags
    z, labels = latents.of_inputs(model, request.inputs, flags.seed)
    one = expand(flags.along).exists()  # a name may have a comma itself
    files = [flags.along] if one else flags.along.split(',')
    moved = z + latents.along(model, files, _strengths(flags.strength, len(files)))
    pictures = latents.pictures(model, moved, labels)
    before = sampling.decode(model.method, model.weights, z, labels)
    pairs = [(old, p.image) for old, p in zip(before, pictures, strict=True)]
    return Result(pictures=pictures, sheet=sheets.before_and_after(pairs))


def _strengths(text: str, count: int) -> list[float]:
    """One number for each of `count` directions, or one for all."""
    try:
        numbers = [float(word) for word in str(text).split(',')]
    except ValueError:
        numbers = []
    numbers = numbers * count if len(numbers) == 1 else numbers
    if len(numbers) != count or not np.isfinite(numbers).all():
        raise UserError(
            f'--strength={text}: give one number, or {count} with commas between them, '
            'one for each of --along'
        )
    return numbers


TOOL = ToolWithModel(
    make=make,
    takes='THING...',
    flags={
        'along': Flag('', str, 'a picture of that row of directions, or several', True),
        'strength': Flag('3', str, 'how far, of each; below 0 the other way'),
    },
)
