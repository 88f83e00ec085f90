"""What the directions of a latent space do to a picture, with their strength."""

from collections.abc import Callable
from typing import Any, cast

import numpy as np

from gan_vae import data
from gan_vae.art import directions, features, latents, provenance, sheets
from gan_vae.art.tools import Flag, Model, ModelRequest, Result, ToolWithModel
from gan_vae.errors import UserError
from gan_vae.evaluation import factors
from gan_vae.methods import sampling

METHODS = ('sefa', 'pca', 'attribute', 'factor')
SIDES = 3  # pictures on each side of the middle


def make(request: ModelRequest) -> Result:
    model, flags = request.model, request.flags
    if bool(flags.on and flags.off) != (flags.method == 'attribute'):
        raise UserError('--method=attribute takes --on and --off, folders of pictures')
    if bool(flags.factor) != (flags.method == 'factor'):
        raise UserError('--method=factor takes --factor=NAME, of the data of the model')
    if len(request.inputs) > 1:
        raise UserError('directions takes one thing, or none: sample 0')
    first = provenance.read_input(str(_of_class(model, flags.factor)))
    item = request.inputs[0] if request.inputs else first
    z, label = latents.of_input(model, item, flags.seed)
    messages: list[str] = []
    metrics: dict = {}
    names: list[str] = []
    if flags.method == 'factor':
        rows, names, metrics = _by_factor(request, label, messages)
    else:
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
        rows=names or [f'{n}' for n in range(len(rows))],
        heads=[f'{s:+.1f}' if s else '0' for s in strengths],
    )
    first = f'OUT/{len(strengths) - 1:05d}.png'
    messages.append(
        'the first direction on others: python -m gan_vae.art move PICTURE '
        f'--along={first} --strength=2 --workdir={model.workdir}'
    )
    return Result(pictures=pictures, sheet=sheet, messages=messages, metrics=metrics)


def _of_class(model: Model, factor: str) -> int:
    """The first sample of the class that a factor such as 'sprouts.pot' is of."""
    style, _, part = factor.partition('.')
    return model.classes.index(style) if part and style in model.classes else 0


def _by_factor(
    request: ModelRequest, label: np.ndarray | None, messages: list[str]
) -> tuple[np.ndarray, list[str], dict]:
    """Unit directions [n, D] to the most frequent values of a factor, the values, and
    what moving by --strength changes in other samples."""
    model, flags = request.model, request.flags
    settings = model.config.data
    splits = settings.split, settings.eval_split
    train, held_out = cast(Any, [data.examples(settings, split) for split in splits])
    factors.check(flags.factor, train)
    known = factors.load(train, held_out)
    place = known.names.index(flags.factor)
    if known.accuracy[place] < directions.READABLE:
        messages.append(
            f'{flags.factor}: the classifier is right in only '
            f'{known.accuracy[place]:.0%} of held-out pictures'
        )

    def seen(z):
        pictures = sampling.decode(model.method, model.weights, z, label)
        return known.of(pictures)

    z = sampling.latents(model.method, flags.seed, directions.SEEN)
    values = known.values[place]
    towards = directions.to_values(z, seen(z)[:, place])
    if not towards:
        raise UserError(
            f'{flags.factor}: samples differ too little in it to find a direction'
        )
    towards = dict(list(towards.items())[: flags.num])
    metrics = _changes(request, known, place, seen, towards)
    for name, c in metrics['values'].items():
        messages.append(
            f'{name}: seen in {c["before"]:.0%} of {directions.MEASURED} samples, '
            f'in {c["after"]:.0%} when moved by {flags.strength:g}; of the other '
            f'factors {c["others"]:.0%} change, and {metrics["any_direction"]:.0%} '
            'along any direction'
        )
    return np.stack([*towards.values()]), [values[v] for v in towards], metrics


def _changes(
    request: ModelRequest,
    known: factors.Factors,
    place: int,
    seen: Callable,
    towards: dict[int, np.ndarray],
) -> dict:
    """What moving by --strength towards each value changes in samples of another seed,
    of the factors that the classifier reads and that differ between samples."""
    model, flags = request.model, request.flags
    z = sampling.latents(model.method, flags.seed + 1, directions.MEASURED)
    before = seen(z)
    counted = np.array(known.accuracy) >= directions.READABLE
    counted &= (before != before[:1]).any(0)
    counted[place] = True
    column = int(counted[:place].sum())

    def change(direction, value):
        after = seen((z + flags.strength * direction).astype(np.float32))
        return directions.change(before[:, counted], after[:, counted], column, value)

    draw = np.random.default_rng(flags.seed)
    (free,) = directions.signed(draw.normal(size=(1, z.shape[1])))
    values = {
        known.values[place][value]: change(direction, value)._asdict()
        for value, direction in request.progress([*towards.items()], 'measuring')
    }
    by_chance = change(free, next(iter(towards))).others
    return {'factor': flags.factor, 'any_direction': by_chance, 'values': values}


def _directions(
    request: ModelRequest, label: np.ndarray | None, messages: list[str]
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
        'factor': Flag('', str, 'of factor: its name, as sprouts.potColor'),
        'num': Flag(8, int, 'directions', least=1),
        'strength': Flag(6.0, float, 'of the pictures at the ends', least=1e-6),
        'on': Flag('', str, 'of attribute: a folder of pictures with it', True),
        'off': Flag('', str, 'of attribute: a folder of those without', True),
    },
)
