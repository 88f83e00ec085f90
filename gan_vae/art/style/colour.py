"""Colours of one picture in the places of another: sliced optimal transport.

    x <- x + R^T [Q_style(F(R x)) - R x]    for rotations R of colour space

F is the distribution of the content's colours along an axis, Q_style the quantile
function of the style's. The last R is the identity, so that red, green and blue end
with the style's marginals. Pitie et al. 2007, doi:10.1016/j.cviu.2006.11.011; the
average of quantile functions as the mean of several styles: Bonneel et al. 2015,
doi:10.1007/s10851-014-0506-3.

`linear` is the map of Gaussians of the same means and covariances, in closed form,

    x -> m_s + A (x - m_c),    A = C^-1/2 (C^1/2 S C^1/2)^1/2 C^-1/2,

which makes no grain (first moments: Reinhard et al. 2001, doi:10.1109/38.946629).
"""

import numpy as np

from gan_vae.art.style import Task


def quantiles(values: np.ndarray, count: int) -> np.ndarray:
    """The quantile functions of rows [..., m] at ranks (i + 1/2) / count: [..., count].

    Sorted values themselves where count is m.
    """
    ordered, m = np.sort(values, -1), values.shape[-1]
    if m == count:
        return ordered
    place = ((2 * np.arange(count) + 1) * m / count - 1) / 2
    place = np.clip(place, 0, m - 1)
    below = np.floor(place).astype(int)
    share = (place - below).astype(values.dtype)
    above = np.minimum(below + 1, m - 1)
    return ordered[..., below] * (1 - share) + ordered[..., above] * share


def mean_quantiles(values: list[np.ndarray], weights, count: int) -> np.ndarray:
    """The same of several sets of rows, averaged: their barycentre in one dimension."""
    return sum(
        np.asarray(w, v.dtype) * quantiles(v, count)
        for v, w in zip(values, weights, strict=True)
    )


def matched(values: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Values [n] moved to the sorted `target` [n] in their order.

    Equal values stay equal, at the mean of what falls to them: a flat area stays flat.
    """
    _, group, size = np.unique(values, return_inverse=True, return_counts=True)
    first = np.cumsum(size) - size
    # the mean as an offset from the group's first: exact where all of it is equal
    offset = target - np.repeat(target[first], size)
    mean = target[first] + np.add.reduceat(offset, first) / size
    return mean[group]


def rotations(count: int, seed: int) -> np.ndarray:
    """Random orthogonal matrices [count, 3, 3], the last of them the identity."""
    random = np.random.default_rng(seed)
    turns = [np.linalg.qr(random.standard_normal((3, 3)))[0] for _ in range(count - 1)]
    return np.stack([*turns, np.eye(3)])


def sliced(task: Task) -> np.ndarray:
    """The content with the styles' colours; `steps` rotations.

    Where the strength is below 1, each colour goes that share of its whole way.
    """
    x = task.content.reshape(-1, 3).astype(np.float64)
    styles = [s.reshape(-1, 3).astype(np.float64) for s in task.styles]
    bent = rotations(task.steps, task.seed)
    for number in task.ticks(range(len(bent)), 'colours'):
        rotation = bent[number]
        along = x @ rotation.T
        targets = mean_quantiles(
            [(s @ rotation.T).T for s in styles], task.weights, len(x)
        )
        moved = [matched(a, q) for a, q in zip(along.T, targets, strict=True)]
        x = x + (np.stack(moved, -1) - along) @ rotation
    return _part_way(task, x)


def linear(task: Task) -> np.ndarray:
    """The same by the linear map of means and covariances; of several styles, by the
    weighted mean of their maps, the barycentre as seen from the content."""
    x = task.content.reshape(-1, 3).astype(np.float64)
    centre, spread = x.mean(0), np.cov(x.T, bias=True)
    moved = np.zeros_like(x)
    for style, weight in zip(task.styles, task.weights, strict=True):
        flat = style.reshape(-1, 3).astype(np.float64)
        stretch = _monge(spread, np.cov(flat.T, bias=True))
        moved += weight * (flat.mean(0) - x + (x - centre) @ stretch.T)
    return _part_way(task, x + moved)


def _monge(of: np.ndarray, to: np.ndarray) -> np.ndarray:
    """The symmetric A with A of A = to; of a flat direction, nothing is stretched."""
    root, inverse = _powers(of)
    middle, _ = _powers(root @ to @ root)
    return inverse @ middle @ inverse


def _powers(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Its square root, and the root's pseudo-inverse."""
    values, vectors = np.linalg.eigh(matrix)
    root = np.sqrt(np.maximum(values, 0))
    inverse = np.where(root > 1e-4, 1 / np.maximum(root, 1e-4), 0)
    return (vectors * root) @ vectors.T, (vectors * inverse) @ vectors.T


def _part_way(task: Task, x: np.ndarray) -> np.ndarray:
    change = x.reshape(task.content.shape) - task.content
    return np.float32(task.content + task.strength * change)
