"""Children of two or more: numbers of samples, pictures of a tool, or any (VAEs)."""

import numpy as np

from gan_vae.art import breeding, conditions, latents, sheets
from gan_vae.art.tools import MANY, Flag, ModelRequest, Result, ToolWithModel
from gan_vae.errors import UserError
from gan_vae.methods import sampling
from gan_vae.methods.contract import required


def make(request: ModelRequest) -> Result:
    model, flags = request.model, request.flags
    required(model.method, 'latents.decode', 'breed')
    if flags.how == 'groups' and model.method.latents.styles:
        model = latents.styled(model)
    else:
        model = latents.space_of(model, request.inputs)
    groups = model.method.latents.groups
    if flags.how == 'groups' and len(groups) == 1:
        raise UserError(
            '--how=groups is for hierarchical VAEs and StyleGAN2: the latents of '
            f'{model.about["config"]} are of one group; take uniform or cut'
        )
    z, labels = latents.of_inputs(model, request.inputs, flags.seed)
    mutation = 0.0 if model.base else flags.mutation
    z = breeding.children(z, flags.num, flags.how, mutation, flags.seed, groups)
    asked, lines = conditions.asked(request)
    if asked is not None:
        labels = np.repeat(asked, flags.num, 0)
    elif labels is not None:  # each child has the condition of one of its parents
        labels = np.random.default_rng([flags.seed, 1]).choice(labels, flags.num)
    if model.base:  # towards styles of other latents: styles are not of N(0, I)
        law = model.base.method, (flags.seed + 1) % 2**32, flags.num
        new = latents.styles_of(model, sampling.latents(*law), labels)
        z += np.float32(flags.mutation) * (new - z)
    pictures = latents.pictures(model, z, labels, request.progress)
    chosen = 'OUT/00000.png OUT/00001.png' if flags.num > 1 else 'OUT/00000.png 7'
    message = (
        f'the next generation: python -m gan_vae.art breed {chosen} '
        f'--workdir={model.workdir}'
    )
    sheet = sheets.numbered([p.image for p in pictures])
    return Result(pictures=pictures, sheet=sheet, messages=[*lines, message])


HOW = "blend, or cross: 'uniform', coarse 'cut' fine, or 'groups'"
TOOL = ToolWithModel(
    make=make,
    takes='THING THING...',
    flags={
        'num': Flag(12, int, 'how many children', least=1, most=MANY),
        'how': Flag('blend', str, HOW, choices=breeding.WAYS),
        'mutation': Flag(0.2, float, 'share of new noise, 0 to 1', least=0, most=1),
    }
    | conditions.FLAGS,
)
