"""Closed forms: n alike are one thing, n orthogonal are n."""

import numpy as np
import pytest

from gan_vae.errors import UserError
from gan_vae.evaluation.metrics.vendi import vendi_score


@pytest.mark.parametrize('shape', [(7, 12), (12, 7)])
def test_alike_is_one_and_orthogonal_counts(shape):
    n, d = shape
    scale = np.arange(1, n + 1)[:, None]  # the cosine does not see length
    assert vendi_score(scale * np.ones(shape)) == pytest.approx(1, abs=1e-10)
    groups = scale * np.eye(d)[np.arange(n) % min(n, d)]
    if n <= d:
        assert vendi_score(groups) == pytest.approx(n, rel=1e-12)
    share = np.bincount(np.arange(n) % min(n, d)) / n
    assert vendi_score(groups) == pytest.approx(
        np.exp(-share @ np.log(share)), rel=1e-12
    )


def test_two_at_an_angle():
    """Eigenvalues (1 +- cos) / 2."""
    share = np.array([1 + np.cos(1.0), 1 - np.cos(1.0)]) / 2
    found = vendi_score([[1, 0], [np.cos(1.0), np.sin(1.0)]])
    assert found == pytest.approx(np.exp(-share @ np.log(share)), rel=1e-12)


@pytest.mark.parametrize('x', [[[1, 0], [0, 0]], [1, 2], [[np.nan, 1]]])
def test_errors(x):
    with pytest.raises(UserError, match='feature'):
        vendi_score(x)


@pytest.mark.oracle
def test_is_that_of_its_authors():
    vendi = pytest.importorskip('vendi_score.vendi', reason='needs vendi-score')
    x = np.random.default_rng(0).normal(size=(40, 9))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    assert vendi_score(x) == pytest.approx(vendi.score_dual(x), rel=1e-8)
    assert vendi_score(x) == pytest.approx(vendi.score_K(x @ x.T), rel=1e-8)
