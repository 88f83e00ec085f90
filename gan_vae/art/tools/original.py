"""Is a picture nearer to those of an index than new pictures are?"""

import numpy as np

from gan_vae import data
from gan_vae.art import feature_index, features
from gan_vae.art.tools import Flag, Request, Result, ToolWithOptionalModel
from gan_vae.errors import UserError
from gan_vae.evaluation import manifold
from gan_vae.evaluation.metrics import originality
from gan_vae.files import expand

LINES = 8  # on the console


def make(request: Request) -> Result:
    """The check of evaluation/originality.py. Held-out pictures must be of the kind of
    those that are checked: all emoji say little of how new a face is."""
    flags = request.flags
    index = feature_index.load(flags.index)
    queries = feature_index.resolve(index, request.inputs, request.model)
    held_out_place = features.place_of(flags.held or _other(index.about['place']))
    network = feature_index.network(index, request.model)
    held_out, left_out = feature_index.build(
        held_out_place, network, index.how, request.progress
    )
    checked = originality.originality(
        index.features, held_out.features, queries.features
    )
    pairs, distances = checked.pop('pairs'), checked.pop('distances')
    real = manifold.nearest(held_out.features, index.features, 1)[0][:, 0]
    answers, pictures, below = [], [], []
    for (row, number), distance in zip(pairs, distances, strict=True):
        nearer = int(np.sum(real <= distance))
        answers.append(
            {
                'of': queries.names[row],
                'nearest': index.named(number),
                'distance': float(distance),
                'held_out_as_near': nearer,
                'p_value': (1 + nearer) / (1 + len(real)),
            }
        )
        pictures += [queries.small[row], index.small[number]]
        below += [f'{distance:.2f}', f'{number}']
    messages = features.message_of(left_out + queries.left_out)
    messages += [
        f'{answer["of"]}: {answer["held_out_as_near"]} of {len(real)} held-out '
        f'pictures are as near (p = {answer["p_value"]:.3f})'
        for answer in answers[:LINES]
    ]
    place = request.files['held'].name if flags.held else held_out_place
    return Result(
        sheet=feature_index.sheet(pictures, below, 2 * min(4, len(pairs))),
        messages=messages,
        metrics={'checked': answers, 'all': checked, 'held': place, 'of': len(real)},
    )


def _other(place: str) -> str:
    """The test split of the set that an index is of, if the index is of another."""
    known = ':' in place and not expand(place).exists()
    name, split = data.place(place) if known else (place, 'all')
    if 'test' in split or split == 'all':
        raise UserError(
            f'{place} has no pictures held out: --held=FOLDER or SET, 99 or more '
            'that are not in the index; similar finds the nearest without'
        )
    return f'{name}:test'


HELD = 'new ones, 99 or more: a folder, a set; of NAME:train NAME:test'
TOOL = ToolWithOptionalModel(
    make=make,
    takes='PICTURE...',
    flags={'index': feature_index.FLAG, 'held': Flag('', str, HELD, True)},
)
