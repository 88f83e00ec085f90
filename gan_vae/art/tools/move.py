"""Pictures moved along a direction that directions has found."""

import numpy as np

from gan_vae.art import latents, provenance, sheets
from gan_vae.art.tools import Flag, ModelRequest, Result, ToolWithModel
from gan_vae.errors import UserError
from gan_vae.methods import sampling


def make(request: ModelRequest) -> Result:
    model, flags = request.model, request.flags
    along = provenance.embedded(flags.along) if flags.along else {}
    if along.get('model') != model.about['state_sha256'] or 'direction' not in along:
        raise UserError(
            f'--along={flags.along}: give a picture that directions made of this model'
        )
    direction = latents.unpacked(flags.along, along['direction'], latents.size(model))
    z, labels = latents.of_inputs(model, request.inputs, flags.seed)
    moved = (z + np.float32(flags.strength) * direction).astype(np.float32)
    pictures = latents.pictures(model, moved, labels)
    before = sampling.decode(model.method, model.weights, z, labels)
    pairs = [(old, p.image) for old, p in zip(before, pictures, strict=True)]
    return Result(pictures=pictures, sheet=sheets.before_and_after(pairs))


TOOL = ToolWithModel(
    make=make,
    takes='THING...',
    flags={
        'along': Flag('', str, 'a picture of that row of directions', True),
        'strength': Flag(3.0, float, 'how far; below 0 the other way'),
    },
)
