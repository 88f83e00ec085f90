"""Sheets of what directions do, and pictures moved along one."""

import base64
from pathlib import Path

import numpy as np

from gan_vae.art import directions, latents, making, sheets
from gan_vae.art.tools import Asked, Flag, Made, Tool, at_least
from gan_vae.errors import UserError, unknown

METHODS = ('sefa', 'pca', 'attribute')
SIDES = 3  # pictures on each side of the middle


def make(asked: Asked) -> Made:
    run, flags = asked.run, asked.flags
    at_least(flags, 1, 'num')
    at_least(flags, 1e-6, 'strength')
    if flags.method not in METHODS:
        raise unknown('--method', flags.method, METHODS)
    if bool(flags.on and flags.off) != (flags.method == 'attribute'):
        raise UserError('--method=attribute takes --on and --off, folders of pictures')
    z, label = _start(asked)
    found = _found(asked)[: flags.num]
    strengths = np.linspace(-flags.strength, flags.strength, 2 * SIDES + 1)
    moved = z + strengths[None, :, None] * found[:, None]
    moved = moved.reshape(-1, len(z)).astype(np.float32)
    labels = None if label is None else np.full(len(moved), label)
    made = latents.pictures(run, moved, labels)
    for number, picture in enumerate(made):
        row, column = divmod(number, len(strengths))
        picture.about.update(_carried(found[row]), strength=float(strengths[column]))
    heads = [f'{s:+.1f}' if s else '0' for s in strengths]
    rows = [f'{n}' for n in range(len(found))]
    shown = [p.image for p in made]
    sheet = sheets.labelled(shown, len(strengths), rows=rows, heads=heads)
    first = f'OUT/{len(strengths) - 1:05d}.png'
    said = f'move others: move THING --along={first} --strength=2, the first direction'
    return Made(made, sheet=sheet, said=[said])


def _start(asked: Asked):
    """The latent and the class of the picture that is moved; sample 0 by default."""
    thing = asked.things[0] if asked.things else making.thing('0')
    if len(asked.things) > 1:
        raise UserError('directions takes one thing, or none: sample 0')
    return latents.of_thing(asked.run, thing, asked.flags.seed)


def _found(asked: Asked) -> np.ndarray:
    run, flags = asked.run, asked.flags
    if flags.method == 'attribute':
        with_it, without = (_all(asked, place) for place in (flags.on, flags.off))
        return directions.attribute(with_it, without)
    size = latents.size(run)
    if flags.method == 'sefa':
        return directions.sefa(directions.first_layer(run.state.averaged, size))
    z = latents.draw(run.method, flags.seed, directions.SEEN)
    labels = None
    if run.method.classes:  # one class, or components are of the classes
        labels = np.full(len(z), _start(asked)[1])
    y = latents.decode(run, z, labels).reshape(len(z), -1)
    return directions.pca(z, y, flags.num)


def _all(asked: Asked, place: str) -> np.ndarray:
    """The latents of the pictures of a folder."""
    folder = Path(place)
    if not folder.is_dir():
        raise UserError(f'{place} is no folder of pictures')
    files = sorted(f for f in folder.iterdir() if f.is_file() and f.name[0] != '.')
    if not files:
        raise UserError(f'{place} has no pictures')
    things = [making.thing(str(file)) for file in files]
    found = [latents.of_thing(asked.run, thing, 0)[0] for thing in things]
    return np.stack(found)


def _carried(direction: np.ndarray) -> dict:
    raw = np.ascontiguousarray(direction, '<f4').tobytes()
    return {'direction': base64.b64encode(raw).decode()}


def move(asked: Asked) -> Made:
    run, flags = asked.run, asked.flags
    about = making.embedded(flags.along) if flags.along else {}
    if about.get('model') != run.about['state_sha256'] or 'direction' not in about:
        raise UserError(
            f'--along={flags.along}: give a picture that directions made of this model'
        )
    direction = latents.unpacked(flags.along, about['direction'], latents.size(run))
    found = [latents.of_thing(run, thing, flags.seed) for thing in asked.things]
    z = np.stack([z for z, _ in found]) + np.float32(flags.strength) * direction
    label = found[0][1]
    labels = None if label is None else np.array([label for _, label in found])
    return Made(latents.pictures(run, z.astype(np.float32), labels))


TOOLS = {
    'directions': Tool(
        'what the directions of a latent space do to a picture, with their strength',
        make,
        '[THING...]',
        {
            'method': Flag('pca', str, f'one of {", ".join(METHODS)}'),
            'num': Flag(8, int, 'directions'),
            'strength': Flag(6.0, float, 'of the pictures at the ends'),
            'on': Flag('', str, 'of attribute: a folder of pictures with it', True),
            'off': Flag('', str, 'of attribute: a folder of those without', True),
        },
    ),
    'move': Tool(
        'pictures moved along a direction that directions has found',
        move,
        'THING...',
        {
            'along': Flag('', str, 'a picture of that row of directions', True),
            'strength': Flag(3.0, float, 'how far; below 0 the other way'),
        },
    ),
}
