"""Fully connected networks for small images: the first GAN's and the first VAE's.

Goodfellow et al. 2014, arXiv:1406.2661; Kingma & Welling 2013, arXiv:1312.6114.
"""

from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn

from gan_vae.training.state import keys_of


class Dropout(nn.Module):
    """Zeros units with probability `rate` in training, each example by its own key."""

    rate: float

    @nn.compact
    def __call__(self, x, train: bool, indices):
        if not train or self.rate == 0:
            return x
        keys = keys_of(self.make_rng('dropout'), indices)
        keep = jax.vmap(lambda k: jax.random.bernoulli(k, 1 - self.rate, x.shape[1:]))(
            keys
        )
        return jnp.where(keep, x / (1 - self.rate), 0)


class Generator(nn.Module):
    """z [B, D] -> hidden layers of width, 2 width, 4 width -> images in [-1, 1]."""

    image_size: int = 28
    channels: int = 1
    width: int = 256
    dtype: Any = None

    @nn.compact
    def __call__(self, z, train: bool = False):
        x = z
        for scale in (1, 2, 4):
            x = nn.leaky_relu(nn.Dense(scale * self.width, dtype=self.dtype)(x), 0.2)
        x = nn.Dense(self.image_size**2 * self.channels, dtype=self.dtype)(x)
        x = nn.tanh(x.astype(jnp.float32))
        return x.reshape(-1, self.image_size, self.image_size, self.channels)


class Discriminator(nn.Module):
    """images -> hidden layers of 4, 2, 1 width, with dropout -> logits [B].

    `indices` [B]: the examples' places in the global batch, for dropout in training.
    """

    width: int = 256
    dropout: float = 0.0
    dtype: Any = None

    @nn.compact
    def __call__(self, x, train: bool = False, indices=None):
        x = x.reshape(x.shape[0], -1)
        for scale in (4, 2, 1):
            x = nn.leaky_relu(nn.Dense(scale * self.width, dtype=self.dtype)(x), 0.2)
            x = Dropout(self.dropout)(x, train, indices)
        return nn.Dense(1, dtype=self.dtype)(x)[:, 0].astype(jnp.float32)


class Encoder(nn.Module):
    """images -> one hidden layer -> posterior mean, log variance, each [B, D]."""

    latent_dim: int = 20
    width: int = 500
    dtype: Any = None

    @nn.compact
    def __call__(self, x):
        x = x.reshape(x.shape[0], -1)
        x = nn.relu(nn.Dense(self.width, dtype=self.dtype)(x))
        heads = [nn.Dense(self.latent_dim, dtype=self.dtype)(x) for _ in range(2)]
        return tuple(head.astype(jnp.float32) for head in heads)


class Decoder(nn.Module):
    """z [B, D] -> one hidden layer -> what the likelihood needs, [B, S, S, outputs]."""

    outputs: int = 1
    image_size: int = 28
    width: int = 500
    dtype: Any = None

    @nn.compact
    def __call__(self, z):
        x = nn.relu(nn.Dense(self.width, dtype=self.dtype)(z))
        x = nn.Dense(self.image_size**2 * self.outputs, dtype=self.dtype)(x)
        x = x.reshape(-1, self.image_size, self.image_size, self.outputs)
        return x.astype(jnp.float32)


class DeepEncoder(nn.Module):
    """images -> two tanh layers -> posterior mean, log variance, each [B, D].

    Burda et al. 2016, arXiv:1509.00519: width 200, D 50, Glorot's uniform weights. As
    there, pixels are from 0 to 1: with a background of -1 it learns far slower.
    """

    latent_dim: int = 50
    width: int = 200
    dtype: Any = None

    @nn.compact
    def __call__(self, x):
        x = (x.reshape(x.shape[0], -1) + 1) / 2
        x = _deep(x, self.width, self.dtype)
        heads = [_glorot(self.latent_dim, self.dtype)(x) for _ in range(2)]
        return tuple(head.astype(jnp.float32) for head in heads)


class DeepDecoder(nn.Module):
    """z [B, D] -> two tanh layers -> what the likelihood needs, [B, S, S, outputs]."""

    outputs: int = 1
    image_size: int = 28
    width: int = 200
    dtype: Any = None

    @nn.compact
    def __call__(self, z):
        x = _deep(z, self.width, self.dtype)
        x = _glorot(self.image_size**2 * self.outputs, self.dtype)(x)
        x = x.reshape(-1, self.image_size, self.image_size, self.outputs)
        return x.astype(jnp.float32)


def _glorot(features, dtype):
    init = nn.initializers.glorot_uniform()
    return nn.Dense(features, kernel_init=init, dtype=dtype)


def _deep(x, width, dtype):
    for _ in range(2):
        x = jnp.tanh(_glorot(width, dtype)(x))
    return x


class CodeDiscriminator(nn.Module):
    """z [B, D] -> six hidden layers -> logits [B]: FactorVAE's.

    Kim & Mnih 2018, arXiv:1802.05983, appendix.
    """

    width: int = 1000
    dtype: Any = None

    @nn.compact
    def __call__(self, z):
        for _ in range(6):
            z = nn.leaky_relu(nn.Dense(self.width, dtype=self.dtype)(z), 0.2)
        return nn.Dense(1, dtype=self.dtype)(z)[:, 0].astype(jnp.float32)
