"""Our metrics are those of the libraries that people cite, on the same arrays."""

import json

import numpy as np
import pytest

from tests.evaluation.golden.metrics import CASES, GOLDEN, arrays

# Theirs are rounded to float32, or are roots of eigenvalues that rounding keeps from 0.
LOOSE = {
    'precision_recall': 1e-7,
    'psnr_torchmetrics': 1e-7,
    'frechet_few': 1e-7,
}


@pytest.mark.parametrize('name', CASES)
def test_equals_the_number_that_the_library_gave(name):
    theirs = json.loads(GOLDEN.read_text())[name]
    ours = CASES[name].ours(*CASES[name].arguments(arrays()))
    np.testing.assert_allclose(ours, theirs, rtol=LOOSE.get(name, 1e-9))


@pytest.mark.oracle
@pytest.mark.parametrize('seed', [1, 2])
@pytest.mark.parametrize('name', CASES)
def test_equals_the_library(name, seed):
    case = CASES[name]
    arguments = case.arguments(arrays(seed))
    try:
        theirs = case.theirs(*arguments)
    except ImportError as error:
        pytest.skip(f'{error}: see tests/evaluation/golden/metrics.py')
    np.testing.assert_allclose(case.ours(*arguments), theirs, rtol=1e-6)
