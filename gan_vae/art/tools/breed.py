"""Children of two or more: numbers of samples, pictures of a tool, or any (VAEs)."""

import numpy as np

from gan_vae.art import breeding, latents, sheets
from gan_vae.art.tools import MANY, Flag, ModelRequest, Result, ToolWithModel, at_least
from gan_vae.errors import UserError, unknown
from gan_vae.methods.contract import required


def make(request: ModelRequest) -> Result:
    model, flags = request.model, request.flags
    at_least(flags, 1, 'num', most=MANY)
    if flags.how not in breeding.WAYS:
        raise unknown('--how', flags.how, breeding.WAYS)
    required(model.method, 'latents.decode', 'breed')
    groups = model.method.latents.groups
    if flags.how == 'groups' and len(groups) == 1:
        raise UserError(
            '--how=groups is for hierarchical VAEs: the latents of '
            f'{model.about["config"]} are of one group; take uniform or cut'
        )
    if not 0 <= flags.mutation <= 1:
        raise UserError(f'--mutation={flags.mutation}: must be from 0 to 1')
    parents = [latents.of_input(model, item, flags.seed) for item in request.inputs]
    z, classes = np.stack([z for z, _ in parents]), [label for _, label in parents]
    law = flags.how, flags.mutation, flags.seed, groups
    z = breeding.children(z, flags.num, *law)
    labels = None
    if classes[0] is not None:  # each child is of the class of one of its parents
        rng = np.random.default_rng([flags.seed, 1])
        labels = rng.choice(classes, flags.num)
    pictures = latents.pictures(model, z, labels, request.progress)
    numbers = [f'{n}' for n in range(flags.num)]
    columns = int(np.ceil(np.sqrt(flags.num)))
    sheet = sheets.labelled([p.image for p in pictures], columns, numbers)
    chosen = 'OUT/00000.png OUT/00001.png' if flags.num > 1 else 'OUT/00000.png 7'
    message = f'the next generation: breed {chosen} --workdir={model.workdir}'
    return Result(pictures=pictures, sheet=sheet, messages=[message])


TOOL = ToolWithModel(
    make=make,
    takes='THING THING...',
    flags={
        'num': Flag(12, int, 'how many children'),
        'how': Flag(
            'blend', str, "blend, or cross: 'uniform', coarse 'cut' fine, or 'groups'"
        ),
        'mutation': Flag(0.2, float, 'share of new noise, 0 to 1'),
    },
)
