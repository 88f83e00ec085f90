"""Which pictures are alike, by the angle between their features; what to show next.

  d(x, y) = 1 - cos(x - m, y - m),    m the mean of the features of the index

Up to EXACT items each is compared; above, only those of the PROBED cells whose
centroids are nearest to the query: Sivic & Zisserman 2003 (ICCV), by the Faiss library,
Douze et al. 2024, arXiv:2401.08281. From liked and disliked ones to one query, Rocchio
1971,

  q = mean(liked) - mean(disliked) / 3

and from the query to a varied choice, Carbonell & Goldstein 1998 (SIGIR),

  next = argmax_i (1 - v) cos(q, i) - v max_(j chosen) cos(i, j)
"""

from typing import NamedTuple

import numpy as np

from gan_vae import modules
from gan_vae.evaluation import manifold

EXACT = 50_000  # items, at most, of which each is compared
PROBED = 32  # cells that are searched
FAISS = 'faiss', f'an index of more than {EXACT} pictures', 'faiss-cpu', 'search'


class Cells(NamedTuple):
    """A partition of unit vectors, in plain arrays, which are read without trust."""

    centroids: np.ndarray  # float32 [c, d]
    of: np.ndarray  # int64 [n], the cell of each vector


def unit(features, mean) -> np.ndarray:
    """Features [n, d] about the mean [d], at length 1; float64. 0 stays 0."""
    moved = np.asarray(features, np.float64) - mean
    return moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-12)


def nearest(vectors, queries, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Distances d (ascending) and indices, both [q, k], of all unit vectors [n, d].

    Ties are in the order of their index. A UserError where there are not k.
    """
    far, near = manifold.nearest(queries, vectors, k)
    return far**2 / 2, near


def cells(vectors, seed: int = 0) -> Cells:
    """A partition of unit vectors [n, d] in 4 sqrt(n) cells, by k-means."""
    faiss = modules.optional(*FAISS)
    count = round(4 * len(vectors) ** 0.5)
    vectors = np.ascontiguousarray(vectors, np.float32)
    means = faiss.Kmeans(vectors.shape[1], count, niter=10, seed=seed, spherical=True)
    means.train(vectors)
    return Cells(means.centroids, means.assign(vectors)[1].astype(np.int64))


def probe(
    vectors, parts: Cells, queries, k: int, probed: int = PROBED
) -> tuple[np.ndarray, np.ndarray]:
    """`nearest`, of the vectors in the `probed` cells nearest to each query alone.

    Where they hold fewer than k, the distance is inf and the index -1.
    """
    faiss = modules.optional(*FAISS)
    vectors = np.ascontiguousarray(vectors, np.float32)
    coarse = faiss.IndexFlatIP(vectors.shape[1])
    coarse.add(parts.centroids)
    index = faiss.IndexIVFFlat(
        coarse, vectors.shape[1], len(parts.centroids), faiss.METRIC_INNER_PRODUCT
    )
    index.is_trained = True
    of = np.ascontiguousarray(parts.of, np.int64)
    index.add_core(
        len(vectors), faiss.swig_ptr(vectors), None, faiss.swig_ptr(of), None
    )
    index.nprobe = min(probed, len(parts.centroids))
    _, near = index.search(np.ascontiguousarray(queries, np.float32), k)
    gap = np.asarray(queries, np.float64)[:, None] - vectors[near].astype(np.float64)
    far = np.where(near < 0, np.inf, np.square(gap).sum(-1) / 2)
    order = np.lexsort((near, far), axis=1)
    return np.take_along_axis(far, order, 1), np.take_along_axis(near, order, 1)


def wanted(liked, disliked) -> np.ndarray:
    """Rocchio's query [d] of unit vectors [n, d], one or more liked, [m, d], any."""
    query = liked.mean(0)
    if len(disliked):
        query = query - disliked.mean(0) / 3
    return query / max(np.linalg.norm(query), 1e-12)


def varied(vectors, query, num: int, variety: float, left_out=()) -> np.ndarray:
    """`num` indices of unit vectors [n, d], in the order of their choice.

    variety: v of the module, 0 (the nearest) to 1; left_out: indices not to choose.
    """
    fits = vectors @ query
    fits[list(left_out)] = -np.inf
    alike, chosen = np.zeros(len(vectors)), []
    for _ in range(min(num, int(np.isfinite(fits).sum()))):
        best = int(np.argmax((1 - variety) * fits - variety * alike))
        cosines = vectors @ vectors[best]
        alike = np.maximum(alike, cosines) if chosen else cosines
        chosen.append(best)
        fits[best] = -np.inf
    return np.array(chosen, np.int64)
