"""Convolutional VAE: strided 4x4 convolutions down to 4 px, transposed ones back.

GroupNorm rather than BatchNorm: a posterior must not depend on the rest of its batch.
"""

from flax import linen as nn

from gan_vae.models import layers
from gan_vae.models.dcgan import levels


def _norm_relu(x):
    return nn.relu(nn.GroupNorm(num_groups=min(8, x.shape[-1]))(x))


class Encoder(nn.Module):
    """images [B, S, S, C] -> mean, log variance of the posterior, each [B, D]."""

    image_size: int = 32
    latent_dim: int = 128
    width: int = 64

    @nn.compact
    def __call__(self, x):
        for level in range(levels(self.image_size)):
            x = _norm_relu(layers.Conv(self.width << level, (4, 4), (2, 2))(x))
        x = x.reshape(x.shape[0], -1)
        return nn.Dense(self.latent_dim)(x), nn.Dense(self.latent_dim)(x)


class Decoder(nn.Module):
    """z [B, D] -> what the likelihood needs, [B, S, S, outputs]."""

    outputs: int = 3
    image_size: int = 32
    width: int = 64

    @nn.compact
    def __call__(self, z):
        depth = levels(self.image_size)
        top = self.width << (depth - 1)
        x = _norm_relu(nn.Dense(16 * top)(z).reshape(-1, 4, 4, top))
        for level in reversed(range(1, depth)):
            x = layers.ConvTranspose(self.width << (level - 1), (4, 4), (2, 2))(x)
            x = _norm_relu(x)
        return layers.ConvTranspose(self.outputs, (4, 4), (2, 2))(x)
