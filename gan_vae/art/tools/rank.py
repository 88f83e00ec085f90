"""Pictures in the order of a person's taste, learned from their choices."""

import json
import shlex
from pathlib import Path

import numpy as np

from gan_vae.art import feature_index, search, sheets, taste
from gan_vae.art.feature_index import Index
from gan_vae.art.tools import Asked, Flag, Made, Tool, at_least
from gan_vae.art.tools.search import INDEX, LARGE
from gan_vae.errors import UserError

FEW = 30  # choices


def make(asked: Asked) -> Made:
    flags = asked.flags
    at_least(flags, 1, 'num')
    index = feature_index.load(flags.index)
    known = taste.statistics(index.small)
    x = _described(index, known, index.small, index.features)
    chosen = _choices(index, flags.pairs)
    better, worse = (x[rows] for rows in chosen.T)
    prior = taste.prior(index.features.shape[1])
    learned = taste.learn(better, worse, *prior)
    names, small = index.names.tolist(), index.small
    if asked.things:
        words = [thing.word for thing in asked.things]
        given = feature_index.given(index, words, asked.run)
        names, small = given.words, given.small
        x = _described(index, known, small, given.features)
    mean, deviation = taste.score(learned, x)
    order = np.argsort(-mean, kind='stable')
    ranked = [
        {'name': names[i], 'score': float(mean[i]), 'deviation': float(deviation[i])}
        for i in order
    ]
    shown = order[: flags.num]
    below = [f'{mean[i]:+.1f} ± {deviation[i]:.1f}' for i in shown]
    if not asked.things:  # their numbers, for more choices
        below = [f'{i}: {text}' for i, text in zip(shown, below, strict=True)]
    columns = min(8, len(shown))
    sheet = sheets.labelled([*small[shown]], columns, below, smallest=LARGE)
    of = _pairs(index, chosen)
    told = taste.agreement(better, worse, *prior, of, flags.seed)
    found = {'ranked': ranked, 'choices': len(chosen), 'told': told}
    first = ', '.join(str(r['name']) for r in ranked[:5])
    said = [f'first: {first}', *_said(of, told, _contrary(chosen, of))]
    return Made(sheet=sheet, said=said, found=found)


def _pairs(index: Index, chosen: np.ndarray) -> np.ndarray:
    """int [m]: the same number for choices [m, 2] between the same two pictures."""
    _, same = np.unique(index.hashes, return_inverse=True)
    return np.unique(np.sort(same[chosen], 1), axis=0, return_inverse=True)[1].ravel()


def _contrary(chosen: np.ndarray, of: np.ndarray) -> int:
    """How many pairs were chosen both ways."""
    up = chosen[:, 0] < chosen[:, 1]
    return len(np.intersect1d(of[up], of[~up]))


def _said(of: np.ndarray, told: int, contrary: int) -> list[str]:
    count, each = len(of), np.bincount(of)
    if not count:
        return ['no choices: by colour, contrast and sharpness alone; --pairs teaches']
    few = f'; few are below {FEW}: the deviations are large' if count < FEW else ''
    chance = np.sqrt(np.sum(each**2)) / 2
    both = [f'{contrary} pairs were chosen both ways'] if contrary else []
    return [
        *both,
        f'{told} of {count} choices are told by a taste learned without them '
        f'(by chance {count / 2:.1f} ± {chance:.1f}){few}',
    ]


def _described(index: Index, known, small, features) -> np.ndarray:
    """x of taste.py, [n, d]: statistics by the index's own mean and deviation, and
    features at length 1. known: the statistics of the index."""
    about = (taste.statistics(small) - known.mean(0)) / np.maximum(known.std(0), 1e-9)
    return np.concatenate([about, search.unit(features, index.mean)], axis=1)


def _choices(index: Index, place: str) -> np.ndarray:
    """Numbers of the index int [m, 2], better and worse, of a file of choices."""
    if not place:
        return np.zeros((0, 2), np.int64)
    try:
        text = Path(place).expanduser().read_text('utf-8')
        if place.endswith('.json'):
            pairs = json.loads(text)
        else:
            lines = (shlex.split(line, comments=True) for line in text.splitlines())
            pairs = [line for line in lines if line]
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f'--pairs={place}: cannot be read: {error}') from error
    if not isinstance(pairs, list) or not pairs:
        raise UserError(f'--pairs={place}: no choices in it')
    named = {name: number for number, name in enumerate(index.names.tolist())}
    found = []
    for number, pair in enumerate(pairs, 1):
        where = f'--pairs={place}, choice {number}'
        if not isinstance(pair, list) or len(pair) != 2:
            raise UserError(
                f"{where}: two pictures, the better first, as 'a.png b.png'"
            )
        found.append([_number(index, named, str(word), where) for word in pair])
        if found[-1][0] == found[-1][1]:
            raise UserError(f'{where}: the same picture twice')
    return np.array(found)


def _number(index: Index, named: dict[str, int], word: str, where: str) -> int:
    if word in named:
        return named[word]
    try:
        number, _ = feature_index.find(index, word)
    except UserError as error:
        raise UserError(f'{where}: {error}') from error
    if number < 0:
        raise UserError(f'{where}: {word} is not in the index: index it with the rest')
    return number


TOOLS = {
    'rank': Tool(
        'pictures, or all of an index, by a taste learned from choices, with its doubt',
        make,
        '[PICTURE...]',
        {
            'index': INDEX,
            'pairs': Flag(
                '', str, "choices: lines 'BETTER WORSE', or JSON [[B, W], …]", True
            ),
            'num': Flag(48, int, 'how many on the sheet, the best first'),
        },
        run=None,
    )
}
