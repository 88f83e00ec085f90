"""Captions as the condition of a model: rows of numbers of words, 0 where there is
none (data/texts.py).

Networks take them as they are, and learn what each number means; or, of a text whose
kind has an encoder that is frozen, as the states of its words, zeros where there is
none."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp

from gan_vae.data import texts
from gan_vae.errors import UserError
from gan_vae.extractors import minilm
from gan_vae.keys import keys_of, purpose_key


def identity(rows):
    """The rows."""
    return rows


class Captions(NamedTuple):
    """What a model of captions was told."""

    text: texts.Text
    drawn: Callable  # (key, n) -> int32 [n, length], at random of those that are kept
    states: int = 0  # numbers of a word as networks take it; 0: its number alone
    # int [n, length] -> the same, or float [n, length, states]
    encode: Callable = identity


def of(spec) -> Captions:
    """Those of data of that Spec. A UserError for data without."""
    if spec.text is None:
        raise UserError(
            'this model is of captions: set config.data.text to words or factors'
        )
    text = spec.text

    def drawn(key, n: int) -> jax.Array:
        rows = jnp.asarray(texts.encode(text, text.captions))
        keys = keys_of(purpose_key(key, 'condition'), jnp.arange(n))
        pick = jax.vmap(lambda k: jax.random.randint(k, (), 0, len(rows)))(keys)
        return rows[pick]

    if text.kind == 'minilm':
        return Captions(
            text, drawn, minilm.STATE, partial(minilm.states, minilm.load())
        )
    return Captions(text, drawn)


def wording(rows: jax.Array, keys: jax.Array) -> jax.Array:
    """int [B, length]: of captions [B, W, length] in W wordings one by its key [B]."""
    count = rows.shape[1]
    pick = jax.vmap(lambda k: jax.random.randint(k, (), 0, count))(keys)
    return jnp.take_along_axis(rows, pick[:, None, None], 1)[:, 0]
