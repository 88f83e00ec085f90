"""MIG, DCI and SAP at codes whose scores are known."""

import sys

import numpy as np
import pytest

from gan_vae.errors import UserError
from gan_vae.evaluation import disentanglement as scores
from gan_vae.evaluation import plan

DIAGONAL = np.diag(5.0 * np.ones(5))
# Every combination of three factors: independent, exactly.
FACTORS = np.stack([a.ravel() for a in np.indices((4, 3, 5))], 1)


@pytest.mark.parametrize(
    'importance, disentanglement, completeness',
    [
        (DIAGONAL, 1, 1),
        (np.zeros((10, 10)), 0, 0),
        (np.ones((4, 6)), 0, 0),
        (np.vstack([DIAGONAL, DIAGONAL]), 1, 1 - np.log(2) / np.log(10)),
        (np.hstack([DIAGONAL, DIAGONAL]), 1 - np.log(2) / np.log(10), 1),
        (np.vstack([DIAGONAL, np.zeros((5, 5))]), 1, 1),  # dead units weigh nothing
        # Rows of mass 3 and 1: one pure, one even.
        ([[3, 0], [0.5, 0.5]], 3 / 4, None),
    ],
)
def test_dci_of_importances(importance, disentanglement, completeness):
    found = scores.dci_from_importance(importance)
    assert found[0] == pytest.approx(disentanglement, abs=1e-12)
    if completeness is not None:
        assert found[1] == pytest.approx(completeness, abs=1e-12)


@pytest.mark.parametrize(
    'codes, expected',
    [
        (FACTORS, 1),
        (-7.5 * FACTORS[:, ::-1] + 2, 1),
        (np.zeros_like(FACTORS), 0),
        (np.hstack([FACTORS, FACTORS]), 0),
        (FACTORS[:, :1], 1 / 3),  # one of three factors
        # A second unit that tells halves of the first factor: 1 bit of its 2.
        (np.column_stack([FACTORS, FACTORS[:, 0] // 2]), (0.5 + 1 + 1) / 3),
    ],
)
def test_mig(codes, expected):
    assert scores.mig(codes, FACTORS) == pytest.approx(expected, abs=1e-12)


def test_information_is_through_twenty_bins_of_equal_width():
    values = np.arange(40)
    found = scores.mutual_information(values[:, None], values[:, None])
    np.testing.assert_allclose(found, np.log(20))
    skewed = np.append(values, 1000)  # one far value: two bins hold everything
    found = scores.mutual_information(skewed[:, None], skewed[:, None])
    share = np.array([40, 1]) / 41
    np.testing.assert_allclose(found, -share @ np.log(share))


@pytest.mark.parametrize(
    'codes, factors, match',
    [
        (np.ones((4, 2)), np.ones((3, 2)), 'same examples'),
        (np.full((4, 2), np.nan), np.ones((4, 2)), 'NaN or infinity'),
        (np.ones((4, 2)), np.array([[0, 3], [1, 3], [0, 3], [1, 3]]), 'factor 1 takes'),
    ],
)
def test_errors(codes, factors, match):
    with pytest.raises(UserError, match=match):
        scores.mig(codes, factors)


@pytest.mark.parametrize('name', ['dci', 'sap'])
def test_without_scikit_learn_the_extra_is_named(name, monkeypatch):
    monkeypatch.setitem(sys.modules, 'sklearn', None)
    with pytest.raises(UserError, match=r'gan_vae\[metrics\]'):
        plan.parse(name)


BINARY = np.stack([a.ravel() for a in np.indices((2, 2, 2))], 1).repeat(25, 0)


@pytest.mark.oracle
@pytest.mark.parametrize(
    'make, disentanglement, completeness, gap',
    [
        (lambda x: x, 1, 1, 0.5),  # S: 1 of its own factor, 1/2 of the others
        (lambda x: 0 * x, 0, 0, 0),
        (lambda x: np.hstack([x, x]), 1, None, 0),
    ],
)
def test_dci_and_sap_of_known_codes(make, disentanglement, completeness, gap):
    pytest.importorskip('sklearn', reason='needs scikit-learn')
    data = make(BINARY), BINARY, make(BINARY), BINARY
    found = scores.dci(*data)
    assert found['disentanglement'] == pytest.approx(disentanglement, abs=1e-6)
    assert found['informativeness'] == (1 if disentanglement else 0.5)
    if completeness is not None:
        assert found['completeness'] == pytest.approx(completeness, abs=1e-6)
    assert scores.sap(*data) == pytest.approx(gap, abs=1e-12)


@pytest.mark.oracle
def test_information_is_scikit_learns():
    metrics = pytest.importorskip('sklearn.metrics', reason='needs scikit-learn')
    rng = np.random.default_rng(0)
    factors = rng.integers(0, 4, (500, 2))
    codes = factors @ rng.normal(size=(2, 3)) + rng.normal(size=(500, 3))
    found = scores.mutual_information(codes, factors)
    for i, j in np.ndindex(found.shape):
        edges = np.histogram(codes[:, i], 20)[1]
        binned = np.digitize(codes[:, i], edges[:-1])
        expected = metrics.mutual_info_score(binned, factors[:, j])
        assert found[i, j] == pytest.approx(expected, rel=1e-10)
