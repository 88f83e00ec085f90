"""Convolutions of few multiplications, and gradients where XLA:CPU's own are slow.

Write C for the strided convolution, T for its transpose in the image and W for its
transpose in the kernel. All three are bilinear, and with <., .> the inner product

    <y, C(x, k)> = <T(y, k), x> = <W(x, y), k>,

so the gradients of each are the other two, to any order:

    C(x, k): dx = T(dy, k),  dk = W(x, dy)
    T(y, k): dy = C(dx, k),  dk = W(dx, y)
    W(x, y): dx = T(y, dk),  dy = C(x, dk).

A transposed convolution is T with its kernel turned by half a turn. XLA:CPU takes 15
to 30 times longer over its dk. Therefore on a CPU, in float32, an `Algorithm` computes
C as matrix products between linear maps of the arguments,

    C(x, k) = scatter^T(spread(x) lift(k)),

and T and W with the transposes of these maps. `CPU_FLOAT32` lists the algorithms; all
other convolutions are XLA's, and so are all within `with plain():`.

`patches`, for few channels: each output has a row of the pixels under its kernel.

`filtering`: Winograd's minimal filtering F(2x2, ...) (Lavin & Gray 2015,
arXiv:1509.09308). With d the window of x of a tile of 2x2 outputs,

    y = A^T ((G k G^T) . (B^T d B)) A,

16 products for 36 of a 3x3 kernel. One of 4x4 with a stride of 2 is one of 2x2 over
cells of 2x2 pixels: 9 products for 16, and only neighbours are added or subtracted, so
that the rounding is that of the plain convolution. All tiles' products are one batched
matrix product, of few and large operations: what a program takes to compile grows with
their number. Memory bounds the maps: a few images at a time go through all of an
algorithm, so that their matrices stay in the cache.

A 3x3 convolution before means over 2x2, or after each pixel is repeated 2x2, is one of
4x4 with a stride of 2: of 16 products for 36, and then of 9.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax


def _convolve(x, k, strides):
    dimensions = ('NHWC', 'HWIO', 'NHWC')
    return lax.conv_general_dilated(x, k, strides, 'SAME', dimension_numbers=dimensions)


class Shape(NamedTuple):
    """Of a convolution: pixels and channels of its images, and channels of its y."""

    height: int
    width: int
    inputs: int
    outputs: int

    def divides(self, n: int) -> bool:
        return self.height % n == self.width % n == 0


class Algorithm(NamedTuple):
    """C(x, k) = scatter^T(spread(x) lift(k)), for the shapes that it `fits`.

    The matrices of `spread`, `lift` and `scatter` are n at a time, and of T too, for
    which `unspread` is the transpose of `spread`, and `gather` that of `scatter`.
    """

    name: str
    kernel: int
    stride: int
    fits: Callable[[Shape], bool]
    spread: Callable  # images [B, H, W, I] -> [n, rows, m]
    lift: Callable  # kernel [kh, kw, I, O] -> [n, m, O]
    scatter: Callable  # y [B, H/sh, W/sw, O] -> [n, rows, O]
    gather: Callable  # ([n, rows, O], shape of y) -> y
    unspread: Callable  # ([n, rows, m], shape of the images) -> images


def _combined(matrix: np.ndarray, parts: Iterable[jax.Array]) -> jax.Array:
    """[rows of `matrix`, ...], of sums of the parts by entries that are 0, 1 or -1."""

    def total(row):
        terms = [(c, x) for c, x in zip(row, parts, strict=True) if c]
        (c, y), *rest = terms
        y = y if c > 0 else -y
        for c, x in rest:
            y = y + x if c > 0 else y - x
        return y

    return jnp.stack([total(row) for row in matrix])


def _windows(x, size: int, axis: int) -> list[jax.Array]:
    """The elements 0, ..., size-1 of windows that begin at every other element."""
    last = x.shape[axis] - size + 1
    return [lax.slice_in_dim(x, n, last + n, 2, axis) for n in range(size)]


def _interleaved(pair, axis: int):
    even, odd = pair
    x = jnp.stack([even, odd], axis + 1)
    return x.reshape(*x.shape[:axis], -1, *x.shape[axis + 2 :])


def _overlapped(parts: Sequence[jax.Array] | jax.Array, axis: int):
    """The transpose of `_windows`: elements that windows share are added."""

    def shifted(x, n):
        widths = [(n, 1 - n) if a == axis else (0, 0) for a in range(x.ndim)]
        return jnp.pad(x, widths)

    sums = [
        sum(shifted(x, n) for n, x in enumerate(parts[parity::2])) for parity in (0, 1)
    ]
    x = _interleaved(sums, axis)
    return lax.slice_in_dim(x, 0, x.shape[axis] - len(parts) % 2, 1, axis)


def _filtering(cell: int, a: np.ndarray, b: np.ndarray, g: np.ndarray) -> dict:
    """The maps of minimal filtering over cells of cell x cell pixels, whose channels
    are together; a, b, g: A, B^T and G of one axis."""
    n, size = b.shape
    gg = np.kron(g, g).astype(np.float32)

    def cells(x):
        """Images, padded by a pixel -> [B, cells, cells, channels of a cell]."""
        x = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
        i, h, w, c = x.shape
        if cell == 1:
            return x
        x = x.reshape(i, h // cell, cell, w // cell, cell, c).swapaxes(2, 3)
        return x.reshape(i, h // cell, w // cell, cell * cell * c)

    def pixels(x):
        """The transpose of `cells`."""
        i, h, w, c = x.shape
        if cell > 1:
            x = x.reshape(i, h, w, cell, cell, -1).swapaxes(2, 3)
            x = x.reshape(i, h * cell, w * cell, -1)
        return x[:, 1:-1, 1:-1]

    def spread(x):
        rows = _combined(b, _windows(cells(x), size, 1))
        both = _combined(b, _windows(rows, size, 3))
        return both.reshape(n * n, -1, both.shape[-1])

    def unspread(parts, shape):
        images, h, w, _ = shape
        tiles = images, h // (2 * cell), w // (2 * cell), parts.shape[-1]
        rows = _overlapped(_combined(b.T, parts.reshape(n, n, *tiles)), 3)
        return pixels(_overlapped(_combined(b.T, rows), 1))

    def lift(k):
        kh, kw, i, o = k.shape
        k = k.reshape(kh // cell, cell, kw // cell, cell, i, o)
        k = k.transpose(2, 0, 1, 3, 4, 5).reshape(gg.shape[1], -1)
        return (gg @ k).reshape(n * n, -1, o)

    def scatter(y):
        rows = _combined(a, (y[:, 0::2], y[:, 1::2]))
        both = _combined(a, (rows[:, :, :, 0::2], rows[:, :, :, 1::2]))
        return both.reshape(n * n, -1, y.shape[-1])

    def gather(parts, shape):
        images, h, w, o = shape
        parts = parts.reshape(n, n, images, h // 2, w // 2, o)
        rows = _interleaved(_combined(a.T, parts), 3)
        return _interleaved(_combined(a.T, rows), 1)

    return {
        'spread': spread,
        'lift': lift,
        'scatter': scatter,
        'gather': gather,
        'unspread': unspread,
    }


def _patches(kernel: int, stride: int) -> dict:
    """The maps of one product, of the pixels under each output by rows."""

    def spread(x):
        before = (kernel - stride) // 2
        h, w = x.shape[1] // stride, x.shape[2] // stride
        around = before, kernel - stride - before
        x = jnp.pad(x, ((0, 0), around, around, (0, 0)))

        def along(x, count, axis):
            last = stride * (count - 1) + 1
            return [
                lax.slice_in_dim(x, n, n + last, stride, axis) for n in range(kernel)
            ]

        x = jnp.concatenate(
            [d for row in along(x, h, 1) for d in along(row, w, 2)], axis=-1
        )
        return x.reshape(1, -1, x.shape[-1])

    def unspread(parts, shape):
        x = jax.ShapeDtypeStruct(shape, parts.dtype)
        return jax.linear_transpose(spread, x)(parts)[0]

    return {
        'spread': spread,
        'lift': lambda k: k.reshape(1, -1, k.shape[-1]),
        'scatter': lambda y: y.reshape(1, -1, y.shape[-1]),
        'gather': lambda parts, shape: parts.reshape(shape),
        'unspread': unspread,
    }


_F3X3 = _filtering(
    cell=1,
    a=np.array([[1, 0], [1, 1], [1, -1], [0, -1]]),
    b=np.array([[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]]),
    g=np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]]),
)
_F4X4 = _filtering(
    cell=2,
    a=np.array([[1, 0], [1, 1], [0, 1]]),
    b=np.array([[1, -1, 0], [0, 1, 0], [0, -1, 1]]),
    g=np.array([[1, 0], [1, 1], [0, 1]]),
)
CPU_FLOAT32 = (
    Algorithm(
        'filtering_3x3', 3, 1,  # 16 products of 36
        lambda s: s.divides(2) and min(s.inputs, s.outputs) >= 16, **_F3X3,
    ),
    # with fewer channels the sums cost more than they save
    Algorithm(
        'filtering_4x4', 4, 2,  # 9 of 16
        lambda s: s.divides(4) and s.inputs >= 16, **_F4X4,
    ),
    Algorithm(
        'patches_3x3', 3, 1, lambda s: s.inputs < 16, **_patches(3, 1)
    ),
    Algorithm(
        'patches_4x4', 4, 2,
        lambda s: s.divides(2) and s.inputs < 16, **_patches(4, 2),
    ),
)  # fmt: skip
GROUP = 1 << 19  # numbers that go through at a time, at least: 2 MB
_PLAIN = jax.make_user_context(False)  # of the keys of jax.jit's caches


def plain():
    """A context in which convolutions are XLA's own: for export, where the number of
    images or the machine is not known yet. What jax.jit has traced outside of it is
    traced again within."""
    return _PLAIN(True)


def algorithm(shape: Shape, kernel, strides, dtype) -> Algorithm | None:
    """The first that fits; None: XLA's own, as for other numbers than float32, whose
    sums around the products would be rounded, and on other machines than a CPU."""
    if _PLAIN.value or dtype != jnp.float32 or jax.default_backend() != 'cpu':
        return None
    for a in CPU_FLOAT32:
        sizes = (a.kernel, a.kernel), (a.stride, a.stride)
        if sizes == (tuple(kernel), tuple(strides)) and a.fits(shape):
            return a
    return None


def _groups(x, least):
    """x [B, ...] -> [n, B/n, ...] of groups of at least so many numbers, or all."""
    n = 1
    while x.shape[0] % (2 * n) == 0 and x.size // (2 * n) >= least:
        n *= 2
    return x.reshape(n, -1, *x.shape[1:])


def _each(function, x):
    """A function of images, of a few of them at a time."""
    y = lax.map(function, _groups(x, GROUP))
    return y.reshape(-1, *y.shape[2:])


def _products(x, y):
    """[n, rows, m], [n, m, O] -> [n, rows, O]."""
    return lax.dot_general(x, y, (((2,), (1,)), ((0,), (0,))))


def _turned(k):
    """Kernel [kh, kw, I, O] -> [kh, kw, O, I], by half a turn."""
    return jnp.flip(k, (0, 1)).swapaxes(2, 3)


def _of_turned(shape: Shape, kernel, strides, dtype) -> Algorithm | None:
    """That of T(x, turned k), which is C(x, k) where the stride is 1."""
    if strides != (1, 1):
        return None
    turned = shape._replace(inputs=shape.outputs, outputs=shape.inputs)
    return algorithm(turned, kernel, strides, dtype)


def _convolved(chosen: Algorithm, x, k):
    lifted = chosen.lift(k)

    def some(x):
        b, h, w, _ = x.shape
        out = b, h // chosen.stride, w // chosen.stride, k.shape[-1]
        return chosen.gather(_products(chosen.spread(x), lifted), out)

    return _each(some, x)


def _imaged(chosen: Algorithm, y, k):
    lifted = chosen.lift(k).swapaxes(1, 2)

    def some(y):
        b, h, w, _ = y.shape
        out = b, h * chosen.stride, w * chosen.stride, k.shape[2]
        return chosen.unspread(_products(chosen.scatter(y), lifted), out)

    return _each(some, y)


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def conv(x, k, strides):
    """C: images [B, H, W, I], kernel [kh, kw, I, O] -> [B, H/sh, W/sw, O]."""
    case = Shape(*x.shape[1:3], *k.shape[2:]), k.shape[:2], strides, x.dtype
    if chosen := algorithm(*case):
        return _convolved(chosen, x, k)
    if chosen := _of_turned(*case):
        return _imaged(chosen, x, _turned(k))
    return _convolve(x, k, strides)


@partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def conv_image(y, k, strides, shape):
    """T: y [B, H/sh, W/sw, O], kernel [kh, kw, I, O] -> images [B, *shape, I]."""
    case = Shape(*shape, *k.shape[2:]), k.shape[:2], strides, y.dtype
    if chosen := algorithm(*case):
        return _imaged(chosen, y, k)
    if chosen := _of_turned(*case):
        return _convolved(chosen, y, _turned(k))
    x = jax.ShapeDtypeStruct((y.shape[0], *shape, k.shape[2]), y.dtype)
    return jax.linear_transpose(lambda x: _convolve(x, k, strides), x)(y)[0]


@partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def conv_kernel(x, y, strides, size):
    """W: images [B, H, W, I], y [B, H/sh, W/sw, O] -> kernel [*size, I, O]."""
    k = jax.ShapeDtypeStruct((*size, x.shape[-1], y.shape[-1]), x.dtype)
    case = Shape(*x.shape[1:3], *k.shape[2:]), size, strides, x.dtype
    chosen = algorithm(*case)
    if not chosen and _of_turned(*case):
        return _turned(conv_kernel(y, x, strides, size))
    if not chosen:
        return jax.linear_transpose(lambda k: _convolve(x, k, strides), k)(y)[0]

    def add(total, images):
        parts = chosen.spread(images[0]), chosen.scatter(images[1])
        return total + lax.dot_general(*parts, (((1,), (1,)), ((0,), (0,)))), None

    # or the sums of the groups' kernels would take as long as their products
    xs = _groups(x, max(GROUP, 2 * math.prod(k.shape)))
    ys = y.reshape(*xs.shape[:2], *y.shape[1:])
    lifted = jax.eval_shape(chosen.lift, k)
    total, _ = lax.scan(add, jnp.zeros(lifted.shape, x.dtype), (xs, ys))
    return jax.linear_transpose(chosen.lift, k)(total)[0]


def _conv_bwd(strides, saved, dy):
    x, k = saved
    dx = conv_image(dy, k, strides, x.shape[1:3])
    return dx, conv_kernel(x, dy, strides, k.shape[:2])


def _conv_image_bwd(strides, shape, saved, dx):
    y, k = saved
    return conv(dx, k, strides), conv_kernel(dx, y, strides, k.shape[:2])


def _conv_kernel_bwd(strides, size, saved, dk):
    x, y = saved
    return conv_image(y, dk, strides, x.shape[1:3]), conv(x, dk, strides)


conv.defvjp(lambda x, k, s: (conv(x, k, s), (x, k)), _conv_bwd)
conv_image.defvjp(lambda y, k, s, n: (conv_image(y, k, s, n), (y, k)), _conv_image_bwd)
conv_kernel.defvjp(
    lambda x, y, s, n: (conv_kernel(x, y, s, n), (x, y)), _conv_kernel_bwd
)


def conv_transpose(x, k, strides):
    """As `lax.conv_transpose`: [B, H, W, I], [kh, kw, I, O] -> [B, H sh, W sw, O]."""
    shape = x.shape[1] * strides[0], x.shape[2] * strides[1]
    return conv_image(x, _turned(k), strides, shape)


def _blurred(k):
    """Kernel [3, 3, I, O] -> [4, 4, I, O], its convolution with ones of 2x2."""
    k = jnp.pad(k, ((1, 1), (1, 1), (0, 0), (0, 0)))
    k = k[1:] + k[:-1]
    return k[:, 1:] + k[:, :-1]


def conv_pool(x, k, _):
    """Means over 2x2 of a convolution with `k` [3, 3, I, O], which is one of 4x4."""
    return conv(x, _blurred(k) / 4, (2, 2))


def up_conv(x, k, _):
    """A convolution with `k` [3, 3, I, O] of x with each pixel repeated 2x2."""
    return conv_transpose(x, _blurred(k), (2, 2))


def product_or_conv(x, k, strides):
    """C, of which one of 1x1 is a matrix product on every machine."""
    if (*k.shape[:2], *strides) == (1, 1, 1, 1):
        return x @ k[0, 0]
    return conv(x, k, strides)
