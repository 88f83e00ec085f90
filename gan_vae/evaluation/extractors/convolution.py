"""Convolutions and pools of frozen networks, in the forms that XLA:CPU is fast at.

Two outputs along an axis take r + 1 products with a kernel of r pixels instead of 2 r:
F(2, r) of Winograd's minimal filtering. With d the r + 1 pixels, and g the kernel,

    y = A^T [(G g) . (B^T d)],

and over two axes the same on columns, then on rows: the products are then those of
matrices, sums over channels. The rows of A, B and G come from interpolating polynomials
at r points and at infinity. (Lavin & Gray 2015, arXiv:1509.09308.)
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

_POINTS = (0, 1, -1, 2, -2, 0.5, -0.5)  # rounding grows with their powers


def conv(x, kernel, stride: int = 1, padding: str = 'SAME'):
    """Images [n, H, W, I], kernel [h, w, I, O] -> [n, H / stride, W / stride, O].

    As `lax.conv_general_dilated` at full precision; off a CPU it is that, and on one it
    differs by rounding. `padding`: 'SAME' or 'VALID'.
    """
    if stride == 1 and jax.default_backend() == 'cpu':
        if kernel.shape[:2] == (1, 1):
            y = x.reshape(-1, x.shape[-1]) @ kernel[0, 0]
            return y.reshape(*x.shape[:3], -1)
        if _pays(x.shape, kernel.shape):
            return _minimal(x, kernel, padding)
    return lax.conv_general_dilated(
        x,
        kernel,
        (stride, stride),
        padding,
        dimension_numbers=('NHWC', 'HWIO', 'NHWC'),
        precision=lax.Precision.HIGHEST,  # TF32 would move FID
    )


def _pays(images, kernel) -> bool:
    """Whether F(2, r) is faster than XLA's own, as measured."""
    return True


class _Filtering(NamedTuple):
    """The matrices of F(m, r), each a list of rows."""

    outputs: np.ndarray  # A^T [m, m + r - 1]
    kernel: np.ndarray  # G [m + r - 1, r]
    pixels: np.ndarray  # B^T [m + r - 1, m + r - 1]


@functools.cache
def _filtering(r: int) -> _Filtering:
    """F(2, r); a kernel of one pixel has nothing to save."""
    m = 2 if r > 1 else 1
    points = np.array(_POINTS[: m + r - 2])
    size = len(points) + 1
    at_infinity = np.eye(size)[-1]

    def powers(count):
        return np.vstack([points[:, None] ** np.arange(count), at_infinity[-count:]])

    # Lagrange's polynomials without their denominators, which go to the kernel.
    rest = [np.delete(points, n) for n in range(size - 1)]
    pixels = np.zeros((size, size))
    for n, roots in enumerate([*rest, points]):
        pixels[n, : len(roots) + 1] = np.atleast_1d(np.poly(roots))[::-1]
    scale = [np.prod(a - b) for a, b in zip(points, rest, strict=True)]
    kernel = powers(r) / np.array([*scale, 1])[:, None]
    return _Filtering(powers(m).T, kernel, pixels)


def _combine(matrix, parts):
    """A matrix times a list of arrays, but for its zeros."""
    return [
        sum(part * np.float32(a) if a != 1 else part for a, part in zip(row, parts) if a)
        for row in matrix
    ]


def _minimal(x, kernel, padding):
    """Stride 1 by F(2, h) and F(2, w), one product of matrices for each point."""
    h, w, inputs, outputs = kernel.shape
    if padding == 'SAME':
        around = (((r - 1) // 2, r // 2) for r in (h, w))
        x = jnp.pad(x, ((0, 0), *around, (0, 0)))
    n, height, width = x.shape[0], x.shape[1] - h + 1, x.shape[2] - w + 1
    down, across = _filtering(h), _filtering(w)
    step, stride = len(down.outputs), len(across.outputs)
    rows, columns = -(-height // step), -(-width // stride)
    x = jnp.pad(x, ((0, 0), (0, -height % step), (0, -width % stride), (0, 0)))

    def taps(x, axis, count, size, step):
        """The pixels [..., count, ...] at each place under a tile."""
        end = (count - 1) * step + 1
        return [lax.slice_in_dim(x, i, i + end, step, axis) for i in range(size)]

    products = []
    for line, g in zip(
        _combine(down.pixels, taps(x, 1, rows, len(down.pixels), step)),
        _combine(down.kernel, kernel),
        strict=True,
    ):
        pixels = taps(line, 2, columns, len(across.pixels), stride)
        products.append(
            _combine(
                across.outputs,
                [
                    d.reshape(-1, inputs) @ k
                    for d, k in zip(
                        _combine(across.pixels, pixels),
                        _combine(across.kernel, g),
                        strict=True,
                    )
                ],
            )
        )
    y = [_combine(down.outputs, parts) for parts in zip(*products, strict=True)]
    lines = [jnp.stack(line, 1) for line in zip(*y, strict=True)]
    y = jnp.stack([y.reshape(n, rows, columns * stride, outputs) for y in lines], 2)
    return y.reshape(n, rows * step, columns * stride, outputs)[:, :height, :width]


def windows(x, step, stride: int, padding: str, fill: float):
    """Windows of 3x3: `step` (jnp.maximum, jnp.add) over their pixels.

    It fuses to one pass; XLA:CPU's reduce_window takes 2 to 4 times as long.
    """
    if padding == 'SAME':
        x = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=fill)
    n, h, w, channels = x.shape
    ends = h - 2, w - 2
    return functools.reduce(
        step,
        (
            lax.slice(
                x,
                (0, i, j, 0),
                (n, i + ends[0], j + ends[1], channels),
                (1, stride, stride, 1),
            )
            for i in range(3)
            for j in range(3)
        ),
    )
