"""Which of two pictures is the better one: what is learned of it, and what to ask next.

The scores are those of art/taste.py, of the features of an index. The next pair is the
one whose answer says most about them: the mutual information of the answer and the
scores, I = H[E p] - E H[p], with s_i - s_j ~ N(m, v) and p = sigmoid of it (Houlsby et
al. 2011, arXiv:1112.5745, whose approximation of the second term is used).
"""

from typing import NamedTuple

import numpy as np
from scipy import special

from gan_vae.art import taste
from gan_vae.art.feature_index import Index
from gan_vae.errors import UserError

CANDIDATES = 400  # pairs that are weighed


class Ranking(NamedTuple):
    """Of the pictures of an index."""

    scores: np.ndarray  # [n], in logits
    deviations: np.ndarray  # [n]
    following: tuple[int, int]  # the pair to ask for
    information: float  # of its answer, in bits


def rank(index: Index, choices: list[tuple[int, int]], seed: int) -> Ranking:
    """After choices of numbers of an index, the better first. A UserError for fewer
    than two pictures."""
    count = len(index.names)
    if count < 2:
        raise UserError('a choice is between two pictures, and here is one')
    x = taste.described(index, index.small, index.features)
    chosen = np.array(choices, int).reshape(-1, 2)
    learned = taste.learn(
        x[chosen[:, 0]], x[chosen[:, 1]], *taste.prior(index.features.shape[1])
    )
    mean, deviation = taste.score(learned, x)
    rng = np.random.default_rng([seed, len(choices)])
    pairs = rng.integers(0, count, (CANDIDATES, 2))
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    asked = {tuple(sorted(pair)) for pair in chosen.tolist()}
    fresh = [n for n, p in enumerate(pairs.tolist()) if tuple(sorted(p)) not in asked]
    pairs = pairs[fresh] if fresh else pairs
    m, s = taste.score(learned, x[pairs[:, 0]] - x[pairs[:, 1]])
    told = information(m, s**2)
    best = int(np.argmax(told))
    return Ranking(mean, deviation, tuple(pairs[best].tolist()), float(told[best]))


def information(mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Bits [n] that an answer is expected to tell of a difference N(mean, variance)."""
    # the logistic as a probit of the same slope at 0
    scale = np.pi / 8
    m, v = mean * np.sqrt(scale), variance * scale
    entropy = _binary(special.ndtr(m / np.sqrt(1 + v)))
    c = np.pi * np.log(2) / 2
    within = np.sqrt(c / (v + c)) * np.exp(-(m**2) / (2 * (v + c)))
    return np.maximum(entropy - within, 0)


def _binary(p: np.ndarray) -> np.ndarray:
    """The entropy of a Bernoulli variable, in bits."""
    return (special.entr(p) + special.entr(1 - p)) / np.log(2)
