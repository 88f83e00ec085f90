"""An index of pictures, and what it answers: what is like this, what would I like, is
this new."""

from pathlib import Path

import numpy as np

from gan_vae.art import feature_index, features, search, sheets
from gan_vae.art.feature_index import Given, Index
from gan_vae.art.tools import Asked, Flag, Made, Tool, at_least
from gan_vae.errors import UserError
from gan_vae.evaluation import manifold
from gan_vae.evaluation.metrics import originality

LISTED = 8  # names in a line, and lines
NUMBERED = 400  # pictures of an index on its sheet
LARGE = 96  # pixels of a side, at least, of what has words below it


def make_index(asked: Asked) -> Made:
    flags, place = asked.flags, asked.things[0].word
    if not 0 <= flags.size <= feature_index.LARGEST:
        most = feature_index.LARGEST
        raise UserError(f'--size={flags.size}: must be from 0 to {most}')
    if asked.run and flags.features != 'encoder':
        raise UserError(f'--workdir is of --features=encoder, not {flags.features}')
    found = features.extractor(flags.features, asked.run, place)
    how = features.fitted(found, asked.run, place, flags.size)
    index, left_out = feature_index.build(place, found, how, asked.steps, flags.seed)
    count, size = index.features.shape
    said = [f'{count} pictures, {size} numbers each, of {found.name}']
    if left_out:
        more = f' and {len(left_out) - 8} more' if len(left_out) > 8 else ''
        said.append(f'left out {", ".join(left_out[:8])}{more}')
    listed = zip(index.names.tolist(), index.hashes.tolist(), strict=True)
    about = index.about | {'pictures': [*map(list, listed)], 'left_out': left_out}
    content = {'index.npz': feature_index.saved(index)}
    shown = [*index.small[:NUMBERED]]
    columns, numbers = min(20, len(shown)), [f'{n}' for n in range(len(shown))]
    sheet = sheets.labelled(shown, columns, numbers)
    return Made(files=content, sheet=sheet, said=said, found=about)


def similar(asked: Asked) -> Made:
    flags = asked.flags
    at_least(flags, 1, 'num')
    index, given = _given(asked, [thing.word for thing in asked.things])
    num = min(flags.num, len(index.names))
    far, found = index.nearest(given.features, num + 1)  # itself among them
    lines, shown, below = [], [], []
    for row, (word, own) in enumerate(zip(given.words, given.numbers, strict=True)):
        near = zip(found[row].tolist(), far[row].tolist(), strict=True)
        near = [(i, d) for i, d in near if i not in (-1, own)][:num]
        named = [
            {'number': i, 'name': str(index.names[i]), 'distance': d} for i, d in near
        ]
        lines.append({'of': word, 'number': int(own), 'nearest': named})
        blank = num - len(near)  # no more in the index, or in what was searched
        empty = np.full_like(index.small[0], sheets.PAPER)
        shown += [given.small[row], *(index.small[i] for i, _ in near)]
        shown += [empty] * blank
        below += [f'is {own}' if own >= 0 else '', *(f'{i}: {d:.2f}' for i, d in near)]
        below += [''] * blank
    sheet = sheets.labelled(shown, 1 + num, below, smallest=LARGE)
    said = [f'{line["of"]}: {_names(line["nearest"])}' for line in lines[:LISTED]]
    return Made(sheet=sheet, said=said, found={'similar': lines})


def recommend(asked: Asked) -> Made:
    flags = asked.flags
    at_least(flags, 1, 'num')
    if not 0 <= flags.variety < 1:
        raise UserError(f'--variety={flags.variety}: must be from 0 to below 1')
    if not flags.liked:
        raise UserError(
            'recommend needs --liked: a picture, a folder, or numbers of the index'
        )
    index, liked = _given(asked, _words('liked', flags.liked))
    _, disliked = _given(asked, _words('disliked', flags.disliked), index)
    both = np.intersect1d(liked.numbers, disliked.numbers)
    if (both >= 0).any():
        name = index.names[both[both >= 0][0]]
        raise UserError(f'{name} is in --liked and in --disliked: take it from one')
    known = np.concatenate([liked.numbers, disliked.numbers])
    vectors = index.vectors
    kinds = (search.unit(g.features, index.mean) for g in (liked, disliked))
    query = search.wanted(*kinds)
    same = np.isin(index.hashes, index.hashes[known[known >= 0]])
    chosen = search.varied(
        vectors, query, flags.num, flags.variety, np.flatnonzero(same)
    )
    if not len(chosen):
        raise UserError('the index has nothing but what was given')
    fits = [float(vectors[i] @ query) for i in chosen]
    named = [
        {'number': int(i), 'name': str(index.names[i]), 'fits': fit}
        for i, fit in zip(chosen, fits, strict=True)
    ]
    below = [f'{i}: {fit:.2f}' for i, fit in zip(chosen, fits, strict=True)]
    sheet = sheets.labelled(
        [*index.small[chosen]], min(8, len(chosen)), below, smallest=LARGE
    )
    said = ['recommended: ' + _names(named)]
    return Made(sheet=sheet, said=said, found={'recommended': named})


def _names(near: list[dict]) -> str:
    more = f' and {len(near) - LISTED} more' if len(near) > LISTED else ''
    return ', '.join(str(one['name']) for one in near[:LISTED]) + more


def _words(name: str, text: str) -> list[str]:
    """Those of a list with commas, which a file's name may have itself."""
    if not text or Path(text).expanduser().exists():
        return [text] if text else []
    if '' in text.split(','):
        raise UserError(f'--{name}={text}: nothing stands beside a comma')
    return text.split(',')


def original(asked: Asked) -> Made:
    """The check of evaluation/originality.py. Held-out pictures must be of the kind of
    those that are asked about: all emoji say little of how new a face is."""
    flags = asked.flags
    index, given = _given(asked, [thing.word for thing in asked.things])
    place = index.about['place']
    held_place = flags.held or _other(place)
    found = feature_index.network(index, asked.run)
    held, _ = feature_index.build(held_place, found, index.how, asked.steps, 0)
    checked = originality.originality(index.features, held.features, given.features)
    pairs, far = checked.pop('pairs'), checked.pop('distances')
    real = manifold.nearest(held.features, index.features, 1)[0][:, 0]
    lines, below = [], []
    for (row, number), distance in zip(pairs, far, strict=True):
        nearer = int(np.sum(real <= distance))
        p = (1 + nearer) / (1 + len(real))
        name = {'number': int(number), 'name': str(index.names[number])}
        about = {'of': given.words[row], 'nearest': name, 'distance': float(distance)}
        lines.append(about | {'held_out_as_near': nearer, 'p_value': p})
        below += [f'{distance:.2f}', f'{number}']
    both = [im for i, j in pairs for im in (given.small[i], index.small[j])]
    sheet = sheets.labelled(both, 2 * min(4, len(pairs)), below, smallest=LARGE)
    said = [
        f'{line["of"]}: {line["held_out_as_near"]} of {len(real)} held-out pictures '
        f'are as near (p = {line["p_value"]:.3f})'
        for line in lines[:8]
    ]
    about = {'checked': lines, 'all': checked, 'held': held_place, 'of': len(real)}
    return Made(sheet=sheet, said=said, found=about)


def _other(place: str) -> str:
    """The test split of the set that an index is of, if the index is of another."""
    name, colon, split = place.partition(':')
    if not colon or 'test' in split or split == 'all':
        raise UserError(
            f'{place} has no pictures held out: --held=FOLDER or SET, 99 or more '
            'that are not in the index; similar finds the nearest without'
        )
    return f'{name}:test'


def _given(asked: Asked, words, index: Index | None = None) -> tuple[Index, Given]:
    index = index or feature_index.load(asked.flags.index)
    return index, feature_index.given(index, [*words], asked.run)


INDEX = Flag('', str, 'what index has made: OUT, or OUT/index.npz', True)

TOOLS = {
    'index': Tool(
        'the features of a folder or a set as emoji:train, to search in',
        make_index,
        'FOLDER',
        {
            'features': Flag(
                'efficientnet_lite0',
                str,
                'of which network: pixels, random, classifier, … or a VAE: encoder',
            ),
            'size': Flag(0, int, 'pixels a side that pictures are fitted to'),
        },
        run=None,
    ),
    'similar': Tool(
        'the pictures of an index that are most like each of those that are given',
        similar,
        'PICTURE...',
        {'index': INDEX, 'num': Flag(8, int, 'how many of each')},
        run=None,
    ),
    'recommend': Tool(
        'pictures of an index that go with those you like, and not all the same',
        recommend,
        '',
        {
            'index': INDEX,
            'liked': Flag('', str, 'a picture, a folder, or numbers: 3,14', True),
            'disliked': Flag('', str, 'the same', True),
            'num': Flag(16, int, 'how many'),
            'variety': Flag(0.3, float, '0: the nearest, whatever they show; below 1'),
        },
        run=None,
    ),
    'original': Tool(
        'is a picture nearer to those of an index than new pictures are?',
        original,
        'PICTURE...',
        {
            'index': INDEX,
            'held': Flag(
                '',
                str,
                'new ones, 99 or more: a folder, a set; of NAME:train NAME:test',
                True,
            ),
        },
        run=None,
    ),
}
