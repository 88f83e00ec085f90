"""The figures of retrieval against their definitions."""

import numpy as np
import pytest

from benchmarks.quality import retrieval


def test_average_precision_of_known_orders():
    right = np.array([[1, 0, 1, 0], [0, 0, 0, 1], [1, 1, 0, 0]], bool)
    expected = [(1 + 2 / 3) / 2, 1 / 4, 1]
    np.testing.assert_allclose(retrieval.average_precision(right), expected)


def test_kinds_that_lie_apart_are_found_and_noise_is_chance():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 60)
    apart = np.stack([labels * 2.0 - 1, np.zeros(120)], 1)
    found = retrieval.retrieved(apart, labels, apart[::7], labels[::7])
    assert found['map'] == found['p1'] == found['p10'] == 1
    assert retrieval.recommended(apart, labels, labels[::7], 0.0)[0] == 1
    noise = rng.normal(size=(120, 9))
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    order = rng.permutation(120)
    found = retrieval.retrieved(noise, labels[order], noise, rng.permutation(labels))
    chance = retrieval.by_chance(labels, labels, rng).mean()
    assert found['map'] == pytest.approx(chance, abs=0.03)
    assert chance == pytest.approx(0.51, abs=0.03)
