"""Directions in a latent space along which pictures change, that most first.

  sefa       eigenvectors of A A^T, A [D, C] the first layer's weights: Shen & Zhou
             2021, arXiv:2007.06600
  pca        GANSpace of Haerkoenen et al. 2020, arXiv:2004.02546, with the pictures in
             place of an early layer: the principal components of G(z), each as the
             least-squares change of z for one deviation of it
  attribute  mean(z of those with it) - mean(z of those without): Larsen et al. 2016,
             arXiv:1512.09300
  factor     the same for each value of a factor of the data, of samples in which a
             classifier of factors sees it: Shen et al. 2020, arXiv:1907.10786

Of length 1; a sign is free, and is such that the largest number is positive.
"""

from typing import Any, NamedTuple, cast

import jax
import numpy as np
from scipy.sparse import linalg

from gan_vae.errors import UserError

SEEN = 2048  # pictures that components and factors are of
LEAST = 24  # of those, with a value of a factor: fewer say little of it
MEASURED = 256  # other samples, which are moved to see what changes
READABLE = 0.7  # accuracy of the classifier, below which a factor is not counted


def sefa(weights: np.ndarray) -> np.ndarray:
    """Unit directions [D, D] of weights [D, C], by their eigenvalue, the most first."""
    weights = np.asarray(weights, np.float64)
    _, vectors = np.linalg.eigh(weights @ weights.T)
    return signed(vectors.T[::-1])


def pca(z: np.ndarray, y: np.ndarray, count: int) -> np.ndarray:
    """At most `count` unit directions [count, D] of latents z [n, D] and what they
    became, y [n, F], by the variance of y that they explain, the most first."""
    z, y = (np.asarray(a, np.float64) for a in (z, y))
    z, y = z - z.mean(0), y - y.mean(0)
    count, least = min(count, z.shape[1]), min(y.shape)
    if 4 * count < least:  # few of many: 20 times as fast
        start = np.random.default_rng(0).normal(size=least)
        u, s, _ = cast(Any, linalg.svds(y, count, v0=start))
        order = np.argsort(-s)
        u, s = u[:, order], s[order]
    else:
        u, s, _ = np.linalg.svd(y, full_matrices=False)
    count = min(count, int((s > 1e-9 * s[0]).sum()))
    # least squares of z by coordinates that are apart: their covariance
    return signed(u[:, :count].T @ z)


def attribute(with_it: np.ndarray, without: np.ndarray) -> np.ndarray:
    """The unit direction [1, D] from latents [m, D] without it to [n, D] with it."""
    difference = with_it.mean(0, np.float64) - without.mean(0, np.float64)
    if not np.linalg.norm(difference) > 1e-9:
        raise UserError('--on and --off have the same mean latent: nothing is between')
    return difference[None] / np.linalg.norm(difference)


def to_values(z: np.ndarray, seen: np.ndarray) -> dict[int, np.ndarray]:
    """{value: unit direction [D] towards it} of latents [n, D] and what is seen in
    each, int [n]; the most frequent value first, and those that are too rare left out.
    """
    values, counts = np.unique(seen, return_counts=True)
    enough = (counts >= LEAST) & (counts <= len(z) - LEAST)
    order = np.argsort(-counts[enough], kind='stable')
    return {
        int(v): attribute(z[seen == v], z[seen != v])[0] for v in values[enough][order]
    }


class Change(NamedTuple):
    """What a direction does to samples."""

    before: float  # share that has the wanted value
    after: float
    others: float  # mean share of the other factors whose value changes


def change(before: np.ndarray, after: np.ndarray, factor: int, value: int) -> Change:
    """Of the factors int [n, k] of samples, before and after they are moved."""
    others = np.delete(before != after, factor, axis=1)
    return Change(
        float(np.mean(before[:, factor] == value)),
        float(np.mean(after[:, factor] == value)),
        float(others.mean()) if others.size else 0.0,
    )


def signed(vectors: np.ndarray) -> np.ndarray:
    """Of length 1, the number that is largest without its sign positive."""
    largest = np.take_along_axis(vectors, np.abs(vectors).argmax(1)[:, None], 1)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(largest < 0, -lengths, lengths)


def first_layer(ema: dict, size: int) -> np.ndarray:
    """The weights [D, C] that take a whole latent of `size` numbers: of the dense layer
    Dense_0 of a generator or decoder. A UserError where there is no such layer.
    """
    for path, leaf in jax.tree_util.tree_leaves_with_path(ema):
        name = jax.tree_util.keystr(path, simple=True, separator='/').split('/')
        last = name[-2:] == ['Dense_0', 'kernel']
        if name[0] in ('generator', 'decoder') and last and len(name) <= 4:
            # what stands below z, as a class, is left out
            if leaf.ndim == 2 and leaf.shape[0] >= size:
                return np.asarray(leaf[:size])
    raise UserError(
        'no dense layer of this model takes its whole latent, as --method=sefa asks '
        'for: take --method=pca'
    )
