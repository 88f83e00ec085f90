"""Pictures of an index that go with those you like, and not all the same."""

import numpy as np

from gan_vae import files
from gan_vae.art import feature_index, features, search
from gan_vae.art.provenance import read_input
from gan_vae.art.tools import Flag, Input, Request, Result, ToolWithOptionalModel
from gan_vae.errors import UserError


def make(request: Request) -> Result:
    flags = request.flags
    if flags.variety == 1:
        raise UserError('--variety=1.0: must be below 1')
    if not flags.liked:
        raise UserError(
            'recommend needs --liked: a picture, a folder, or numbers of the index'
        )
    index = feature_index.load(flags.index)
    liked, disliked = (
        feature_index.resolve(index, _items(name, vars(flags)[name]), request.model)
        for name in ('liked', 'disliked')
    )
    both = np.intersect1d(liked.numbers, disliked.numbers)
    if (both >= 0).any():
        name = index.names[both[both >= 0][0]]
        raise UserError(f'{name} is in --liked and in --disliked: take it from one')
    known = np.concatenate([liked.numbers, disliked.numbers])
    vectors = index.vectors
    query = search.wanted(
        *(search.unit(q.features, index.mean) for q in (liked, disliked))
    )
    same = np.isin(index.hashes, index.hashes[known[known >= 0]])
    chosen = search.varied(
        vectors, query, flags.num, flags.variety, np.flatnonzero(same)
    )
    if not len(chosen):
        raise UserError('the index has nothing but what was given')
    answer = [index.named(i) | {'fits': float(vectors[i] @ query)} for i in chosen]
    below = [f'{one["number"]}: {one["fits"]:.2f}' for one in answer]
    messages = features.message_of(liked.left_out + disliked.left_out)
    listed = features.listed([str(index.names[i]) for i in chosen])
    messages.append(f'recommended: {listed}')
    return Result(
        sheet=feature_index.sheet([*index.small[chosen]], below),
        messages=messages,
        metrics={'recommended': answer},
    )


def _items(name: str, text: str) -> list[Input]:
    """Those of a list with commas, which a file's name may have itself."""
    words = text.split(',') if text and not files.expand(text).exists() else [text]
    if text and '' in words:
        raise UserError(f'--{name}={text}: nothing stands beside a comma')
    return [read_input(word) for word in words if word]


TOOL = ToolWithOptionalModel(
    make=make,
    flags={
        'index': feature_index.FLAG,
        'liked': Flag('', str, 'a picture, a folder, or numbers: 3,14', True),
        'disliked': Flag('', str, 'the same', True),
        'num': Flag(16, int, 'how many', least=1),
        'variety': Flag(
            0.3, float, '0: the nearest, whatever they show; below 1', least=0, most=1
        ),
    },
)
