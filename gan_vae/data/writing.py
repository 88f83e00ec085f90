"""Text as sequences of characters: their code points, int32 [T, 1].

A whole text ends with END; a piece of a longer one does not.
"""

from collections import Counter
from collections.abc import Iterable

import numpy as np

from gan_vae.data.texts import Text

END, UNKNOWN = 0, 1  # no characters of any text
LEAST = 2  # of a character that is known
SHOWN = 16  # texts that are kept with a model


def points(text: str, ends: bool = False) -> np.ndarray:
    """int32 [T, 1] of a text, with END at last where it is a whole one."""
    return np.array([*map(ord, text), *([END] if ends else [])], np.int32)[:, None]


def string(values: np.ndarray) -> str:
    """The text of code points [T, 1], up to its END."""
    characters = []
    for value in np.asarray(values, np.int64).ravel():
        if value == END:
            break
        characters.append('\ufffd' if value == UNKNOWN else chr(value))
    return ''.join(characters)


def text_of(values: Iterable[np.ndarray]) -> Text:
    """What a model of such texts knows: the characters that are there twice."""
    values = list(values)
    counts = Counter(np.concatenate(values).ravel().tolist())
    known = sorted(n for n, c in counts.items() if c >= LEAST and n > UNKNOWN)
    rows = np.unique(np.linspace(0, len(values) - 1, SHOWN).astype(int))
    shown = tuple(string(values[row]) for row in rows)
    longest = max(map(len, values))
    return Text('characters', tuple(map(chr, known)), longest, shown)


def alphabet(text: Text) -> tuple[int, ...]:
    """The code points of a model's symbols, in order: END, UNKNOWN, characters."""
    return (END, UNKNOWN, *map(ord, text.words))
