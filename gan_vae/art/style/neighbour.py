"""One picture made of the patches of another: nearest neighbours, coarse to fine.

    k(q) = argmin_k D(q, k) / (a + min_q' D(q', k)),    D(q, k) = |q - k|^2 / d

for patches q of the picture and k of the style, 7x7x3 = d numbers each; each pixel
becomes the mean of what the patches k(q) over it say. The divisor favours patches that
no place of the picture is near to, so that all of the style is used; a is small. Granot
et al. 2022, arXiv:2103.15545. Two things differ: it starts from the content with the
colours of the style, and not from noise; where there are many patches, every s-th of
both is taken.
"""

import jax
import jax.numpy as jnp
import numpy as np

from gan_vae.art.style import Task, carried, colour, patch, resize, scaled, shapes
from gan_vae.art.style.patch import COARSEST, FACTOR, SIDE

LONGEST = 3  # pixels between patches, at most: they are to overlap
ALPHA = 0.005
HOLD = np.float32(0.5)  # of the guide in what is looked for
BLOCK = 2048  # queries whose distances to all keys are held at once


def stride_of(shape: tuple[int, ...]) -> int:
    """Pixels between patches of a picture [H, W], 1 to LONGEST."""
    return min(LONGEST, patch.stride_of(shape))


def places(side: int, stride: int) -> np.ndarray:
    """Where patches begin along a side: each stride-th pixel, and the last that can."""
    return np.unique(np.append(np.arange(0, side - SIDE, stride), side - SIDE))


def patches(image: np.ndarray, stride: int) -> np.ndarray:
    """Patches [n, 147] of [H, W, 3], row by row."""
    y, x = (places(side, stride) for side in image.shape[:2])
    windows = np.lib.stride_tricks.sliding_window_view(image, (SIDE, SIDE), (0, 1))
    return np.ascontiguousarray(windows[np.ix_(y, x)]).reshape(len(y) * len(x), -1)


def voted(chosen: np.ndarray, shape: tuple[int, ...], stride: int) -> np.ndarray:
    """The picture [H, W, 3] each of whose pixels is the mean of patches [n, 147]."""
    y, x = (places(side, stride) for side in shape[:2])
    chosen = chosen.reshape(len(y), len(x), 3, SIDE, SIDE)
    total, count = np.zeros(shape, np.float32), np.zeros((*shape[:2], 1), np.float32)
    for row in range(SIDE):
        for column in range(SIDE):
            at = np.ix_(y + row, x + column)
            total[at] += chosen[..., row, column]
            count[at] += 1
    return total / count


@jax.jit
def _distances(queries, keys):
    """[n, m] mean squared differences."""
    product = jnp.matmul(queries, keys.T, precision='highest')
    of_queries, of_keys = (jnp.square(a).sum(1) for a in (queries, keys))
    squares = of_queries[:, None] + of_keys - 2 * product
    return jnp.maximum(squares, 0) / queries.shape[1]


@jax.jit
def _least(queries, keys):
    return _distances(queries, keys).min(0)


@jax.jit
def _best(queries, keys, divisor):
    return jnp.argmin(_distances(queries, keys) / divisor, 1)


def nearest(queries: np.ndarray, keys: np.ndarray, weights, alpha=ALPHA) -> np.ndarray:
    """For each of queries [n, d] the number of its key, of keys [m, d]: int [n].

    weights [m]: a key of twice the weight is chosen at twice the distance. alpha:
    infinite for the nearest key, whatever others are near to.
    """
    blocks = [queries[i : i + BLOCK] for i in range(0, len(queries), BLOCK)]
    short = BLOCK if len(blocks) > 1 else len(queries)
    # the last is filled up by its own queries again: one program for all blocks
    blocks = [(np.resize(b, (short, b.shape[1])), len(b)) for b in blocks]
    divisor = np.asarray(weights, np.float32)
    if np.isfinite(alpha):
        least = [np.asarray(_least(b, keys)) for b, _ in blocks]
        divisor = divisor * (alpha + np.min(least, 0))
    best = [np.asarray(_best(b, keys, divisor))[:count] for b, count in blocks]
    return np.concatenate(best)


def transfer(task: Task) -> np.ndarray:
    """The content, of the styles' patches; `steps` rounds at each level.

    After each round strength of the new picture is kept, the rest is the content.
    Sides of SIDE pixels at least.
    """
    start = np.clip(colour.linear(task), -1, 1)
    levels = shapes(*start.shape[:2], COARSEST, FACTOR)
    schedule = [(level, step) for level in levels for step in range(task.steps)]
    x, guide = start, start
    for level, step in task.ticks(schedule, 'patches'):
        if step == 0:
            finer = resize(start, *level)
            x = finer if level == levels[0] else carried(x, guide, finer)
            guide, stride = finer, stride_of(level)
            scale = max(level) / max(start.shape[:2])
            of_styles = [
                patches(s, stride_of(s.shape))
                for s in (scaled(s, scale, SIDE) for s in task.styles)
            ]
            keys = np.concatenate(of_styles)
            weights = np.repeat(task.weights, [len(k) for k in of_styles])
        asking = (1 - HOLD) * x + HOLD * guide
        chosen = nearest(patches(asking, stride), keys, weights)
        new = voted(keys[chosen], x.shape, stride)
        x = guide + np.float32(task.strength) * (new - guide)
    return carried(x, guide, start)
