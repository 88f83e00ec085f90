"""Convolutions whose gradients are matrix products where XLA:CPU's own are slow.

Write C for the strided convolution, T for its transpose in the image and W for its
transpose in the kernel. All three are bilinear, and with <., .> the inner product

    <y, C(x, k)> = <T(y, k), x> = <W(x, y), k>,

so the gradients of each are the other two, to any order:

    C(x, k): dx = T(dy, k),  dk = W(x, dy)
    T(y, k): dy = C(dx, k),  dk = W(dx, y)
    W(x, y): dx = T(y, dk),  dy = C(x, dk).

A transposed convolution is T with its kernel turned round. Strided, and on a CPU, T is
one matrix product and an overlapping sum, and W one product for each tap of the kernel;
everywhere else all three are the plain `lax` convolution and its transposes. Left to
itself, XLA:CPU takes 15 to 30 times longer over W of a transposed convolution.

`Conv` and `ConvTranspose` have the parameters, initial values and results of flax's.
Forward-mode derivatives (`jax.jvp`) are not defined.
"""

from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax


def _convolve(x, k, strides):
    dimensions = ('NHWC', 'HWIO', 'NHWC')
    return lax.conv_general_dilated(x, k, strides, 'SAME', dimension_numbers=dimensions)


def _by_products(strides):
    return max(strides) > 1 and jax.default_backend() == 'cpu'


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def conv(x, k, strides):
    """C: images [B, H, W, I], kernel [kh, kw, I, O] -> [B, H/sh, W/sw, O]."""
    return _convolve(x, k, strides)


@partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def conv_image(y, k, strides, shape):
    """T: y [B, H/sh, W/sw, O], kernel [kh, kw, I, O] -> images [B, *shape, I]."""
    (b, h, w, _), (kh, kw, i, o), (sh, sw) = y.shape, k.shape, strides
    if not _by_products(strides) or kh % sh or kw % sw or shape != (h * sh, w * sw):
        x = jax.ShapeDtypeStruct((b, *shape, i), y.dtype)
        return jax.linear_transpose(lambda x: _convolve(x, k, strides), x)(y)[0]
    # Tap (p sh + c, q sw + d) takes y[u, v] to the padded image's pixel
    # ((u + p) sh + c, (v + q) sw + d): sum over (p, q) with (c, d) held as channels,
    # then unfold those to pixels.
    n, m = kh // sh, kw // sw
    k = k.reshape(n, sh, m, sw, i, o).transpose(0, 2, 1, 3, 4, 5).reshape(-1, o)
    z = (y.reshape(-1, o) @ k.T).reshape(b, h, w, n, m, sh * sw * i)
    z = sum(
        jnp.pad(z[:, :, :, p, q], ((0, 0), (p, n - 1 - p), (q, m - 1 - q), (0, 0)))
        for p in range(n)
        for q in range(m)
    )
    h, w = h + n - 1, w + m - 1
    z = z.reshape(b, h, w, sh, sw, i).transpose(0, 1, 3, 2, 4, 5)
    z = z.reshape(b, h * sh, w * sw, i)
    (top, _), (left, _) = lax.padtype_to_pads(shape, (kh, kw), strides, 'SAME')
    return z[:, top : top + shape[0], left : left + shape[1]]


@partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def conv_kernel(x, y, strides, size):
    """W: images [B, H, W, I], y [B, H/sh, W/sw, O] -> kernel [*size, I, O]."""
    (_, h, w, o), (kh, kw), (sh, sw), i = y.shape, size, strides, x.shape[-1]
    if not _by_products(strides):
        k = jax.ShapeDtypeStruct((kh, kw, i, o), x.dtype)
        return jax.linear_transpose(lambda k: _convolve(x, k, strides), k)(y)[0]
    x = jnp.pad(
        x, ((0, 0), *lax.padtype_to_pads(x.shape[1:3], size, strides, 'SAME'), (0, 0))
    )
    ends = (h - 1) * sh + 1, (w - 1) * sw + 1
    taps = [
        x[:, p : p + ends[0] : sh, q : q + ends[1] : sw].reshape(-1, i)
        for p in range(kh)
        for q in range(kw)
    ]
    y = y.reshape(-1, o)
    if i < 16:  # an image's few channels make too thin a product
        k = jnp.concatenate(taps, 1).T @ y
    else:  # XLA would turn each tap round, where turning y once serves them all
        y = lax.optimization_barrier(y.T)
        k = jnp.stack([lax.optimization_barrier(y @ tap).T for tap in taps])
    return k.reshape(kh, kw, i, o)


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
    return conv_image(x, jnp.flip(k, (0, 1)).swapaxes(2, 3), strides, shape)


def _varying(x):
    """The mesh axes that x varies over (jax renames the attribute from 0.10 on)."""
    kind = jax.typeof(x)
    return kind.mat.varying if hasattr(kind, 'mat') else kind.vma


class _Layer(nn.Module):
    features: int
    kernel_size: Sequence[int]
    strides: int | Sequence[int] = 1
    use_bias: bool = True
    kernel_init: nn.initializers.Initializer = nn.initializers.lecun_normal()
    bias_init: nn.initializers.Initializer = nn.initializers.zeros_init()

    @nn.compact
    def __call__(self, x):
        shape = (*self.kernel_size, x.shape[-1], self.features)
        k = self.param('kernel', self.kernel_init, shape)
        # Inside shard_map, parameters are alike on all devices and images are not. Said
        # here, the sum of the kernel's gradient over devices is left to `pcast`.
        if axes := tuple(_varying(x) - _varying(k)):
            k = lax.pcast(k, axes, to='varying')
        s = self.strides
        y = self.function(x, k, (s, s) if isinstance(s, int) else tuple(s))
        if self.use_bias:
            y = y + self.param('bias', self.bias_init, (self.features,))
        return y


class Conv(_Layer):
    """`nn.Conv` with 'SAME' padding: [B, H, W, I] -> [B, H/s, W/s, features]."""

    function = staticmethod(conv)


class ConvTranspose(_Layer):
    """`nn.ConvTranspose` with 'SAME' padding: [B, H, W, I] -> [B, sH, sW, features]."""

    function = staticmethod(conv_transpose)
