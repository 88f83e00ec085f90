"""Convolutions of few multiplications, and gradients where XLA:CPU's own are slow.

Write C for the strided convolution, T for its transpose in the image and W for its
transpose in the kernel. All three are bilinear, and with <., .> the inner product

    <y, C(x, k)> = <T(y, k), x> = <W(x, y), k>,

so the gradients of each are the other two, to any order:

    C(x, k): dx = T(dy, k),  dk = W(x, dy)
    T(y, k): dy = C(dx, k),  dk = W(dx, y)
    W(x, y): dx = T(y, dk),  dy = C(x, dk).

A transposed convolution is T with its kernel turned round. (Left to itself, XLA:CPU
takes 15 to 30 times longer over its dk.)

On a CPU each is a few matrix products between linear maps of its arguments,

    C(x, k) = scatter^T(spread(x) lift(k)),

and T and W are those of the transposed maps, for kernels of 1x1, of 3x3, and of 4x4
with strides of 2. There, few channels (pictures) are spread to one matrix, a row of 4x4
pixels for each output. With many, that kernel is one of 2x2 over cells of 2x2 pixels,
and two of its outputs along an axis take three products instead of four,

    y0 = (d0 - d1) g0 + d1 (g0 + g1),    y1 = (d2 - d1) g1 + d1 (g0 + g1),

9 for 16 over both axes: F(2x2, 2x2) of Winograd's minimal filtering (Lavin & Gray 2015,
arXiv:1509.09308). Only neighbours are added or subtracted, so the rounding is that of
the plain convolution. Two outputs of a 3x3 kernel take four products instead of six,

    m = (d0 - d2) g0, (d1 + d2) (g0 + g1 + g2)/2, (d2 - d1) (g0 - g1 + g2)/2,
        (d1 - d3) g2,           y0 = m0 + m1 + m2,    y1 = m1 - m2 - m3,

16 for 36: F(2x2, 3x3), of the same paper. The maps are bound by memory: a few images
go through all of it at a time, so that their matrices stay in the cache.

A 3x3 convolution before means over 2x2, or after each pixel is repeated 2x2, is one of
4x4 with a stride of 2: of 16 products for 36, and then of 9.
"""

import contextlib
import contextvars
import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax.linen.dtypes import promote_dtype
from jax import lax

from gan_vae.models.spectral import normalised


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
    """C(x, k) = scatter^T(spread(x) lift(k)), with `products` of those of C itself."""

    name: str
    kernel: int
    stride: int
    products: str
    fits: Callable[[Shape], bool]
    spread: Callable  # images [B, H, W, I] -> [rows, n], ...
    lift: Callable  # kernel [kh, kw, I, O] -> [n, O], ...
    scatter: Callable  # y [B, H/sh, W/sw, O] -> [rows, O], ...
    group: int = 1 << 18  # numbers that go through at a time, at least: 1 MB
    overlaps: bool = False  # the sums of spread^T: T is then C of the kernel turned


def _patches(x):
    """Images -> [[B H/2 W/2, 16 I]], the 4x4 pixels under each output by columns."""
    b, h, w, i = x.shape
    x = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    x = x.reshape(b, h // 2 + 1, 2, w + 2, i)
    x = jnp.concatenate([x[:, :-1], x[:, 1:]], 2).transpose(0, 1, 3, 2, 4)
    x = x.reshape(b, h // 2, w // 2 + 1, 2, 4, i)
    return [jnp.concatenate([x[:, :, :-1], x[:, :, 1:]], 3).reshape(-1, 16 * i)]


def _by_columns(k):
    return [k.swapaxes(0, 1).reshape(-1, k.shape[-1])]


def _rows(y):
    return [y.reshape(-1, y.shape[-1])]


def _cells(x):
    """Images -> nine [B H/4 W/4, 4 I] of differences of neighbouring cells."""
    b, h, w, i = x.shape
    x = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    x = x.reshape(b, h // 2 + 1, 2, w // 2 + 1, 2, i).transpose(0, 1, 3, 2, 4, 5)

    def three(d, axis):
        last = d.shape[axis] - 1
        d0, d1 = (lax.slice_in_dim(d, n, last, 2, axis) for n in (0, 1))
        d2 = lax.slice_in_dim(d, 2, None, 2, axis)
        return d0 - d1, d1, d2 - d1

    return [d.reshape(-1, 4 * i) for row in three(x, 1) for d in three(row, 2)]


def _three(g0, g1):
    return g0, g0 + g1, g1


def _of_cells(k):
    """Kernel -> nine [4 I, O]."""
    _, _, i, o = k.shape
    k = k.reshape(2, 2, 2, 2, i, o).transpose(0, 2, 1, 3, 4, 5).reshape(2, 2, 4 * i, o)
    return [g for row in _three(k[0], k[1]) for g in _three(row[0], row[1])]


def _tiles(y):
    """y -> nine [B H/4 W/4, O]; the transpose sums products to tiles of 2x2 outputs."""
    o = y.shape[-1]
    rows = _three(y[:, 0::2], y[:, 1::2])
    return [
        d.reshape(-1, o)
        for row in rows
        for d in _three(row[:, :, 0::2], row[:, :, 1::2])
    ]


def _four(x, axis):
    d0, d1, d2, d3 = (
        lax.slice_in_dim(x, n, x.shape[axis] - 3 + n, 2, axis) for n in range(4)
    )
    return d0 - d2, d1 + d2, d2 - d1, d1 - d3


def _pixels(x):
    """Images -> sixteen [B H/2 W/2, I] of sums and differences of pixels."""
    i = x.shape[-1]
    x = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    return [d.reshape(-1, i) for row in _four(x, 1) for d in _four(row, 2)]


def _of_pixels(k):
    """Kernel -> sixteen [I, O]."""

    def four(g0, g1, g2):
        return g0, (g0 + g1 + g2) / 2, (g0 - g1 + g2) / 2, g2

    return [g for row in four(*k) for g in four(*row)]


def _squares(y):
    """y -> sixteen [B H/2 W/2, O]; the transpose sums products to 2x2 outputs."""
    o = y.shape[-1]

    def four(y0, y1):
        return y0, y0 + y1, y0 - y1, -y1

    rows = four(y[:, 0::2], y[:, 1::2])
    return [
        d.reshape(-1, o) for row in rows for d in four(row[:, :, 0::2], row[:, :, 1::2])
    ]


# fmt: off
CPU_FLOAT32 = (
    # a kernel of 1x1 is a matrix, and XLA takes twice as long over its dk
    Algorithm('pointwise', 1, 1, '1 of 1', lambda s: True,
              _rows, _rows, _rows, group=1 << 62),
    Algorithm('winograd_3x3', 3, 1, '16 of 36',
              lambda s: s.divides(2) and min(s.inputs, s.outputs) >= 16,
              _pixels, _of_pixels, _squares, overlaps=True),
    # with fewer channels the sums cost more than they save
    Algorithm('winograd_4x4', 4, 2, '9 of 16',
              lambda s: s.divides(4) and s.inputs >= 16, _cells, _of_cells, _tiles),
    Algorithm('patches_4x4', 4, 2, '16 of 16',
              lambda s: s.divides(2) and s.inputs < 16, _patches, _by_columns, _rows),
)
# fmt: on
_PLAIN = contextvars.ContextVar('plain', default=False)


@contextlib.contextmanager
def plain():
    """Within it, convolutions are traced as XLA's own: for export, where the number of
    images or the machine is not known yet. What was traced before stays as it is."""
    token = _PLAIN.set(True)
    try:
        yield
    finally:
        _PLAIN.reset(token)


def algorithm(shape: Shape, kernel, strides, dtype) -> Algorithm | None:
    """The first that fits; None: XLA's own, as for other numbers than float32, whose
    sums around the products would be rounded, and on other machines than a CPU."""
    if _PLAIN.get() or dtype != jnp.float32 or jax.default_backend() != 'cpu':
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


def _each(function, x, chosen):
    """A function of images, of a few of them at a time."""
    y = lax.map(function, _groups(x, chosen.group))
    return y.reshape(-1, *y.shape[2:])


def _transposed(linear, shape, parts):
    """The transpose of a linear function of an array of `shape`, at `parts`."""
    of = jax.ShapeDtypeStruct(shape, parts[0].dtype)
    return jax.linear_transpose(linear, of)(parts)[0]


def _gram(s, d):
    """s^T d, by turning the narrower one round (XLA would turn the larger)."""
    if s.shape[1] <= d.shape[1]:
        return lax.optimization_barrier(s.T) @ d
    return lax.optimization_barrier(lax.optimization_barrier(d.T) @ s).T


def _turned(k):
    """Kernel [kh, kw, I, O] -> [kh, kw, O, I], by half a turn."""
    return jnp.flip(k, (0, 1)).swapaxes(2, 3)


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def conv(x, k, strides):
    """C: images [B, H, W, I], kernel [kh, kw, I, O] -> [B, H/sh, W/sw, O]."""
    _, h, w, _ = x.shape
    chosen = algorithm(Shape(h, w, *k.shape[2:]), k.shape[:2], strides, x.dtype)
    if not chosen:
        return _convolve(x, k, strides)
    lifted = chosen.lift(k)

    def some(x):
        parts = [d @ g for d, g in zip(chosen.spread(x), lifted, strict=True)]
        out = x.shape[0], h // strides[0], w // strides[1], k.shape[-1]
        return _transposed(chosen.scatter, out, parts)

    return _each(some, x, chosen)


@partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def conv_image(y, k, strides, shape):
    """T: y [B, H/sh, W/sw, O], kernel [kh, kw, I, O] -> images [B, *shape, I]."""
    out = (y.shape[0], *shape, k.shape[2])
    chosen = algorithm(Shape(*shape, *k.shape[2:]), k.shape[:2], strides, y.dtype)
    if not chosen:
        x = jax.ShapeDtypeStruct(out, y.dtype)
        return jax.linear_transpose(lambda x: _convolve(x, k, strides), x)(y)[0]
    if chosen.overlaps:
        return conv(y, _turned(k), strides)
    lifted = [g.T for g in chosen.lift(k)]

    def some(y):
        parts = [d @ g for d, g in zip(chosen.scatter(y), lifted, strict=True)]
        return _transposed(chosen.spread, (y.shape[0], *out[1:]), parts)

    return _each(some, y, chosen)


@partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def conv_kernel(x, y, strides, size):
    """W: images [B, H, W, I], y [B, H/sh, W/sw, O] -> kernel [*size, I, O]."""
    out = (*size, x.shape[-1], y.shape[-1])
    chosen = algorithm(Shape(*x.shape[1:], y.shape[3]), size, strides, x.dtype)
    if not chosen:
        k = jax.ShapeDtypeStruct(out, x.dtype)
        return jax.linear_transpose(lambda k: _convolve(x, k, strides), k)(y)[0]

    def some(x, y):
        return [
            _gram(s, d)
            for s, d in zip(chosen.spread(x), chosen.scatter(y), strict=True)
        ]

    # or the sums of the groups' kernels would take as long as their products
    xs = _groups(x, max(chosen.group, 2 * math.prod(out)))
    ys = y.reshape(*xs.shape[:2], *y.shape[1:])
    first = [jnp.zeros(d.shape, d.dtype) for d in jax.eval_shape(some, xs[0], ys[0])]
    parts, _ = lax.scan(
        lambda sums, xy: ([a + b for a, b in zip(sums, some(*xy), strict=True)], None),
        first,
        (xs, ys),
    )
    return _transposed(chosen.lift, out, parts)


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


class _Layer(nn.Module):
    features: int
    kernel_size: Sequence[int]
    strides: Sequence[int] = (1, 1)
    use_bias: bool = True
    kernel_init: nn.initializers.Initializer = nn.initializers.lecun_normal()
    bias_init: nn.initializers.Initializer = nn.initializers.zeros_init()
    dtype: Any = None  # of the computation; parameters are float32
    spectral: bool = False  # the kernel over its largest singular value,
    train: bool = False  # of which training takes one power iteration a call
    eps: float = 1e-12

    @nn.compact
    def __call__(self, x):
        shape = (*self.kernel_size, x.shape[-1], self.features)
        k = self.param('kernel', self.kernel_init, shape)
        if self.spectral:
            k = normalised(self, k, self.train, self.eps)
        x, k = promote_dtype(x, k, dtype=self.dtype)
        y = self.function(x, k, tuple(self.strides))
        if self.use_bias:
            bias = self.param('bias', self.bias_init, (self.features,))
            y = y + bias.astype(y.dtype)
        return y


class Conv(_Layer):
    """`nn.Conv` with 'SAME' padding: [B, H, W, I] -> [B, H/s, W/s, features]."""

    function = staticmethod(conv)


class ConvTranspose(_Layer):
    """`nn.ConvTranspose` with 'SAME' padding: [B, H, W, I] -> [B, sH, sW, features]."""

    function = staticmethod(conv_transpose)


class ConvPool(_Layer):
    """3x3 convolution, then means over 2x2: [B, H, W, I] -> [B, H/2, W/2, features]."""

    kernel_size: Sequence[int] = (3, 3)
    function = staticmethod(conv_pool)


class UpConv(_Layer):
    """Each pixel 2x2, then 3x3 convolution: [B, H, W, I] -> [B, 2H, 2W, features]."""

    kernel_size: Sequence[int] = (3, 3)
    function = staticmethod(up_conv)


class Dense(_Layer):
    """`nn.Dense`: [..., I] -> [..., features]."""

    kernel_size: Sequence[int] = ()
    function = staticmethod(lambda x, k, _: x @ k)


class Embed(nn.Module):
    """A vector for each class: label int [B] -> [B, features], float32."""

    classes: int
    features: int
    kernel_init: nn.initializers.Initializer
    spectral: bool = False
    train: bool = False
    eps: float = 1e-12

    @nn.compact
    def __call__(self, label):
        shape = self.classes, self.features
        vectors = self.param('embedding', self.kernel_init, shape)
        if self.spectral:
            vectors = normalised(self, vectors, self.train, self.eps)
        return vectors[label]
