"""Captions as numbers: the words of a set, and its captions in several wordings.

  words    of a caption, as they stand in it, without marks and capitals
  factors  the class and the values of the factors that a picture shows, one number
           each: what a caption could say at best
  minilm   of a caption, as the pieces of words that MiniLM knows (data/wordpiece.py)

A word has its number from 1 on; 0 is no word. A caption is cut off after `length`.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gan_vae.data import wordpiece
from gan_vae.data.vector_art.words import NONE
from gan_vae.errors import UserError

if TYPE_CHECKING:
    from gan_vae.data.source import Examples

KINDS = ('words', 'factors', 'minilm')  # of captions
WORDINGS = 10  # of a picture, where its set has several
WORDS = 8000  # that are known, at most: the most frequent ones
LONGEST = 64  # words of a caption
VALUES = 64  # of a factor, beyond which it is a continuous one and left out
SHOWN = 512  # captions that are kept with a model


class Text(NamedTuple):
    """What a model knows of words."""

    kind: str  # of KINDS
    words: tuple[str, ...]  # of the captions that it was trained on
    length: int  # numbers of a caption, at most
    captions: tuple[str, ...]  # some that it was trained on


def split(kind: str, caption: str) -> list[str]:
    """The words of a caption."""
    if kind == 'factors':
        return caption.split()
    return re.findall(r"[^\W_]+(?:['-][^\W_]+)*", caption.lower())


def unknown(text: Text, caption: str) -> list[str]:
    """The words of a caption that a model does not know, each once."""
    return [w for w in dict.fromkeys(split(text.kind, caption)) if w not in text.words]


def numbers(text: Text, captions: Iterable[str]) -> list[list[int]]:
    """Those of the words of each caption, however many."""
    if text.kind == 'minilm':
        pieces = wordpiece.vocabulary()
        return [wordpiece.numbers(caption, pieces) for caption in captions]
    known = {word: number for number, word in enumerate(text.words, 1)}
    return [
        [known[word] for word in split(text.kind, caption) if word in known]
        for caption in captions
    ]


def string(text: Text, row: Iterable[int]) -> str:
    """The words of a row of numbers."""
    found = [int(number) for number in row if number]
    if text.kind == 'minilm':
        return wordpiece.string(found, wordpiece.vocabulary())
    return ' '.join(text.words[number - 1] for number in found)


def encode(text: Text, captions: Iterable[str]) -> np.ndarray:
    """int32 [n, length] of captions; words that are not known are left out."""
    rows = numbers(text, captions)
    found = np.zeros((len(rows), text.length), np.int32)
    for row, ids in zip(found, rows, strict=True):
        ids = ids[: text.length]
        row[: len(ids)] = ids
    return found


def captions_of(examples: 'Examples', kind: str) -> list[tuple[str, ...]]:
    """The captions of all examples, in each wording. A UserError for a set without."""
    if kind == 'factors':
        return [factor_captions(examples)]
    if not any(examples.captions):
        raise UserError(
            f'config.data.text={kind}: the set has no captions: take one that has, as '
            'art or emoji, see docs/guides/data.md'
        )
    if examples.reworded is None:
        return [examples.captions]
    return [examples.reworded(examples, number) for number in range(WORDINGS)]


def factor_captions(examples: 'Examples') -> tuple[str, ...]:
    """'sprouts sprouts.plant=cactus ...' of each example, as far as it can be seen."""
    if not examples.factors:
        raise UserError(
            'config.data.text=factors: the set has none, as art has; set '
            'config.data.text=words for captions and names'
        )
    columns = []
    if examples.labels is not None:
        columns.append([examples.class_names[label] for label in examples.labels])
    for name, column in examples.factors.items():
        among = examples.factor_values.get(name)
        if among is None and len(np.unique(column)) > VALUES:
            continue
        values = [str(v) if among is None else among[v] for v in column]
        columns.append(['' if v == NONE else f'{name}={v}' for v in values])
    words = ([w.replace(' ', '-') for w in row] for row in zip(*columns, strict=True))
    return tuple(' '.join(filter(None, row)) for row in words)


def of(examples: 'Examples', kind: str) -> tuple[Text, np.ndarray]:
    """The words of a set to train on, and its captions, as `encoded`."""
    wordings = captions_of(examples, kind)
    counts = Counter(
        word for texts in wordings for t in texts for word in split(kind, t)
    )
    words = sorted(sorted(counts), key=lambda word: -counts[word])[:WORDS]
    whole = Text(kind, tuple(words), 0, ())
    longest = max(len(row) for texts in wordings for row in numbers(whole, texts))
    rows = np.unique(np.linspace(0, examples.size - 1, SHOWN).astype(int))
    shown = tuple(wordings[i % len(wordings)][row] for i, row in enumerate(rows))
    text = whole._replace(length=min(max(longest, 1), LONGEST), captions=shown)
    return text, encoded(text, wordings)


def encoded(text: Text, wordings: Sequence[tuple[str, ...]]) -> np.ndarray:
    """uint16 [n, W, length] of captions in W wordings."""
    return np.stack([encode(text, texts) for texts in wordings], 1).astype(np.uint16)
