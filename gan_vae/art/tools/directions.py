"""What the directions of a latent space do to a picture, with their strength."""

import numpy as np

from gan_vae.art import directions, features, latents, provenance, sheets
from gan_vae.art.tools import Flag, Model, ModelRequest, Result, ToolWithModel
from gan_vae.errors import UserError
from gan_vae.methods import sampling

METHODS = ('sefa', 'pca', 'attribute')
SIDES = 3  # pictures on each side of the middle


def make(request: ModelRequest) -> Result:
    model, flags = request.model, request.flags
    if bool(flags.on and flags.off) != (flags.method == 'attribute'):
        raise UserError('--method=attribute takes --on and --off, folders of pictures')
    if len(request.inputs) > 1:
        raise UserError('directions takes one thing, or none: sample 0')
    item = request.inputs[0] if request.inputs else provenance.read_input('0')
    z, label = latents.of_input(model, item, flags.seed)
    messages: list[str] = []
    rows = _directions(request, label, messages)[: flags.num]
    strengths = np.linspace(-flags.strength, flags.strength, 2 * SIDES + 1)
    moved = z + strengths[None, :, None] * rows[:, None]
    moved = moved.reshape(-1, len(z)).astype(np.float32)
    pictures = latents.pictures(model, moved, label, request.progress)
    for number, picture in enumerate(pictures):
        row, column = divmod(number, len(strengths))
        record = {'direction': latents.packed(rows[row])}
        picture.provenance.update(record, strength=float(strengths[column]))
    sheet = sheets.labelled(
        [p.image for p in pictures],
        len(strengths),
        below=[f'{n:05d}' for n in range(len(pictures))],
        rows=[f'{n}' for n in range(len(rows))],
        heads=[f'{s:+.1f}' if s else '0' for s in strengths],
    )
    first = f'OUT/{len(strengths) - 1:05d}.png'
    messages.append(
        f'move others: move THING --along={first} --strength=2, the first direction'
    )
    return Result(pictures=pictures, sheet=sheet, messages=messages)


def _directions(
    request: ModelRequest, label: int | None, messages: list[str]
) -> np.ndarray:
    """Unit directions [n, D], that which changes most first; label: of the picture."""
    model, flags = request.model, request.flags
    if flags.method == 'attribute':
        places = flags.on, flags.off
        return directions.attribute(*(_of_folder(model, p, messages) for p in places))
    if flags.method == 'sefa':
        size = latents.size(model)
        return directions.sefa(directions.first_layer(model.weights.averaged, size))
    z = sampling.latents(model.method, flags.seed, directions.SEEN)
    # of one class, or components are of the classes
    y = sampling.decode(model.method, model.weights, z, label, request.progress)
    return directions.pca(z[: len(y)], y.reshape(len(y), -1), flags.num)


def _of_folder(model: Model, place: str, messages: list[str]) -> np.ndarray:
    """The latents [n, D] of the pictures of a folder."""
    files, left_out = features.picture_files(place)
    messages += features.message_of(left_out, f'{place}: ')
    items = [provenance.read_input(str(file)) for file in files]
    return latents.of_inputs(model, items, 0)[0]


TOOL = ToolWithModel(
    make=make,
    takes='[THING...]',
    flags={
        'method': Flag('pca', str, f'one of {", ".join(METHODS)}', choices=METHODS),
        'num': Flag(8, int, 'directions', least=1),
        'strength': Flag(6.0, float, 'of the pictures at the ends', least=1e-6),
        'on': Flag('', str, 'of attribute: a folder of pictures with it', True),
        'off': Flag('', str, 'of attribute: a folder of those without', True),
    },
)
