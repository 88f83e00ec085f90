"""Kernel distance (KID): unbiased squared MMD of features, with a cubic kernel.

    k(x, y) = (x.y / d + 1)^3
    MMD^2 = mean_{i != j} k(x_i, x_j) + mean_{i != j} k(y_i, y_j)
            - 2 mean_{i, j} k(x_i, y_j)

Zero in the mean for equal distributions at any sample size, so that it may be negative.
Binkowski et al. 2018, arXiv:1801.01401; the estimator is Gretton et al. 2012, eq. 3.
"""

import numpy as np

from gan_vae import arrays
from gan_vae.evaluation.metrics import LOWER, SampleMetric

_BLOCK = 2048  # rows and columns of the kernel matrix in memory at a time: 32 MiB


def _kernel(dots, dimension):
    dots /= dimension
    dots += 1
    return dots * dots * dots


def _mean_across(x, y) -> float:
    total = 0.0
    for i in range(0, len(x), _BLOCK):
        for j in range(0, len(y), _BLOCK):
            dots = x[i : i + _BLOCK] @ y[j : j + _BLOCK].T
            total += _kernel(dots, x.shape[1]).sum()
    return total / (len(x) * len(y))


def _mean_within(x) -> float:
    n, d = x.shape
    total = 0.0
    for i in range(0, n, _BLOCK):
        rows = x[i : i + _BLOCK]
        square = _kernel(rows @ rows.T, d)
        total += square.sum() - np.trace(square)
        for j in range(i + _BLOCK, n, _BLOCK):  # symmetric: half of the blocks do
            total += 2 * _kernel(rows @ x[j : j + _BLOCK].T, d).sum()
    return total / (n * (n - 1))


def kid(x, y) -> float:
    """MMD^2 of features [n, d] and [m, d], all pairs, float64; n and m may differ.

    A UserError for different dimensions or fewer than two features.
    """
    x, y = arrays.vector_pair(x, y, least=2)
    return float(_mean_within(x) + _mean_within(y) - 2 * _mean_across(x, y))


METRIC = SampleMetric(
    needs='features',
    compute=lambda real, fake, held_out, seed: {'kid': kid(real, fake)},
    gives={'kid': LOWER},
    within_classes=True,
    most_real=10_000,
)
