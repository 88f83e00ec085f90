"""The next pair is the one whose answer tells most, and answers change the ranking."""

import numpy as np
import pytest
from scipy import special

from gan_vae.art import taste as taste_lib
from gan_vae.art.feature_index import Index
from gan_vae.errors import UserError
from gan_vae.studio import taste


def test_information_is_that_of_many_draws():
    rng = np.random.default_rng(0)
    for mean, variance in ((0.0, 4.0), (1.5, 1.0), (-3.0, 9.0), (0.3, 0.01)):
        draws = special.expit(rng.normal(mean, np.sqrt(variance), 400_000))

        def entropy(p):
            return (special.entr(p) + special.entr(1 - p)) / np.log(2)

        wanted = entropy(draws.mean()) - entropy(draws).mean()
        (found,) = taste.information(np.array([mean]), np.array([variance]))
        assert abs(found - wanted) < 0.03, (mean, variance)


def index_of(count):
    rng = np.random.default_rng(1)
    small = rng.integers(0, 256, (count, 8, 8, 3), np.uint8)
    features = rng.normal(size=(count, 6)).astype(np.float32)
    names = np.array([f'{n}.png' for n in range(count)])
    return Index({}, names, names, small, features)


def test_a_person_of_one_taste_is_understood():
    """Who always likes the larger first feature; no pair is asked for twice."""
    index, choices = index_of(12), []
    liked = index.features[:, 0] / np.linalg.norm(index.features, axis=1)
    for _ in range(40):
        a, b = taste.rank(index, choices, 0).following
        assert a != b and (a, b) not in choices and (b, a) not in choices
        choices.append((a, b) if liked[a] > liked[b] else (b, a))
    x = taste_lib.described(index, index.small, index.features)
    better, worse = (x[[c[side] for c in choices[:9]]] for side in (0, 1))
    learned = taste_lib.learn(better, worse, *taste_lib.prior(6))
    pairs = np.array([(a, b) for a in range(12) for b in range(a)])
    mean, deviation = taste_lib.score(learned, x[pairs[:, 0]] - x[pairs[:, 1]])
    told = np.sort(taste.information(mean, deviation**2))
    asked = taste.rank(index, choices[:9], 0).information
    assert told[-12] <= asked <= told[-1] + 1e-9  # among those that tell most
    before, after = (taste.rank(index, c, 0) for c in ([], choices))
    assert np.corrcoef(after.scores, liked)[0, 1] > 0.8
    assert after.deviations.mean() < 0.7 * before.deviations.mean()
    with pytest.raises(UserError, match='between two'):
        taste.rank(index_of(1), [], 0)
