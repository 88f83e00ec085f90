"""Convolutions and pools of frozen networks, in the forms that XLA:CPU is fast at.

Two outputs along an axis take r + 1 products with a kernel of r pixels instead of 2 r:
F(2, r) of Winograd's minimal filtering. With d the r + 1 pixels, and g the kernel,

    y = A^T [(G g) . (B^T d)],

and over two axes the same on rows, then on columns: the products are then those of
matrices, sums over channels. The rows of A, B and G come from interpolating polynomials
at r points and at infinity. (Lavin & Gray 2015, arXiv:1509.09308.)
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

_DIMENSIONS = ('NHWC', 'HWIO', 'NHWC')
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
            return minimal(x, kernel, padding)
    return lax.conv_general_dilated(
        x,
        kernel,
        (stride, stride),
        padding,
        dimension_numbers=_DIMENSIONS,
        precision=lax.Precision.HIGHEST,  # TF32 would move FID
    )


def _pays(images, kernel) -> bool:
    """Whether the products saved by `minimal` outweigh its sums, as measured.

    Long kernels save most. Of the 3x3, only those of large images with many channels
    gain enough to be worth their compilation.
    """
    size = tuple(kernel[:2])
    return size in ((1, 7), (7, 1)) or size == (3, 3) and min(images[1:]) >= 64


@functools.cache
def _filtering(r: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A^T [2, r + 1], G [r + 1, r] and B^T [r + 1, r + 1] of F(2, r); of F(1, 1), as a
    kernel of one pixel has nothing to save."""
    step = min(r, 2)
    points = np.array(_POINTS[: step + r - 2])
    infinity = np.eye(len(points) + 1)[-1]

    def powers(count):
        return np.vstack([points[:, None] ** np.arange(count), infinity[-count:]])

    # Lagrange's polynomials; their denominators go to the kernel.
    others = [np.delete(points, n) for n in range(len(points))]
    pixels = [np.append(np.poly(roots)[::-1], 0) for roots in others]
    pixels.append(np.atleast_1d(np.poly(points))[::-1])
    scale = [np.prod(points[n] - roots) for n, roots in enumerate(others)]
    kernel = powers(r) / np.append(scale, 1)[:, None]
    return powers(step).T, kernel, np.array(pixels)


def _combine(matrix, parts):
    """A matrix times a list of arrays, its zeros left out."""
    return [
        sum(float(a) * part for a, part in zip(row, parts, strict=True) if a)
        for row in matrix
    ]


def minimal(x, kernel, padding: str):
    """`conv` of stride 1 by F(2, h) over rows and F(2, w) over columns."""
    h, w, inputs, outputs = kernel.shape
    if padding == 'SAME':
        around = (((r - 1) // 2, r // 2) for r in (h, w))
        x = jnp.pad(x, ((0, 0), *around, (0, 0)))
    n, height, width = x.shape[0], x.shape[1] - h + 1, x.shape[2] - w + 1
    outputs_h, kernel_h, pixels_h = _filtering(h)
    outputs_w, kernel_w, pixels_w = _filtering(w)
    steps = len(outputs_h), len(outputs_w)
    tiles = -(-height // steps[0]), -(-width // steps[1])
    around = (
        (0, -size % step) for size, step in zip((height, width), steps, strict=True)
    )
    x = jnp.pad(x, ((0, 0), *around, (0, 0)))

    def taps(x, axis, count):
        """The arrays of each tile's pixel 0, 1, ..., count - 1."""
        step = steps[axis]
        last = (tiles[axis] - 1) * step + 1
        return [lax.slice_in_dim(x, i, i + last, step, axis + 1) for i in range(count)]

    kernels = np.float32(kernel_h), np.float32(kernel_w), kernel
    g = jnp.einsum('ah,bw,hwio->abio', *kernels)
    sums = []
    for i, row in enumerate(_combine(pixels_h, taps(x, 0, len(g)))):
        pixels = _combine(pixels_w, taps(row, 1, g.shape[1]))
        parts = [d.reshape(-1, inputs) @ g[i, j] for j, d in enumerate(pixels)]
        sums.append(_combine(outputs_w, parts))
    columns = [_combine(outputs_h, parts) for parts in zip(*sums, strict=True)]
    rows = [
        jnp.stack(row, 1).reshape(n, tiles[0], tiles[1] * steps[1], outputs)
        for row in zip(*columns, strict=True)
    ]
    y = jnp.stack(rows, 2).reshape(n, tiles[0] * steps[0], -1, outputs)
    return y[:, :height, :width]


def windows(x, start, operation, stride: int, padding: str):
    """[n, H, W, C] -> `operation` over its windows of 3x3 pixels.

    `operation`: jnp.add or jnp.maximum, and `start` what it leaves as it is. Shifted
    images fuse to one pass; XLA:CPU's reduce_window takes 2 to 4 times as long.
    """
    if padding == 'SAME':
        around = ((0, 0), (1, 1), (1, 1), (0, 0))
        x = jnp.pad(x, around, constant_values=start)
    n, height, width, channels = x.shape
    ends, strides = (height - 2, width - 2), (1, stride, stride, 1)
    shifted = (
        lax.slice(x, (0, i, j, 0), (n, ends[0] + i, ends[1] + j, channels), strides)
        for i in range(3)
        for j in range(3)
    )
    return functools.reduce(operation, shifted)


def vgg16(params: dict, x) -> dict[str, jax.Array]:
    """{'conv1_2', 'conv2_2', 'conv3_3', 'conv4_3', 'conv5_3': [n, h, w, C]}: the last
    map of each block of 3x3 convolutions, with max-pooling by 2 between blocks.

    params: {'conv1_1': (kernel HWIO, bias), ...}. Simonyan & Zisserman 2015,
    arXiv:1409.1556.
    """
    maps = {}
    for block, layers in enumerate((2, 2, 3, 3, 3), 1):
        if block > 1:
            window = (1, 2, 2, 1)
            x = lax.reduce_window(x, -jnp.inf, lax.max, window, window, 'SAME')
        for layer in range(1, layers + 1):
            kernel, bias = params[f'conv{block}_{layer}']
            y = lax.conv_general_dilated(
                x, kernel, (1, 1), 'SAME', dimension_numbers=_DIMENSIONS
            )
            x = jax.nn.relu(y + bias)
        maps[f'conv{block}_{layers}'] = x
    return maps
