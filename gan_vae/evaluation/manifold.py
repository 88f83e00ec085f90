"""Precision, recall, density and coverage: balls around samples as their manifold.

With B(x) the closed ball around x that reaches its k-th nearest neighbour in x's set,

    precision = mean_fake 1[in some B(real)]    recall = mean_real 1[in some B(fake)]
    density = mean_fake #{B(real) around it} / k
    coverage = mean_real 1[some fake in B(real)]

Kynkäänniemi et al. 2019, arXiv:1904.06991 (precision, recall); Naeem et al. 2020,
arXiv:2002.09797 (density, coverage: for equal distributions, n reals and m fakes,
E[density] = 1 and E[coverage] = 1 - prod_{i=1..k} (n - i) / (m + n - i)).
"""

import numpy as np

from gan_vae import arrays
from gan_vae.errors import UserError

_CELLS = 1 << 24  # pairs in memory at a time: 128 MiB


def _blocks(rows: int, columns: int):
    step = max(1, _CELLS // columns)
    return [slice(i, i + step) for i in range(0, rows, step)]


def _exact(x, i, y, j):
    """|x_i - y_j| from the differences: the same for the same pair in any order.

    A product of matrices is faster but rounds by its place in the block, so that a copy
    of the k-th neighbour could fall outside of the ball that it defines.
    """
    step = max(1, _CELLS // x.shape[1])
    distances = np.empty(len(i))
    for start in range(0, len(i), step):
        some = slice(start, start + step)
        distances[some] = np.sqrt(np.square(x[i[some]] - y[j[some]]).sum(-1))
    return distances


class _Near:
    """Squared distances of blocks of rows of `x` to all of `y`, to `slack`."""

    def __init__(self, x, y):
        centre = y.mean(0)  # far from the origin the product would cancel
        self.x, self.y = x - centre, y - centre
        self.xx, self.yy = (np.square(a).sum(1) for a in (self.x, self.y))

    def __call__(self, rows):
        squared = self.x[rows] @ self.y.T
        squared *= -2
        squared += self.xx[rows, None]
        squared += self.yy
        return squared

    def slack(self, rows):
        return 1e-12 * (self.xx[rows].max() + self.yy.max())


def nearest(
    queries, references, k: int, skip_self: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Distances (float64, ascending) and indices, both [n, k], of nearest references.

    Queries [n, d], references [m, d]. With `skip_self` both are the same set and each
    row leaves out its own index, though not copies of it. A product of matrices
    proposes, exact differences decide; ties are in the order of their index. A
    UserError where there are not k of them.
    """
    queries, references = arrays.vector_pair(queries, references)
    if skip_self and len(queries) != len(references):
        raise UserError('skip_self: queries and references must be the same set')
    n, m = len(queries), len(references)
    if not 1 <= k <= m - skip_self:
        raise UserError(f'{k} nearest neighbours among {m - skip_self}: lower k')
    near, keep = _Near(queries, references), min(m, k + 8)
    distances, indices = np.empty((n, k)), np.empty((n, k), np.int64)
    for rows in _blocks(n, m):
        squared = near(rows)
        if skip_self:
            own = np.arange(len(squared))
            squared[own, rows.start + own] = np.inf
        # Sorted, so that the stable sort below breaks ties by index.
        chosen = np.sort(np.argpartition(squared, keep - 1, axis=1)[:, :keep], axis=1)
        at = np.repeat(np.arange(n)[rows], keep)
        exact = _exact(queries, at, references, chosen.ravel()).reshape(chosen.shape)
        if skip_self:
            exact[chosen == rows.start + own[:, None]] = np.inf
        order = np.argsort(exact, axis=1, kind='stable')[:, :k]
        distances[rows] = np.take_along_axis(exact, order, 1)
        indices[rows] = np.take_along_axis(chosen, order, 1)
    return distances, indices


def _inside(points, centres, radii):
    """For each point, the number of closed balls that hold it; [n]."""
    near, counts = _Near(points, centres), np.empty(len(points))
    for rows in _blocks(len(points), len(centres)):
        gap = near(rows)
        gap -= radii**2
        within = gap <= 0
        i, j = np.nonzero(np.abs(gap) <= near.slack(rows))
        within[i, j] = _exact(points, rows.start + i, centres, j) <= radii[j]
        counts[rows] = within.sum(1)
    return counts


def _radii(x, k):
    return nearest(x, x, k, skip_self=True)[0][:, -1]


def precision_recall(real, fake, k: int = 3) -> dict[str, float]:
    """{'precision', 'recall'} of features [n, d] and [m, d]; float64, all pairs.

    A UserError where a set has no k-th neighbour or the dimensions differ.
    """
    real, fake = arrays.vector_pair(real, fake)
    precision = _inside(fake, real, _radii(real, k)) > 0
    recall = _inside(real, fake, _radii(fake, k)) > 0
    return {'precision': float(precision.mean()), 'recall': float(recall.mean())}


def density_coverage(real, fake, k: int = 5) -> dict[str, float]:
    """{'density', 'coverage'} of features [n, d] and [m, d]; density may exceed 1.

    A UserError where the reals have no k-th neighbour or the dimensions differ.
    """
    real, fake = arrays.vector_pair(real, fake)
    radii = _radii(real, k)
    density = _inside(fake, real, radii).mean() / k
    coverage = np.mean(nearest(real, fake, 1)[0][:, 0] <= radii)
    return {'density': float(density), 'coverage': float(coverage)}
