"""Layers with the parameters of Flax's own, of the convolutions of convolutions.py."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax.linen.dtypes import promote_dtype

from gan_vae.models import convolutions
from gan_vae.models.spectral import normalised


def dropped(x, keys, rate: float):
    """Dropout of x [B, ...]: units are zeros with probability `rate`, and the others
    over 1 - rate, each example by its own key of keys [B]; x where they are None.
    Srivastava et al. 2014."""
    if keys is None or not rate:
        return x
    kept = jax.vmap(lambda key: jax.random.bernoulli(key, 1 - rate, x.shape[1:]))(keys)
    return jnp.where(kept, x / (1 - rate), 0)


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

    function = staticmethod(convolutions.product_or_conv)


class ConvTranspose(_Layer):
    """`nn.ConvTranspose` with 'SAME' padding: [B, H, W, I] -> [B, sH, sW, features]."""

    function = staticmethod(convolutions.conv_transpose)


class ConvPool(_Layer):
    """3x3 convolution, then means over 2x2: [B, H, W, I] -> [B, H/2, W/2, features]."""

    kernel_size: Sequence[int] = (3, 3)
    function = staticmethod(convolutions.conv_pool)


class UpConv(_Layer):
    """Each pixel 2x2, then 3x3 convolution: [B, H, W, I] -> [B, 2H, 2W, features]."""

    kernel_size: Sequence[int] = (3, 3)
    function = staticmethod(convolutions.up_conv)


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
