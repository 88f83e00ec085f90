"""Do units of a code follow factors of variation, one each? MIG, DCI and SAP.

For codes c_1..c_D (posterior means) and factors v_1..v_F:

  MIG = mean_j (I(c_(1); v_j) - I(c_(2); v_j)) / H(v_j)
  D = sum_i (sum_j R_ij / sum R) (1 - H_F(R_i. / sum_j R_ij))
  C = sum_j (sum_i R_ij / sum R) (1 - H_D(R_.j / sum_i R_ij))
  SAP = mean_j (S_(1)j - S_(2)j)

with (1) and (2) the best and second best unit for v_j, R_ij the importance of c_i in
predicting v_j, H_K entropy to the base K, S_ij how well c_i alone predicts v_j.
MIG: Chen et al. 2018, arXiv:1802.04942. DCI: Eastwood & Williams 2018. SAP: Kumar et
al. 2017, arXiv:1711.00848. Settings: Locatello et al. 2018, arXiv:1811.12359.
"""

import numpy as np
from scipy.special import entr, rel_entr

from gan_vae import arrays
from gan_vae.errors import UserError


def mutual_information(codes, factors) -> np.ndarray:
    """I(c_i; v_j) [D, F] in nats, of codes [n, D] in 20 bins of equal width each.

    From the table of counts of each pair. `factors`: int [n, F].
    """
    codes, factors = _pairs(codes, factors)
    binned = [
        np.digitize(code, np.histogram_bin_edges(code, 20)[1:-1]) for code in codes.T
    ]
    return np.array([[_information(c, v) for v in factors.T] for c in binned])


def mig(codes, factors) -> float:
    """Mutual information gap, in [0, 1], of codes [n, D] and int factors [n, F].

    The second unit of a code of one is nothing. Raises UserError for a factor that
    does not vary.
    """
    codes, factors = _varied(codes, factors)
    entropy = np.array([_information(v, v) for v in factors.T])
    return _gap(mutual_information(codes, factors) / entropy)


def dci_from_importance(importance) -> tuple[float, float]:
    """(disentanglement, completeness), in [0, 1], of an importance matrix [D, F].

    A row (column) without mass has no weight, a matrix without any scores 0.
    """
    importance = np.abs(np.asarray(importance, np.float64))
    return _concentration(importance), _concentration(importance.T)


def dci(codes, factors, test_codes, test_factors) -> dict[str, float]:
    """{'disentanglement', 'completeness', 'informativeness'} by boosted trees.

    Codes [n, D] and int factors [n, F] to train on and to test on; informativeness is
    the mean accuracy on the latter. 10,000 and 5,000 are usual, and take
    minutes. Needs scikit-learn.
    """
    from sklearn.ensemble import GradientBoostingClassifier

    codes, factors = _varied(codes, factors)
    test_codes, test_factors = _pairs(test_codes, test_factors)
    importance, accuracy = [], []
    for v, test_v in zip(factors.T, test_factors.T, strict=True):
        model = GradientBoostingClassifier(random_state=0).fit(codes, v)
        importance.append(model.feature_importances_)
        accuracy.append(np.mean(model.predict(test_codes) == test_v))
    disentanglement, completeness = dci_from_importance(np.stack(importance, 1))
    return {
        'disentanglement': disentanglement,
        'completeness': completeness,
        'informativeness': float(np.mean(accuracy)),
    }


def sap(codes, factors, test_codes, test_factors) -> float:
    """Separated attribute predictability of int factors, by linear classifiers.

    Shapes as for `dci`; chance counts, so that a perfect code of a factor of V values
    scores 1 - 1/V. S_ij is the accuracy on the test part of a support vector
    classifier (C = 0.01, classes balanced) of v_j from c_i alone. Needs scikit-learn.
    """
    from sklearn.svm import LinearSVC

    codes, factors = _varied(codes, factors)
    test_codes, test_factors = _pairs(test_codes, test_factors)
    scores = np.zeros((codes.shape[1], factors.shape[1]))
    for i, j in np.ndindex(*scores.shape):
        model = LinearSVC(C=0.01, class_weight='balanced', random_state=0)
        model.fit(codes[:, [i]], factors[:, j])
        predicted = model.predict(test_codes[:, [i]])
        scores[i, j] = np.mean(predicted == test_factors[:, j])
    return _gap(scores)


def _information(a, b) -> float:
    """Mutual information of two discrete sequences; of a with itself, its entropy."""
    from scipy.stats.contingency import crosstab  # takes a second

    _, counts = crosstab(a, b)
    joint = np.asarray(counts) / len(a)
    return float(rel_entr(joint, np.outer(joint.sum(1), joint.sum(0))).sum())


def _gap(scores) -> float:
    """Mean over columns of the best less the second best row."""
    two = np.sort(np.vstack([scores, np.zeros_like(scores[:1])]), axis=0)[-2:]
    return float(np.mean(two[1] - two[0]))


def _concentration(rows) -> float:
    """Mean of 1 - entropy of each row, in units of the largest, weighted by mass."""
    mass = rows.sum(1)
    if not mass.any():
        return 0.0
    if rows.shape[1] == 1:
        return 1.0
    shares = rows / np.where(mass > 0, mass, 1)[:, None]
    each = 1 - entr(shares).sum(1) / np.log(rows.shape[1])
    return float(np.average(each, weights=mass))


def _pairs(codes, factors):
    codes, factors = arrays.vectors(codes, 'codes'), np.asarray(factors)
    if factors.ndim != 2 or len(codes) != len(factors) or not factors.shape[1]:
        raise UserError(
            f'codes {codes.shape} and factors {factors.shape}: both must be [n, ...] '
            'of the same examples'
        )
    return codes, factors


def _varied(codes, factors):
    """`_pairs`, of factors that vary: the others leave nothing to predict."""
    codes, factors = _pairs(codes, factors)
    constant = np.flatnonzero((factors == factors[0]).all(0))
    if len(constant):
        raise UserError(
            f'factor {constant[0]} takes one value: there is nothing to predict; leave '
            'it out'
        )
    return codes, factors
