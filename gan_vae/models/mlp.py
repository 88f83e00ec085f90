"""Fully connected networks for small images: the first GAN's and the first VAE's.

Goodfellow et al. 2014, arXiv:1406.2661; Kingma & Welling 2013, arXiv:1312.6114.
"""

from typing import Any

import jax.numpy as jnp
from flax import linen as nn

from gan_vae.keys import keys_of
from gan_vae.models import layers

NETWORKS = {
    'generator': {'mlp': ('Generator', {})},
    'discriminator': {'mlp': ('Discriminator', {})},
    'code_discriminator': {'mlp': ('CodeDiscriminator', {})},
    'encoder': {
        'iwae': ('DeepEncoder', {}),
        'linear': ('LinearEncoder', {}),
        'mlp': ('Encoder', {}),
    },
    'decoder': {
        'iwae': ('DeepDecoder', {}),
        'linear': ('LinearDecoder', {}),
        'mlp': ('Decoder', {}),
    },
    'hierarchy': {'stack': ('Stack', {})},
}


class Dropout(nn.Module):
    """Zeros units with probability `rate` in training, each example by its own key."""

    rate: float

    @nn.compact
    def __call__(self, x, train: bool, indices):
        if not train or self.rate == 0:
            return x
        keys = keys_of(self.make_rng('dropout'), indices)
        return layers.dropped(x, keys, self.rate)


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


class LinearEncoder(nn.Module):
    """images -> posterior mean, linear in x, and log variance, the same for all x.

    With LinearDecoder and a Gaussian likelihood the VAE is probabilistic PCA: Lucas et
    al. 2019, arXiv:1911.02469.
    """

    latent_dim: int = 20
    dtype: Any = None

    @nn.compact
    def __call__(self, x):
        mean = nn.Dense(self.latent_dim, dtype=self.dtype)(x.reshape(x.shape[0], -1))
        init = nn.initializers.zeros_init()
        log_variance = self.param('log_variance', init, (self.latent_dim,))
        mean = mean.astype(jnp.float32)
        return mean, jnp.broadcast_to(log_variance, mean.shape)


class LinearDecoder(nn.Module):
    """z [B, D] -> what the likelihood needs, linear in z, [B, S, S, outputs]."""

    outputs: int = 1
    image_size: int = 28
    dtype: Any = None

    @nn.compact
    def __call__(self, z):
        x = nn.Dense(self.image_size**2 * self.outputs, dtype=self.dtype)(z)
        x = x.reshape(-1, self.image_size, self.image_size, self.outputs)
        return x.astype(jnp.float32)


class DeepGaussian(nn.Module):
    """h [..., I] -> two tanh layers -> mean, log variance, each [..., D].

    Burda et al. 2016, arXiv:1509.00519: width 200, D 50, Glorot's uniform weights.
    """

    latent_dim: int = 50
    width: int = 200
    dtype: Any = None

    @nn.compact
    def __call__(self, x):
        x = _deep(x, self.width, self.dtype)
        heads = [_glorot(self.latent_dim, self.dtype)(x) for _ in range(2)]
        return tuple(head.astype(jnp.float32) for head in heads)


class DeepEncoder(DeepGaussian):
    """images -> DeepGaussian -> posterior mean, log variance, each [B, D].

    As theirs, of pixels from 0 to 1: with a background of -1 it learns far slower.
    """

    def __call__(self, x):
        return super().__call__((x.reshape(x.shape[0], -1) + 1) / 2)


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


class Stack(nn.Module):
    """Layers of latents, z_1 next to the pixels, each a Gaussian given its neighbour.

    `layers`: (width of its networks, latents) of each, from the pixels.
    """

    layers: tuple = ((200, 100), (100, 50))
    outputs: int = 1
    image_size: int = 28
    dtype: Any = None

    def setup(self):
        (width, first), *above = self.layers
        self.encoder = DeepEncoder(first, width, self.dtype)
        self.decoder = DeepDecoder(self.outputs, self.image_size, width, self.dtype)
        self.up = [DeepGaussian(units, w, self.dtype) for w, units in above]
        self.down = [
            DeepGaussian(below, w, self.dtype)
            for (w, _), (_, below) in zip(above, self.layers, strict=False)
        ]

    def infer(self, number: int, below):
        """q(z_l | z_{l-1}), l = number + 1, of z_0 = images [B, H, W, C]."""
        return self.up[number - 1](below) if number else self.encoder(below)

    def generate(self, number: int, above):
        """p(z_l | z_{l+1}), l = number + 1."""
        return self.down[number](above)

    def out(self, z):
        """What the likelihood takes [N, S, S, outputs] of z_1 [N, D]."""
        return self.decoder(z)

    def __call__(self, images):
        """What `out` gives where every z is the mean of its Gaussian."""
        z = images
        for number in range(len(self.layers)):
            z = self.infer(number, z)[0]
        for number in reversed(range(len(self.layers) - 1)):
            z = self.generate(number, z)[0]
        return self.out(z)


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
