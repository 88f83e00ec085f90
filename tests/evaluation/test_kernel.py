"""Kernel distance: the U-statistic written out, unbiased, whatever the blocks."""

import itertools

import numpy as np
import pytest

from gan_vae.errors import UserError
from gan_vae.evaluation.metrics import kid


def features(n, seed, d=3):
    return np.random.default_rng(seed).standard_normal((n, d))


def test_is_the_mean_over_pairs(monkeypatch):
    x, y = features(7, 0), features(5, 1)

    def k(a, b):
        return (sum(a * b) / 3 + 1) ** 3

    within = [
        np.mean([k(a, b) for a, b in itertools.permutations(z, 2)]) for z in (x, y)
    ]
    across = np.mean([k(a, b) for a in x for b in y])
    for block in (2, 3, 100):
        monkeypatch.setattr(kid, '_BLOCK', block)
        np.testing.assert_allclose(kid.kid(x, y), sum(within) - 2 * across)


def test_is_zero_in_the_mean_for_one_distribution():
    """Within 4 standard errors; with the diagonal kept the mean would be 40 away."""
    random = np.random.default_rng(0)
    values = [kid.kid(*random.standard_normal((2, 20, 8))) for _ in range(400)]
    assert abs(np.mean(values)) < 4 * np.std(values) / 20
    assert min(values) < 0


def test_sets_that_are_too_small_are_refused():
    with pytest.raises(UserError, match='of 1 example: give at least 2'):
        kid.kid(features(1, 0), features(40, 1))
