"""Fréchet distance between Gaussians fitted to two sets of features.

    d^2 = |m1 - m2|^2 + tr S1 + tr S2 - 2 tr (S1 S2)^(1/2)

With any factors S = F F^T, the eigenvalues of S1 S2 are the squares of the singular
values of F1^T F2, so the last trace is its nuclear norm, at any rank, and no root is
taken of a matrix. A set is at 0 from itself to rounding.

Dowson & Landau 1982 (the distance); Heusel et al. 2017, arXiv:1706.08500 (FID: on
Inception features; only that one is called so).
"""

import numpy as np
from scipy import linalg

from gan_vae import arrays
from gan_vae.evaluation.metrics import LOWER, SampleMetric


def _factor(features):
    """F [d, rank] with F F^T the covariance of features [n, d]."""
    n, d = features.shape
    centred = features - features.mean(0)
    if n <= d:
        return centred.T / np.sqrt(n - 1)
    covariance = centred.T @ centred / (n - 1)
    try:
        return linalg.cholesky(covariance, lower=True)
    except linalg.LinAlgError:  # singular: pivots tell the rank
        packed, pivots, rank, _ = linalg.lapack.dpstrf(covariance, lower=1)
        factor = np.empty((d, rank))
        factor[pivots - 1] = np.tril(packed)[:, :rank]
        return factor


def distance_of(x, y) -> float:
    """The squared Fréchet distance of features [n, d] and [m, d], as FID is reported.

    In units of features squared. The cost is min(n, m, d)^3 and a product. A UserError
    for different dimensions or fewer than two features.
    """
    x, y = arrays.vector_pair(x, y, least=2)
    delta, f1, f2 = x.mean(0) - y.mean(0), _factor(x), _factor(y)
    product = f1.T @ f2
    if len(product) < product.shape[1]:
        product = product.T
    rest = float(delta @ delta + np.sum(f1 * f1) + np.sum(f2 * f2))
    # Eigenvalues of the square are 3 times as fast, and each root is off by about
    # eps largest / root: enough unless the distance or a root is nearly 0.
    squares = linalg.eigvalsh(product.T @ product)
    if squares.size and squares[0] > 0:
        roots = np.sqrt(squares)
        error = np.sum(8 * np.finfo(np.float64).eps * squares[-1] / roots)
        distance = rest - 2 * float(roots.sum())
        if 2 * error < 1e-6 * distance:
            return distance
    distance = rest - 2 * float(linalg.svdvals(product, overwrite_a=True).sum())
    return max(0.0, distance)  # rounding can leave a distance of 0 a little below it


METRIC = SampleMetric(
    needs='features',
    compute=lambda real, fake, held_out, seed: {'fd': distance_of(real, fake)},
    gives={'fd': LOWER},
    published={'inception': 'fid'},
    within_classes=True,
    biased_below_dimension=True,
)
