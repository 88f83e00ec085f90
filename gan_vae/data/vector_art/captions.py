"""Captions of drawings: many wordings of one picture, of what can be seen in it.

A wording is a head, the parts in any order and the ground, in one of four orders; the
words are those of the style. It is a function of what is seen and of its number. The
last head of a style and the last order are only in wordings of a negative number: so
there are wordings that no model is trained on.
"""

import hashlib
import re
from collections.abc import Sequence
from typing import TypeVar

from gan_vae.data.source import Examples
from gan_vae.data.vector_art import styles
from gan_vae.data.vector_art.factors import NONE
from gan_vae.data.vector_art.words import Words

T = TypeVar('T')


def of(examples: Examples, wording: int = 0) -> tuple[str, ...]:
    """A caption of each drawing of a set of art, '' where its style has no words.

    wording: 0 is what `examples.captions` holds; each number gives other words, and
    negative ones those that are never trained on.
    """
    labels, names = examples.labels, examples.factor_values
    if labels is None or not examples.factors:
        return ()
    columns = {
        style: {
            factor: (examples.factors[name], names[name])
            for factor in words.factors
            if (name := f'{style}.{factor}') in examples.factors
        }
        for style in examples.class_names
        if (words := styles.of(style))
    }
    captions = []
    for row, label in enumerate(labels):
        style = examples.class_names[label]
        found = columns.get(style, {})
        seen = {factor: among[at[row]] for factor, (at, among) in found.items()}
        captions.append(caption(style, seen, wording))
    return tuple(captions)


def caption(style: str, seen: dict[str, str], wording: int = 0) -> str:
    """One wording for what is seen, {factor: value}; '' for a style without words."""
    words = styles.of(style)
    if words is None:
        return ''
    draw = _Draw([style, *seen.values(), wording])
    heads = _part(words.heads, wording)
    head = _filled(draw.pick(heads), words, seen, draw)
    grounds = words.grounds or ('',)
    ground = _filled(draw.pick(grounds), words, seen, draw)
    parts = [_filled(draw.pick(texts), words, seen, draw) for texts in words.parts]
    listed = _listed(draw.shuffled([part for part in parts if part]))
    having = f'with {listed}' if listed else ''
    orders = (
        [head, having, ground],
        [head, ground, having],
        [f'{ground},' if ground else '', head, having],
        [f'{draw.pick(("a picture of", "a drawing of"))} {head}', having, ground],
    )
    text = ' '.join(filter(None, draw.pick(_part(orders, wording)))).rstrip(',')
    return re.sub(r'\ba (?=[aeiou])', 'an ', text)


def _part(among: Sequence[T], wording: int) -> Sequence[T]:
    """What a wording may choose from: the last is for negative ones, all but it for
    others."""
    return among[-1:] if wording < 0 else among[:-1] or among


def _filled(text: str, words: Words, seen: dict[str, str], draw: '_Draw') -> str:
    """A text with a word for each factor in braces; '' where one cannot be seen."""
    for factor in re.findall(r'\{(\w+)\}', text):
        named = words.names[factor].get(seen.get(factor, NONE), '')
        if not named:
            return ''
        inner = _filled(draw.pick(named.split(' | ')), words, seen, draw)
        text = text.replace(f'{{{factor}}}', inner)
    return text


def _listed(parts: list[str]) -> str:
    return ' and '.join(filter(None, [', '.join(parts[:-1]), *parts[-1:]]))


class _Draw:
    """Choices by a hash, the same with any version of Python."""

    def __init__(self, of: list[object]):
        digest = hashlib.sha512('/'.join(map(str, of)).encode()).digest()
        self._left = int.from_bytes(digest)

    def pick(self, among: Sequence[T]) -> T:
        self._left, at = divmod(self._left, len(among))
        return among[at]

    def shuffled(self, items: list[T]) -> list[T]:
        left, order = list(items), []
        while left:
            order.append(left.pop(left.index(self.pick(left))))
        return order
