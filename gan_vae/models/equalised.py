"""Layers whose weights all learn at one rate, whatever their scale.

    y = m (g x W + b),   W ~ N(0, 1) / m,   g = 1 / sqrt(inputs of an output)

An optimiser that moves each weight by its learning rate (Adam) so moves what is used by
m g times that: `multiplier` m is of the learning rate. Karras et al. 2017,
arXiv:1710.10196, section 4.1; m of Karras et al. 2018, arXiv:1812.04948.
"""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn

from gan_vae.models import convolutions

NORMAL = nn.initializers.normal(1.0)


def leaky(x):
    """max(x, 0.2 x) sqrt(2), which keeps the square of N(0, 1) near 1."""
    return jax.nn.leaky_relu(x, 0.2) * math.sqrt(2)


class Dense(nn.Module):
    """[B, I] -> [B, features], float32."""

    features: int
    multiplier: float = 1.0
    bias: float = 0.0  # at the start
    dtype: Any = None  # of the product

    @nn.compact
    def __call__(self, x):
        m = self.multiplier
        inputs = x.shape[-1]
        w = self.param('kernel', nn.initializers.normal(1 / m), (inputs, self.features))
        start = nn.initializers.constant(self.bias / m)
        b = self.param('bias', start, (self.features,))
        dtype = self.dtype or jnp.float32
        y = (x.astype(dtype) @ w.astype(dtype)).astype(jnp.float32)
        return y * (m / math.sqrt(inputs)) + m * b


class Conv(nn.Module):
    """[B, H, W, I] -> [B, H', W', features]; `function`: (images, kernel) -> images."""

    features: int
    size: int = 3
    use_bias: bool = True
    function: Callable = lambda x, k: convolutions.product_or_conv(x, k, (1, 1))
    dtype: Any = None

    @nn.compact
    def __call__(self, x):
        shape = self.size, self.size, x.shape[-1], self.features
        k = self.param('kernel', NORMAL, shape) / math.sqrt(math.prod(shape[:3]))
        dtype = self.dtype or jnp.float32
        y = self.function(x.astype(dtype), k.astype(dtype))
        if self.use_bias:
            b = self.param('bias', nn.initializers.zeros, (self.features,))
            y = y + b.astype(dtype)
        return y
