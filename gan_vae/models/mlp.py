"""Fully connected networks for small images: the first GAN's and the first VAE's.

Goodfellow et al. 2014, arXiv:1406.2661; Kingma & Welling 2013, arXiv:1312.6114.
"""

import jax
import jax.numpy as jnp
from flax import linen as nn

from gan_vae.training.state import example_indices, keys_of


class Dropout(nn.Module):
    """Zeros units with probability `rate` in training, each example by its own key."""

    rate: float
    axis_name: str | None = None

    @nn.compact
    def __call__(self, x, train: bool):
        if not train or self.rate == 0:
            return x
        keys = keys_of(
            self.make_rng('dropout'), example_indices(len(x), self.axis_name)
        )
        keep = jax.vmap(lambda k: jax.random.bernoulli(k, 1 - self.rate, x.shape[1:]))(
            keys
        )
        return jnp.where(keep, x / (1 - self.rate), 0)


class Generator(nn.Module):
    """z [B, D] -> hidden layers of width, 2 width, 4 width -> images in [-1, 1]."""

    image_size: int = 28
    channels: int = 1
    width: int = 256

    @nn.compact
    def __call__(self, z, train: bool = False):
        x = z
        for scale in (1, 2, 4):
            x = nn.leaky_relu(nn.Dense(scale * self.width)(x), 0.2)
        x = nn.tanh(nn.Dense(self.image_size**2 * self.channels)(x))
        return x.reshape(-1, self.image_size, self.image_size, self.channels)


class Discriminator(nn.Module):
    """images -> hidden layers of 4, 2, 1 width, with dropout -> logits [B]."""

    width: int = 256
    dropout: float = 0.0
    axis_name: str | None = None

    @nn.compact
    def __call__(self, x, train: bool = False):
        x = x.reshape(x.shape[0], -1)
        for scale in (4, 2, 1):
            x = nn.leaky_relu(nn.Dense(scale * self.width)(x), 0.2)
            x = Dropout(self.dropout, self.axis_name)(x, train)
        return nn.Dense(1)(x)[:, 0]


class Encoder(nn.Module):
    """images -> one hidden layer -> posterior mean, log variance, each [B, D]."""

    latent_dim: int = 20
    width: int = 500

    @nn.compact
    def __call__(self, x):
        x = nn.relu(nn.Dense(self.width)(x.reshape(x.shape[0], -1)))
        return nn.Dense(self.latent_dim)(x), nn.Dense(self.latent_dim)(x)


class Decoder(nn.Module):
    """z [B, D] -> one hidden layer -> what the likelihood needs, [B, S, S, outputs]."""

    outputs: int = 1
    image_size: int = 28
    width: int = 500

    @nn.compact
    def __call__(self, z):
        x = nn.relu(nn.Dense(self.width)(z))
        x = nn.Dense(self.image_size**2 * self.outputs)(x)
        return x.reshape(-1, self.image_size, self.image_size, self.outputs)
