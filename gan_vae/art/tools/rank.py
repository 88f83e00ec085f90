"""Pictures, or all of an index, by a taste learned from choices, with its doubt."""

import json
import shlex

import numpy as np

from gan_vae import files
from gan_vae.art import feature_index, features, search, sheets, taste
from gan_vae.art.feature_index import LARGE, Index
from gan_vae.art.tools import Flag, Request, Result, ToolWithOptionalModel, at_least
from gan_vae.errors import UserError

FEW = 30  # choices


def make(request: Request) -> Result:
    flags = request.flags
    at_least(flags, 1, 'num')
    index = feature_index.load(flags.index)
    known = taste.statistics(index.small)
    x = _described(index, known, index.small, index.features)
    chosen = _choices(index, flags.pairs)
    better, worse = (x[rows] for rows in chosen.T)
    prior = taste.prior(index.features.shape[1])
    learned = taste.learn(better, worse, *prior)
    names, small, left_out = index.names.tolist(), index.small, []
    if request.inputs:
        given = feature_index.given(index, request.inputs, request.model)
        names, small, left_out = given.names, given.small, given.left_out
        x = _described(index, known, small, given.features)
    mean, deviation = taste.score(learned, x)
    order = np.argsort(-mean, kind='stable')
    ranked = [
        {'name': names[i], 'score': float(mean[i]), 'deviation': float(deviation[i])}
        for i in order
    ]
    first = order[: flags.num]
    below = [f'{mean[i]:+.1f} ± {deviation[i]:.1f}' for i in first]
    if not request.inputs:  # their numbers, for more choices
        below = [f'{i}: {text}' for i, text in zip(first, below, strict=True)]
    columns = min(8, len(first))
    sheet = sheets.labelled([*small[first]], columns, below, smallest=LARGE)
    pairs = _pairs(index, chosen)
    predicted = taste.agreement(better, worse, *prior, pairs, flags.seed)
    listed = ', '.join(str(r['name']) for r in ranked[:5])
    return Result(
        sheet=sheet,
        messages=[
            *features.message_of(left_out),
            f'first: {listed}',
            *_messages(pairs, predicted, _contrary(chosen, pairs)),
        ],
        metrics={'ranked': ranked, 'choices': len(chosen), 'told': predicted},
    )


def _pairs(index: Index, chosen: np.ndarray) -> np.ndarray:
    """int [m]: the same number for choices [m, 2] between the same two pictures."""
    _, same = np.unique(index.hashes, return_inverse=True)
    return np.unique(np.sort(same[chosen], 1), axis=0, return_inverse=True)[1].ravel()


def _contrary(chosen: np.ndarray, pairs: np.ndarray) -> int:
    """How many pairs were chosen both ways."""
    up = chosen[:, 0] < chosen[:, 1]
    return len(np.intersect1d(pairs[up], pairs[~up]))


def _messages(pairs: np.ndarray, predicted: int, contrary: int) -> list[str]:
    count, each = len(pairs), np.bincount(pairs)
    if not count:
        return ['no choices: by colour, contrast and sharpness alone; --pairs teaches']
    few = f'; few are below {FEW}: the deviations are large' if count < FEW else ''
    chance = np.sqrt(np.sum(each**2)) / 2
    both = [f'{contrary} pairs were chosen both ways'] if contrary else []
    worse = '; it predicts no better than chance' if predicted <= count / 2 else ''
    return [
        *both,
        f'a taste learned without them predicts {predicted} of {count} choices '
        f'(chance {count / 2:.1f} ± {chance:.1f}){worse}{few}',
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
        text = files.expand(place).read_text('utf-8')
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


TOOL = ToolWithOptionalModel(
    make=make,
    takes='[PICTURE...]',
    flags={
        'index': feature_index.FLAG,
        'pairs': Flag(
            '', str, "choices: lines 'BETTER WORSE', or JSON [[B, W], …]", True
        ),
        'num': Flag(48, int, 'how many on the sheet, the best first'),
    },
)
