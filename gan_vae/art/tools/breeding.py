"""Children of pictures, to choose the parents of the next generation from."""

import numpy as np

from gan_vae.art import breeding, latents, sheets
from gan_vae.art.tools import MANY, Asked, Flag, Made, Tool, at_least
from gan_vae.errors import UserError, unknown


def make(asked: Asked) -> Made:
    run, flags = asked.run, asked.flags
    at_least(flags, 1, 'num', most=MANY)
    if flags.how not in breeding.WAYS:
        raise unknown('--how', flags.how, breeding.WAYS)
    if flags.how == 'groups' and len(run.method.latents.groups) == 1:
        raise UserError(
            '--how=groups is for hierarchical VAEs: the latents of '
            f'{run.about["config"]} are of one group; take uniform or cut'
        )
    if not 0 <= flags.mutation <= 1:
        raise UserError(f'--mutation={flags.mutation}: must be from 0 to 1')
    found = [latents.of_thing(run, thing, flags.seed) for thing in asked.things]
    parents, labels = np.stack([z for z, _ in found]), [label for _, label in found]
    how = flags.how, flags.mutation, flags.seed
    z = breeding.children(parents, flags.num, *how, run.method.latents.groups)
    if labels[0] is None:
        of_children = None
    else:  # each child is of the class of one of its parents
        rng = np.random.default_rng([flags.seed, 1])
        of_children = rng.choice(labels, flags.num)
    made = latents.pictures(run, z, of_children, track=asked.steps)
    numbers = [f'{n}' for n in range(flags.num)]
    columns = int(np.ceil(np.sqrt(flags.num)))
    sheet = sheets.labelled([p.image for p in made], columns, numbers)
    chosen = 'OUT/00000.png OUT/00001.png' if flags.num > 1 else 'OUT/00000.png 7'
    said = f'the next generation: breed {chosen} --workdir={run.about["workdir"]}'
    return Made(made, sheet=sheet, said=[said])


TOOLS = {
    'breed': Tool(
        'children of two or more: numbers of samples, our pictures, or any (VAEs)',
        make,
        'THING THING...',
        {
            'num': Flag(12, int, 'how many children'),
            'how': Flag(
                'blend',
                str,
                "blend, or cross: 'uniform', coarse 'cut' fine, or 'groups'",
            ),
            'mutation': Flag(0.2, float, 'share of new noise, 0 to 1'),
        },
    )
}
