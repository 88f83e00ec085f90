"""The audit of membership by errors whose answer is known."""

import numpy as np
import pytest
from scipy import stats

from benchmarks.quality.membership import auc


def test_the_area_is_that_of_known_errors():
    errors = np.arange(40.0)
    assert auc(errors, errors + 100)[0] == 1 and auc(errors + 100, errors)[0] == 0
    assert auc(errors, errors)[0] == 0.5
    assert auc(np.array([1.0, 4.0]), np.array([2.0, 3.0]))[0] == 0.5
    # two normal laws a deviation apart: Phi(1 / sqrt 2)
    draw = np.random.default_rng(0)
    value, error = auc(draw.normal(0, 1, 4000), draw.normal(1, 1, 4000))
    assert value == pytest.approx(stats.norm.cdf(1 / np.sqrt(2)), abs=3 * error)
    assert 0.003 < error < 0.008
