"""Networks of a tokeniser: pictures -> a map of vectors, and back.

Residual blocks with the GroupNorm and SiLU of VQGAN (Esser et al. 2020,
arXiv:2012.09841), at half of the image's side and below: the first and the last layer
take 2x2 pixels as one (Shi et al. 2016, arXiv:1609.05158), as layers at the full side
cost most of a step. No paper has these networks. Those of the name vq_vae are of the
example of Sonnet, by the authors of VQ-VAE: a fourth of the side, 128 channels.
"""

from typing import Any

import jax.numpy as jnp
from flax import linen as nn

from gan_vae.models import layers

NETWORKS = {
    'code_encoder': {'residual': ('Encoder', {}), 'vq_vae': ('PublishedEncoder', {})},
    'code_decoder': {'residual': ('Decoder', {}), 'vq_vae': ('PublishedDecoder', {})},
}


def _norm(x, dtype):
    return nn.silu(nn.GroupNorm(min(8, x.shape[-1]), dtype=dtype)(x))


class Residual(nn.Module):
    """x [B, R, R, C] plus two 3x3 convolutions of it."""

    dtype: Any = None

    @nn.compact
    def __call__(self, x):
        h = x
        for _ in range(2):
            h = layers.Conv(x.shape[-1], (3, 3), dtype=self.dtype)(_norm(h, self.dtype))
        return x + h


class Encoder(nn.Module):
    """images [B, S, S, C] -> vectors [B, R, R, outputs], R = S / 2^halvings, of a
    variance near 1 at the start."""

    outputs: int = 4
    halvings: int = 2
    code_width: int = 64
    code_blocks: int = 1
    dtype: Any = None

    @nn.compact
    def __call__(self, x):
        x = layers.Conv(self.code_width, (3, 3), dtype=self.dtype)(space_to_depth(x))
        for level in range(self.halvings):
            if level:
                x = _norm(x, self.dtype)
                features = self.code_width << min(level, 1)
                x = layers.Conv(features, (4, 4), (2, 2), dtype=self.dtype)(x)
            for _ in range(self.code_blocks):
                x = Residual(self.dtype)(x)
        x = nn.Dense(self.outputs, dtype=self.dtype)(_norm(x, self.dtype))
        return x.astype(jnp.float32)


class Decoder(nn.Module):
    """codes [B, R, R, d] -> images [B, S, S, outputs], S = 2^halvings R."""

    outputs: int = 3
    halvings: int = 2
    code_width: int = 64
    code_blocks: int = 1
    dtype: Any = None

    @nn.compact
    def __call__(self, x):
        top = self.code_width << min(self.halvings - 1, 1)
        x = layers.Conv(top, (3, 3), dtype=self.dtype)(x)
        for level in reversed(range(self.halvings)):
            for _ in range(self.code_blocks):
                x = Residual(self.dtype)(x)
            x = _norm(x, self.dtype)
            if level:
                features = self.code_width << min(level - 1, 1)
                x = layers.ConvTranspose(features, (4, 4), (2, 2), dtype=self.dtype)(x)
        x = layers.Conv(4 * self.outputs, (3, 3), dtype=self.dtype)(x)
        return depth_to_space(x).astype(jnp.float32)


class _Stack(nn.Module):
    """relu of x plus two residual blocks of 3x3 and 1x1 convolutions."""

    code_width: int = 64
    dtype: Any = None

    @nn.compact
    def __call__(self, x):
        for _ in range(2):
            h = layers.Conv(self.code_width // 2, (3, 3), dtype=self.dtype)(nn.relu(x))
            x = x + nn.Dense(2 * self.code_width, dtype=self.dtype)(nn.relu(h))
        return nn.relu(x)


class PublishedEncoder(nn.Module):
    """images [B, S, S, C] -> vectors [B, S/4, S/4, outputs]."""

    outputs: int = 64
    code_width: int = 64
    dtype: Any = None

    @nn.compact
    def __call__(self, x):
        for features in (self.code_width, 2 * self.code_width):
            x = nn.relu(layers.Conv(features, (4, 4), (2, 2), dtype=self.dtype)(x))
        x = layers.Conv(2 * self.code_width, (3, 3), dtype=self.dtype)(x)
        x = _Stack(self.code_width, self.dtype)(x)
        return nn.Dense(self.outputs, dtype=self.dtype)(x).astype(jnp.float32)


class PublishedDecoder(nn.Module):
    """codes [B, R, R, d] -> images [B, 4R, 4R, outputs]."""

    outputs: int = 3
    code_width: int = 64
    dtype: Any = None

    @nn.compact
    def __call__(self, x):
        x = layers.Conv(2 * self.code_width, (3, 3), dtype=self.dtype)(x)
        x = _Stack(self.code_width, self.dtype)(x)
        x = layers.ConvTranspose(self.code_width, (4, 4), (2, 2), dtype=self.dtype)(x)
        x = nn.relu(x)
        x = layers.ConvTranspose(self.outputs, (4, 4), (2, 2), dtype=self.dtype)(x)
        return x.astype(jnp.float32)


def space_to_depth(x):
    """[B, H, W, C] -> [B, H/2, W/2, 4 C]: the four pixels of a square as channels."""
    b, h, w, c = x.shape
    x = x.reshape(b, h // 2, 2, w // 2, 2, c).transpose(0, 1, 3, 2, 4, 5)
    return x.reshape(b, h // 2, w // 2, 4 * c)


def depth_to_space(x):
    """The inverse of `space_to_depth`."""
    b, h, w, c = x.shape
    x = x.reshape(b, h, w, 2, 2, c // 4).transpose(0, 1, 3, 2, 4, 5)
    return x.reshape(b, 2 * h, 2 * w, c // 4)
