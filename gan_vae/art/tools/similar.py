"""The pictures of an index that are most like each of those that are given."""

import numpy as np

from gan_vae.art import feature_index, features, sheets
from gan_vae.art.feature_index import LARGE
from gan_vae.art.tools import Flag, Request, Result, ToolWithOptionalModel, at_least

LINES = 8  # on the console


def make(request: Request) -> Result:
    flags = request.flags
    at_least(flags, 1, 'num')
    index = feature_index.load(flags.index)
    given = feature_index.given(index, request.inputs, request.model)
    num = min(flags.num, len(index.names))
    distances, numbers = index.nearest(given.features, num + 1)  # itself among them
    answers, pictures, below = [], [], []
    for row, (name, own) in enumerate(zip(given.names, given.numbers, strict=True)):
        near = zip(numbers[row].tolist(), distances[row].tolist(), strict=True)
        near = [(i, d) for i, d in near if i not in (-1, own)][:num]
        nearest = [
            {'number': i, 'name': str(index.names[i]), 'distance': d} for i, d in near
        ]
        answers.append({'of': name, 'number': int(own), 'nearest': nearest})
        blank = num - len(near)  # no more in the index, or in what was searched
        empty = np.full_like(index.small[0], sheets.PAPER)
        pictures += [given.small[row], *(index.small[i] for i, _ in near)]
        pictures += [empty] * blank
        below += [f'is {own}' if own >= 0 else '', *(f'{i}: {d:.2f}' for i, d in near)]
        below += [''] * blank
    sheet = sheets.labelled(pictures, 1 + num, below, smallest=LARGE)
    messages = features.message_of(given.left_out) + [
        f'{answer["of"]}: {feature_index.listed(answer["nearest"])}'
        for answer in answers[:LINES]
    ]
    return Result(sheet=sheet, messages=messages, metrics={'similar': answers})


TOOL = ToolWithOptionalModel(
    make=make,
    takes='PICTURE...',
    flags={'index': feature_index.FLAG, 'num': Flag(8, int, 'how many of each')},
)
