"""Convolutions whose gradients run as matrix products where XLA:CPU's are slow.

Write C for the strided convolution, T for its transpose in the image and W for its
transpose in the kernel. All three are bilinear, and with <., .> the inner product

    <y, C(x, k)> = <T(y, k), x> = <W(x, y), k>,

so each one's gradients are the other two, to any order:

    d C(x, k): dx = T(dy, k),  dk = W(x, dy)
    d T(y, k): dy = C(dx, k),  dk = W(dx, y)
    d W(x, y): dx = T(y, dk),  dy = C(x, dk).

A transposed convolution is T with the kernel turned round. On a CPU, T is one matrix
product and an overlapped sum, W one product per kernel tap; elsewhere, and for shapes
not covered, they are the plain `lax` convolutions.
"""

import os
from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax

MODE = os.environ.get('MODE', 'bar')
DIMENSIONS = ('NHWC', 'HWIO', 'NHWC')


def _pads(shape, kernel, strides):
    """'SAME' padding [(low, high)] * 2 of images of shape [H, W]."""
    return lax.padtype_to_pads(shape, kernel, strides, 'SAME')


def _lax_conv(x, k, strides):
    return lax.conv_general_dilated(x, k, strides, 'SAME', dimension_numbers=DIMENSIONS)


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def conv(x, k, strides):
    """C: images [B, H, W, I], kernel [kh, kw, I, O] -> [B, H/s, W/s, O]."""
    return _lax_conv(x, k, strides)


@partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def conv_image(y, k, strides, shape):
    """T: y [B, H/s, W/s, O], kernel [kh, kw, I, O] -> images [B, H, W, I]."""
    (kh, kw, i, o), (sh, sw), (b, h, w, _) = k.shape, strides, y.shape
    if max(strides) == 1 or kh % sh or kw % sw or (h * sh, w * sw) != shape:
        x = jax.ShapeDtypeStruct((b, *shape, i), y.dtype)
        return jax.linear_transpose(lambda x: _lax_conv(x, k, strides), x)(y)[0]
    # Tap (p s + a, q s + b) of y[u, v] adds to padded pixel ((u + p) s + a, (v + q) s + b).
    n, m = kh // sh, kw // sw
    k = k.reshape(n, sh, m, sw, i, o).transpose(0, 2, 1, 3, 4, 5).reshape(-1, o)
    z = jnp.einsum('buvo,ko->buvk', y, k).reshape(b, h, w, n, m, sh * sw * i)
    z = sum(
        jnp.pad(z[:, :, :, p, q], ((0, 0), (p, n - 1 - p), (q, m - 1 - q), (0, 0)))
        for p in range(n)
        for q in range(m)
    )
    h, w = h + n - 1, w + m - 1
    z = z.reshape(b, h, w, sh, sw, i).transpose(0, 1, 3, 2, 4, 5)
    z = z.reshape(b, h * sh, w * sw, i)
    (top, _), (left, _) = _pads(shape, (kh, kw), strides)
    return z[:, top : top + shape[0], left : left + shape[1]]


@partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def conv_kernel(x, y, strides, size):
    """W: images [B, H, W, I], y [B, H/s, W/s, O] -> kernel [kh, kw, I, O]."""
    (b, h, w, o), (kh, kw), (sh, sw), i = y.shape, size, strides, x.shape[-1]
    x0 = x
    x = jnp.pad(x, ((0, 0), *_pads(x.shape[1:3], size, strides), (0, 0)))
    taps = [
        lax.slice(
            x,
            (0, p, q, 0),
            (b, p + (h - 1) * sh + 1, q + (w - 1) * sw + 1, i),
            (1, sh, sw, 1),
        ).reshape(-1, i)
        for p in range(kh)
        for q in range(kw)
    ]
    # A product per tap wants y turned round once; an image's few channels, one product.
    if i < 16:
        k = jnp.concatenate(taps, 1).T @ y.reshape(-1, o)
    elif MODE == 'bar':
        y = lax.optimization_barrier(y.reshape(-1, o).T)
        k = jnp.stack([lax.optimization_barrier(y @ t).T for t in taps])
    elif MODE == 'lax':
        return jax.linear_transpose(
            lambda k: _lax_conv(x0, k, strides),
            jax.ShapeDtypeStruct((kh, kw, i, o), y.dtype),
        )(y)[0]
    else:
        k = jnp.stack([t.T @ y.reshape(-1, o) for t in taps])
    return k.reshape(kh, kw, i, o)


def _image(x, strides, y, k):
    return conv_image(y, k, strides, x.shape[1:3])


def _conv_bwd(strides, saved, dy):
    x, k = saved
    return _image(x, strides, dy, k), conv_kernel(x, dy, strides, k.shape[:2])


def _image_bwd(strides, shape, saved, dx):
    y, k = saved
    return conv(dx, k, strides), conv_kernel(dx, y, strides, k.shape[:2])


def _kernel_bwd(strides, size, saved, dk):
    x, y = saved
    return _image(x, strides, y, dk), conv(x, dk, strides)


conv.defvjp(lambda x, k, s: (conv(x, k, s), (x, k)), _conv_bwd)
conv_image.defvjp(lambda y, k, s, n: (conv_image(y, k, s, n), (y, k)), _image_bwd)
conv_kernel.defvjp(lambda x, y, s, n: (conv_kernel(x, y, s, n), (x, y)), _kernel_bwd)


def conv_transpose(x, k, strides):
    """As `lax.conv_transpose`: x [B, H, W, I], kernel [kh, kw, I, O] -> [B, sH, sW, O]."""
    shape = x.shape[1] * strides[0], x.shape[2] * strides[1]
    return conv_image(x, jnp.flip(k, (0, 1)).swapaxes(2, 3), strides, shape)


class _Layer(nn.Module):
    features: int
    kernel_size: Sequence[int]
    strides: int | Sequence[int] = 1
    use_bias: bool = True
    kernel_init: nn.initializers.Initializer = nn.initializers.lecun_normal()
    bias_init: nn.initializers.Initializer = nn.initializers.zeros

    @nn.compact
    def __call__(self, x):
        strides = (
            (self.strides,) * 2
            if isinstance(self.strides, int)
            else tuple(self.strides)
        )
        shape = (*self.kernel_size, x.shape[-1], self.features)
        k = self.param('kernel', self.kernel_init, shape)
        y = self.op(x, k, strides)
        if self.use_bias:
            y = y + self.param('bias', self.bias_init, (self.features,))
        return y


class Conv(_Layer):
    op = staticmethod(conv)


class ConvTranspose(_Layer):
    op = staticmethod(conv_transpose)


BatchNorm = nn.BatchNorm
GroupNorm = nn.GroupNorm
