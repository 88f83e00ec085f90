"""Pictures of an index that go with those you like, and not all the same."""

import numpy as np

from gan_vae import files
from gan_vae.art import feature_index, features, search, sheets
from gan_vae.art.feature_index import LARGE
from gan_vae.art.provenance import read_input
from gan_vae.art.tools import (
    Flag,
    Input,
    Request,
    Result,
    ToolWithOptionalModel,
    at_least,
)
from gan_vae.errors import UserError


def make(request: Request) -> Result:
    flags = request.flags
    at_least(flags, 1, 'num')
    if not 0 <= flags.variety < 1:
        raise UserError(f'--variety={flags.variety}: must be from 0 to below 1')
    if not flags.liked:
        raise UserError(
            'recommend needs --liked: a picture, a folder, or numbers of the index'
        )
    index = feature_index.load(flags.index)
    liked, disliked = (
        feature_index.given(index, _items(name, vars(flags)[name]), request.model)
        for name in ('liked', 'disliked')
    )
    both = np.intersect1d(liked.numbers, disliked.numbers)
    if (both >= 0).any():
        name = index.names[both[both >= 0][0]]
        raise UserError(f'{name} is in --liked and in --disliked: take it from one')
    known = np.concatenate([liked.numbers, disliked.numbers])
    vectors = index.vectors
    query = search.wanted(
        *(search.unit(g.features, index.mean) for g in (liked, disliked))
    )
    same = np.isin(index.hashes, index.hashes[known[known >= 0]])
    chosen = search.varied(
        vectors, query, flags.num, flags.variety, np.flatnonzero(same)
    )
    if not len(chosen):
        raise UserError('the index has nothing but what was given')
    fits = [float(vectors[i] @ query) for i in chosen]
    answer = [
        {'number': int(i), 'name': str(index.names[i]), 'fits': fit}
        for i, fit in zip(chosen, fits, strict=True)
    ]
    below = [f'{i}: {fit:.2f}' for i, fit in zip(chosen, fits, strict=True)]
    sheet = sheets.labelled(
        [*index.small[chosen]], min(8, len(chosen)), below, smallest=LARGE
    )
    messages = features.message_of(liked.left_out + disliked.left_out)
    messages.append('recommended: ' + feature_index.listed(answer))
    return Result(sheet=sheet, messages=messages, metrics={'recommended': answer})


def _items(name: str, text: str) -> list[Input]:
    """Those of a list with commas, which a file's name may have itself."""
    if not text or files.expand(text).exists():
        return [read_input(text)] if text else []
    if '' in text.split(','):
        raise UserError(f'--{name}={text}: nothing stands beside a comma')
    return [read_input(word) for word in text.split(',')]


TOOL = ToolWithOptionalModel(
    make=make,
    flags={
        'index': feature_index.FLAG,
        'liked': Flag('', str, 'a picture, a folder, or numbers: 3,14', True),
        'disliked': Flag('', str, 'the same', True),
        'num': Flag(16, int, 'how many'),
        'variety': Flag(0.3, float, '0: the nearest, whatever they show; below 1'),
    },
)
