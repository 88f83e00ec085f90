"""The pictures of an index that are most like each of those that are given."""

import numpy as np

from gan_vae.art import feature_index, features, sheets
from gan_vae.art.tools import Flag, Request, Result, ToolWithOptionalModel

LINES = 8  # on the console


def make(request: Request) -> Result:
    index = feature_index.load(request.flags.index)
    queries = feature_index.resolve(index, request.inputs, request.model)
    num = min(request.flags.num, len(index.names))
    distances, numbers = index.nearest(queries.features, num + 1)  # itself among them
    empty = np.full_like(index.small[0], sheets.PAPER)
    answers, pictures, below = [], [], []
    for row, (name, own) in enumerate(zip(queries.names, queries.numbers, strict=True)):
        near = zip(numbers[row].tolist(), distances[row].tolist(), strict=True)
        near = [(i, d) for i, d in near if i not in (-1, own)][:num]
        nearest = [index.named(i) | {'distance': d} for i, d in near]
        answers.append({'of': name, 'number': int(own), 'nearest': nearest})
        blank = num - len(near)  # no more in the index, or in what was searched
        pictures += [queries.small[row], *(index.small[i] for i, _ in near)]
        pictures += [empty] * blank
        below += [f'is {own}' if own >= 0 else '', *(f'{i}: {d:.2f}' for i, d in near)]
        below += [''] * blank
    messages = features.message_of(queries.left_out) + [
        f'{answer["of"]}: {features.listed([one["name"] for one in answer["nearest"]])}'
        for answer in answers[:LINES]
    ]
    return Result(
        sheet=feature_index.sheet(pictures, below, 1 + num),
        messages=messages,
        metrics={'similar': answers},
    )


TOOL = ToolWithOptionalModel(
    make=make,
    takes='PICTURE...',
    flags={
        'index': feature_index.FLAG,
        'num': Flag(8, int, 'how many of each', least=1),
    },
)
