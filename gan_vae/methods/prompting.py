"""Samples of a prior over codes by words, by class, or from given codes on.

Picture i is drawn by the key (seed, i), so that it is the same for any number of them.
"""

from functools import partial

import jax
import numpy as np

from gan_vae import images
from gan_vae.data import texts
from gan_vae.data.texts import Text
from gan_vae.data.vector_art import mood
from gan_vae.errors import UserError, nearest
from gan_vae.learning.state import Weights
from gan_vae.methods import sampling
from gan_vae.methods.contract import Law, Method, required
from gan_vae.methods.sampling import BATCH

AS_TRAINED = Law()
# Words that say nothing alone.
LITTLE = {'a', 'an', 'the', 'and', 'with', 'in', 'on', 'of', 'its', 'is'}


def check(law: Law):
    """A UserError for a law that there is none of."""
    limits = {'guidance': 100.0, 'temperature': 100.0, 'top_k': 2**31 - 1, 'top_p': 1.0}
    for name, most in limits.items():
        value = getattr(law, name)
        if value is not None and not 0 <= value <= most:
            raise UserError(f'--{name}={value}: must be from 0 to {most:g}')


def numbers(text: Text, prompt: str) -> tuple[np.ndarray, list[str]]:
    """(int32 [length] of a prompt, lines that say which words are not known).

    A mood is the words of its eyes and mouth where these are known. A UserError where
    no word of it is known.
    """
    plain, moods = mood.plain(prompt, text.words)
    row = texts.encode(text, [plain])[0]
    lacking = texts.unknown(text, plain)
    told = ', '.join(f'{word!r}{nearest(word, text.words)}' for word in lacking)
    known = [w for w in texts.split(text.kind, plain) if w not in lacking]
    reads_all = text.kind == 'minilm'
    if not reads_all and not set(known) - LITTLE:
        raise UserError(
            f'--prompt={prompt!r}: this model knows none of these words; it was '
            f'trained on captions such as {text.captions[0]!r}'
        )
    lines = [f'{m!r} is drawn as {" and ".join(mood.words(m))}' for m in moods]
    if lacking:
        lines.append(
            'words that this model '
            + ('saw in no picture' if reads_all else 'does not know, and leaves out')
            + f': {told}; it was trained on captions such as {text.captions[0]!r}'
        )
    if (count := len(texts.numbers(text, [plain])[0])) > text.length:
        lines.append(
            f'the prompt has {count} words, and this model takes the first '
            f'{text.length}'
        )
    return row, lines


def floors(
    method: Method, weights: Weights, codes: np.ndarray, words: np.ndarray, nats: float
) -> np.ndarray:
    """float32 [n, h, w]: so many nats below log p of codes int [n, h, w] by words int
    [n, length]: with them as `given`, other words keep what they make no less likely.
    """
    score = required(method, 'code_prior.score', 'a change by words')
    return np.asarray(_scored(score, weights, codes, words)) - np.float32(nats)


@partial(jax.jit, static_argnums=0)
def _scored(score, weights, codes, words):
    return score(weights, codes, words)


def words_of(method: Method, condition: np.ndarray) -> np.ndarray:
    """A condition as a prior over codes takes it: a class is the word after its
    number."""
    return condition[:, None] + 1 if method.classes else condition


def words_drawn(method: Method, seed: int, num: int) -> np.ndarray | None:
    """Those int32 [num, length] of samples of which nothing is said."""
    rows = sampling.conditions(method, seed, num)
    return None if rows is None else words_of(method, rows)


def draw(
    method: Method,
    weights: Weights,
    seed: int,
    num: int,
    words: np.ndarray | None,
    law: Law = AS_TRAINED,
    given: tuple[np.ndarray, np.ndarray] | None = None,
) -> np.ndarray:
    """`num` samples uint8 [num, H, W, C].

    words: int [length] for all, or [num, length]; given: codes int [h, w] and which of
    them stay, bool [h, w], or the log p from which each does; or [num, h, w] of both.
    """
    sampling.check(seed, num)
    check(law)
    prior = required(method, 'code_prior', 'a sample by its codes')
    size = min(BATCH, 1 << (num - 1).bit_length())
    count = num + -num % size
    if words is not None:
        words = np.broadcast_to(words, (num, words.shape[-1])).astype(np.int32)
        words = np.pad(words, ((0, count - num), (0, 0)), 'edge')
    if given is not None:
        codes, stays = given
        if stays.dtype == bool:
            given = codes, np.where(stays, -np.inf, np.inf).astype(np.float32)
        shape = codes.shape[-2:]
        more = ((0, count - num), (0, 0), (0, 0))
        codes, stays = (
            np.pad(np.broadcast_to(a, (num, *shape)), more, 'edge') for a in given
        )
        given = codes, stays

    def batch(start):
        rows = slice(start, start + size)
        part = None if words is None else words[rows]
        known = None if given is None else tuple(a[rows] for a in given)
        key = jax.random.fold_in(jax.random.key(seed), start)
        return _drawn(prior.draw, size, law, weights, key, part, known)

    x = np.concatenate([batch(start) for start in range(0, num, size)])[:num]
    return images.to_uint8(x)


@partial(jax.jit, static_argnums=(0, 1, 2))
def _drawn(draw, size, law, weights, key, words, given):
    return draw(weights, key, size, words, law, given)
