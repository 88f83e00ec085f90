"""BigGAN's generator: noise and class enter at every block.

z is cut into chunks, the first for the bottom layer; each block's BatchNorms take the
next, beside a class embedding shared by all: gain = 1 + A [e(y), z_i], bias =
B [e(y), z_i]. Brock et al. 2018, arXiv:1809.11096, as Kang et al. 2022 (StudioGAN,
arXiv:2206.09479) have it for CIFAR-10: width 96, z of 80, spectral normalisation of all
but the embedding, self-attention at half the image's size. Its discriminator is
SAGAN's (`resnet.ProjectionDiscriminator`) of the same width.
"""

from functools import partial
from typing import Any

import jax.numpy as jnp
from flax import linen as nn

from gan_vae.errors import UserError
from gan_vae.models import conditional, layers, resnet

NETWORKS = {'generator': {'biggan': ('Generator', {})}}

EMBEDDING = 128  # units of the class embedding


class Generator(nn.Module):
    """z [B, D], condition int [B] -> images [B, S, S, channels] in [-1, 1]."""

    classes: int
    image_size: int = 32
    channels: int = 3
    width: int = 96
    axis_name: str | None = None
    dtype: Any = None

    @nn.compact
    def __call__(self, z, train: bool = False, *, condition):
        chunks = resnet.blocks(self.image_size) + 1
        if z.shape[-1] % chunks:
            raise UserError(
                f'config.model.latent_dim={z.shape[-1]} does not divide into the '
                f'{chunks} chunks of this generator: take a multiple of {chunks}'
            )
        first, *rest = jnp.split(z, chunks, axis=-1)
        layer = resnet.layer_maker(
            resnet.orthogonal, self.dtype, spectral=True, train=train, eps=1e-6
        )
        embedding = layers.Embed(self.classes, EMBEDDING, nn.initializers.orthogonal())
        e = embedding(condition)
        by_vector = resnet.batch_norm(self, train, 1e-4, conditional.BatchNorm)
        last = resnet.batch_norm(self, train, 1e-4)

        def norm(c):
            dense = partial(layer, layers.Dense)
            return lambda x: conditional.VectorBatchNorm(by_vector, dense)(x, c)

        norms = [norm(jnp.concatenate([e, chunk], axis=-1)) for chunk in rest]
        return resnet.generate(
            self, layer, first, norms, lambda x: last()(x), attention=True
        )
