"""A picture of any size through a network that restores, window by window.

The network refines an estimate of the whole picture, by filters. A pixel of the result
depends on those of both within MARGIN pixels of it alone. They go
through in windows of WINDOW pixels, of which the outer MARGIN is dropped where another
one has it: so there are no seams, and the result is that of the whole picture at once.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

import jax
import numpy as np

from gan_vae.art import filters
from gan_vae.models.restorer import MARGIN, MULTIPLE

WINDOW = 256  # pixels
ROUND = 16  # pixels: sides of pictures below a window are made multiples of it


def restored(
    function: Callable,
    weights,
    y: np.ndarray,
    mask: np.ndarray,
    told: np.ndarray,
    progress: Callable[[Iterable, str], Iterator] = lambda items, _: iter(items),
) -> np.ndarray:
    """float32 [H, W, C] of y [H, W, C] in [-1, 1], mask [H, W, 1], told [T].

    function: `Method.restoration`.
    """
    height, width, _ = y.shape
    sides = [_side(side) for side in (height, width)]
    more = [(0, side - n) for side, n in zip(sides, (height, width), strict=True)]
    guess = filters.estimate(y, mask, told)
    y, guess, mask = (np.pad(a, [*more, (0, 0)], 'edge') for a in (y, guess, mask))
    result = np.array(y, np.float32)  # where a Ctrl-C leaves something, as it was
    places = [
        (rows, columns) for rows in _windows(sides[0]) for columns in _windows(sides[1])
    ]
    for (top, first, last), (left, begin, end) in progress(places, 'restoring'):
        window = np.s_[top : top + WINDOW, left : left + WINDOW]
        given = (a[window][None] for a in (y, guess, mask))
        x = np.asarray(_applied(function, weights, *given, told[None]))[0]
        result[first:last, begin:end] = x[
            first - top : last - top, begin - left : end - left
        ]
    return result[:height, :width]


def enlarged(x: np.ndarray, factor: int) -> np.ndarray:
    """x [H, W, C], cubic between its pixels: what a network makes large pictures of."""
    shape = *(factor * side for side in x.shape[:2]), x.shape[2]
    return np.asarray(jax.image.resize(x, shape, 'cubic'))


def translated(function: Callable, weights, x: np.ndarray) -> np.ndarray:
    """float32 [H, W, C] of x [H, W, C] in [-1, 1], at once; function:
    `Method.translation`."""
    height, width, _ = x.shape
    more = [(0, -side % MULTIPLE) for side in (height, width)]
    x = np.pad(np.asarray(x, np.float32), [*more, (0, 0)], 'edge')
    return np.asarray(_translated(function, weights, x[None]))[0, :height, :width]


@partial(jax.jit, static_argnums=0)
def _translated(function, weights, x):
    return function(weights, x)


@partial(jax.jit, static_argnums=0)
def _applied(function, weights, y, estimate, mask, told):
    return function(weights, y, estimate, mask, told)


def _side(side: int) -> int:
    """Of the picture that is worked on: few sizes, and so few programs."""
    multiple = MULTIPLE if side > WINDOW else ROUND
    return side + -side % multiple


def _windows(side: int) -> list[tuple[int, int, int]]:
    """(start, first, last) of windows along a side: what is taken of each."""
    if side <= WINDOW:
        return [(0, 0, side)]
    inner = WINDOW - 2 * MARGIN
    starts = [*range(0, side - WINDOW, inner), side - WINDOW]
    ends = [start + WINDOW - MARGIN for start in starts[:-1]] + [side]
    return list(zip(starts, [0, *ends[:-1]], ends, strict=True))
