"""Layers with styles: what a vector w does to the features of an image.

    w = f(z / |z| [, e(y) / |e(y)|])                            dense layers
    x <- leaky(d_o conv(s_i x) + n + b),    s = A w,    n = strength x noise
    d_o = 1 / sqrt(sum_ik (W_oik s_i)^2)                        demodulation

|.| is the root mean square. Scaling what a convolution takes and gives is the same as a
kernel of its own for each image, and needs none. Karras et al. 2019, arXiv:1912.04958.
"""

import math
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax

from gan_vae.models import convolutions, equalised, resampling
from gan_vae.models.equalised import NORMAL, leaky

SLOW = 0.01  # learning rate of the mapping, over that of other layers


def unit(x):
    """Rows of x [B, D] over their root mean square."""
    return x * lax.rsqrt(jnp.mean(jnp.square(x), axis=-1, keepdims=True) + 1e-8)


def modulated(x, k, style, convolve):
    """convolve(x, k') for each image by a kernel of its own, k' = s_i k over its norm.

    x [B, H, W, I], k [3, 3, I, O], style s [B, I]; `convolve`: (x, k) -> [B, ..., O].
    """
    y = convolve(x * style[:, None, None].astype(x.dtype), k.astype(x.dtype))
    parts = jnp.square(style), jnp.sum(jnp.square(k), axis=(0, 1))
    squares = jnp.matmul(*(a.astype(x.dtype) for a in parts)).astype(jnp.float32)
    return y * lax.rsqrt(squares + 1e-8)[:, None, None].astype(y.dtype)


class Mapping(nn.Module):
    """z [B, D] or None, class int [B] or None -> [B, size]: `layers` dense layers."""

    size: int
    layers: int
    classes: int = 0
    dtype: Any = None

    @nn.compact
    def __call__(self, z, label):
        dense = partial(equalised.Dense, self.size, dtype=self.dtype)
        parts = [] if z is None else [unit(z)]
        if self.classes:
            one_hot = jax.nn.one_hot(label, self.classes)
            parts.append(unit(dense(name='class')(one_hot)))
        x = jnp.concatenate(parts, axis=-1)
        for _ in range(self.layers):
            x = leaky(dense(SLOW)(x))
        return x


def _style(x, w):
    """A w + b [B, I] for x [B, H, W, I], within a layer: factors that start at 1."""
    return equalised.Dense(x.shape[-1], bias=1.0, dtype=x.dtype, name='style')(w)


class StyledConv(nn.Module):
    """x [B, H, W, I], w [B, D], noise [B or 1, H', W', 1] -> [B, H', W', features]."""

    features: int
    up: bool

    @nn.compact
    def __call__(self, x, w, noise):
        style = _style(x, w)
        k = self.param('kernel', NORMAL, (3, 3, x.shape[-1], self.features))
        strength = self.param('noise', nn.initializers.zeros, ())
        b = self.param('bias', nn.initializers.zeros, (self.features,))
        x = modulated(x, k, style, resampling.up_conv if self.up else _conv)
        return leaky(x + (strength * noise + b).astype(x.dtype))


def _conv(x, k):
    return convolutions.conv(x, k, (1, 1))


class ToRGB(nn.Module):
    """x [B, H, W, I], w [B, D] -> [B, H, W, channels], float32."""

    channels: int

    @nn.compact
    def __call__(self, x, w):
        inputs = x.shape[-1]
        style = _style(x, w) / math.sqrt(inputs)
        k = self.param('kernel', NORMAL, (inputs, self.channels))
        b = self.param('bias', nn.initializers.zeros, (self.channels,))
        parts = x, style.astype(x.dtype), k.astype(x.dtype)
        return jnp.einsum('bhwi,bi,io->bhwo', *parts).astype(jnp.float32) + b
