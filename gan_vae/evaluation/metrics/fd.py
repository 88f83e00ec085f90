"""Fréchet distance between Gaussians fitted to two sets of features.

    d^2 = |m1 - m2|^2 + tr S1 + tr S2 - 2 tr (S1 S2)^(1/2)

With any factors S = F F^T, the eigenvalues of S1 S2 are the squares of the singular
values of F1^T F2, so the last trace is its nuclear norm, at any rank, and no root is
taken of a matrix. A set is at 0 from itself to rounding.

Dowson & Landau 1982 (the distance); Heusel et al. 2017, arXiv:1706.08500 (FID: on
Inception features; only that one is called so); Chan, Golub & LeVeque 1979 (merging).
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from scipy import linalg

from gan_vae import arrays
from gan_vae.errors import UserError
from gan_vae.evaluation.metrics import LOWER, SampleMetric


class Moments(NamedTuple):
    """Of n features of d dimensions; float64."""

    n: int
    mean: np.ndarray  # [d]
    m2: np.ndarray  # [d, d], sum of outer products of the deviations from the mean


def _same(a: int, b: int):
    if a != b:
        raise UserError(f'features of {a} and {b} dimensions: use one extractor')


def _enough(n: int):
    if n < 2:
        raise UserError(f'a covariance needs at least 2 features: got {n}')


def moments(features) -> Moments:
    """Moments of features [n, d], in two passes (one cancels far from the origin)."""
    features = arrays.vectors(features)
    mean = features.mean(0)
    centred = features - mean
    return Moments(len(features), mean, centred.T @ centred)


def merge(a: Moments, b: Moments) -> Moments:
    """Moments of two disjoint sets together."""
    _same(len(a.mean), len(b.mean))
    n = a.n + b.n
    delta = b.mean - a.mean
    m2 = np.outer(delta * (a.n * b.n / n), delta)
    m2 += a.m2
    m2 += b.m2
    return Moments(n, a.mean + delta * (b.n / n), m2)


def of_batches(batches: Iterable) -> Moments:
    """Moments of features that come in batches [n_i, d], in memory of order d^2."""
    total, kept = None, []

    def flush():
        part = moments(np.concatenate(kept))
        kept.clear()
        return part if total is None else merge(total, part)

    for batch in batches:
        kept.append(arrays.vectors(batch))
        _same(kept[0].shape[1], kept[-1].shape[1])
        # A merge costs d^2, as does each row: d rows at a time make merging free.
        if sum(map(len, kept)) >= kept[0].shape[1]:
            total = flush()
    if kept:
        total = flush()
    if total is None:
        raise UserError('no batch of features: is the set empty?')
    return total


def covariance(m: Moments) -> np.ndarray:
    """[d, d], divided by n - 1; a UserError for fewer than two features."""
    _enough(m.n)
    return m.m2 / (m.n - 1)


def _factor(covariance):
    """F [d, rank] with F F^T the covariance."""
    try:
        return linalg.cholesky(covariance, lower=True)
    except linalg.LinAlgError:  # singular: pivots tell the rank
        packed, pivots, rank, _ = linalg.lapack.dpstrf(covariance, lower=1)
        factor = np.empty((len(covariance), rank))
        factor[pivots - 1] = np.tril(packed)[:, :rank]
        return factor


def _from_factors(delta, f1, f2) -> float:
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
        found = rest - 2 * float(roots.sum())
        if 2 * error < 1e-6 * found:
            return found
    found = rest - 2 * float(linalg.svdvals(product, overwrite_a=True).sum())
    return max(0.0, found)  # rounding can leave a distance of 0 a little below it


def distance(a: Moments, b: Moments) -> float:
    """The squared Fréchet distance, as FID is reported; units of features squared.

    Cost d^3. A UserError for different dimensions or fewer than two features.
    """
    _same(len(a.mean), len(b.mean))
    factors = [_factor(covariance(m)) for m in (a, b)]
    return _from_factors(a.mean - b.mean, *factors)


def distance_of(x, y) -> float:
    """`distance` between features [n, d] and [m, d], cheaper where n or m < d.

    Such a set is itself a factor of its covariance: cost min(n, m, d)^3 and a product.
    """
    x, y = arrays.vector_pair(x, y)

    def factor(features):
        n, d = features.shape
        _enough(n)
        if n > d:
            return _factor(covariance(moments(features)))
        return (features - features.mean(0)).T / np.sqrt(n - 1)

    return _from_factors(x.mean(0) - y.mean(0), factor(x), factor(y))


METRIC = SampleMetric(
    needs='features',
    compute=lambda real, fake, held_out, seed: {'fd': distance_of(real, fake)},
    gives={'fd': LOWER},
    published={'inception': 'fid'},
    within_classes=True,
    biased_below_dimension=True,
)
