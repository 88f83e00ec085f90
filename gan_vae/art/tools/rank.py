"""Pictures, or all of an index, by a taste learned from choices, with its doubt."""

import json
import shlex

import numpy as np

from gan_vae import files
from gan_vae.art import feature_index, features, taste
from gan_vae.art.feature_index import Index
from gan_vae.art.tools import Flag, Request, Result, ToolWithOptionalModel
from gan_vae.errors import UserError

FEW = 30  # choices


def make(request: Request) -> Result:
    flags = request.flags
    index = feature_index.load(flags.index)
    x = taste.described(index, index.small, index.features)
    chosen = _choices(index, flags.pairs)
    better, worse = (x[rows] for rows in chosen.T)
    prior = taste.prior(index.features.shape[1])
    learned = taste.learn(better, worse, *prior)
    names, small, left_out = index.names.tolist(), index.small, []
    if request.inputs:
        queries = feature_index.resolve(index, request.inputs, request.model)
        names, small, left_out = queries.names, queries.small, queries.left_out
        x = taste.described(index, small, queries.features)
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
    pairs = _pairs(index, chosen)
    predicted = taste.agreement(better, worse, *prior, pairs, flags.seed)
    listed = ', '.join(str(r['name']) for r in ranked[:5])
    messages = [*features.message_of(left_out), f'first: {listed}']
    messages += _messages(chosen, pairs, predicted)
    return Result(
        sheet=feature_index.sheet([*small[first]], below),
        messages=messages,
        metrics={'ranked': ranked, 'choices': len(chosen), 'told': predicted},
    )


def _pairs(index: Index, chosen: np.ndarray) -> np.ndarray:
    """int [m]: the same number for choices [m, 2] between the same two pictures."""
    _, same = np.unique(index.hashes, return_inverse=True)
    return np.unique(np.sort(same[chosen], 1), axis=0, return_inverse=True)[1].ravel()


def _messages(chosen: np.ndarray, pairs: np.ndarray, predicted: int) -> list[str]:
    count = len(pairs)
    if not count:
        return ['no choices: by colour, contrast and sharpness alone; --pairs teaches']
    up = chosen[:, 0] < chosen[:, 1]
    contrary = len(np.intersect1d(pairs[up], pairs[~up]))
    few = f'; few are below {FEW}: the deviations are large' if count < FEW else ''
    chance = np.sqrt(np.sum(np.bincount(pairs) ** 2)) / 2
    worse = '; it predicts no better than chance' if predicted <= count / 2 else ''
    return [f'{contrary} pairs were chosen both ways'] * bool(contrary) + [
        f'a taste learned without them predicts {predicted} of {count} choices '
        f'(chance {count / 2:.1f} ± {chance:.1f}){worse}{few}'
    ]


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
    names = {name: number for number, name in enumerate(index.names.tolist())}
    rows = []
    for number, pair in enumerate(pairs, 1):
        try:
            if not isinstance(pair, list) or len(pair) != 2:
                raise UserError("two pictures, the better first, as 'a.png b.png'")
            row = [_number(index, names, str(word)) for word in pair]
            if row[0] == row[1]:
                raise UserError('the same picture twice')
        except UserError as error:
            raise UserError(f'--pairs={place}, choice {number}: {error}') from error
        rows.append(row)
    return np.array(rows)


def _number(index: Index, names: dict[str, int], word: str) -> int:
    number = names[word] if word in names else feature_index.find(index, word)[0]
    if number < 0:
        raise UserError(f'{word} is not in the index: index it with the rest')
    return number


TOOL = ToolWithOptionalModel(
    make=make,
    takes='[PICTURE...]',
    flags={
        'index': feature_index.FLAG,
        'pairs': Flag(
            '', str, "choices: lines 'BETTER WORSE', or JSON [[B, W], …]", True
        ),
        'num': Flag(48, int, 'how many on the sheet, the best first', least=1),
    },
)
