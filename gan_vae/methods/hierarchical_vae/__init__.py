"""Hierarchical VAE: settings."""

from dataclasses import dataclass

from gan_vae.config.fields import number, text
from gan_vae.learning.settings import Averaging
from gan_vae.methods.vae import Divergence, Likelihood

KIND = 'images'


@dataclass(frozen=True)
class Networks:
    """Section `model`."""

    width: int = number(64, 'channels', least=1)
    latent_dim: int = number(128, 'latents of a group, at each of its pixels', least=1)
    encoder_blocks: str = text(
        '32x2,32d2,16x2,16d2,8x2,8d8,1x1',
        'RxN: N blocks at R x R pixels; RdK: one, then means over K x K',
    )
    decoder_blocks: str = text(
        '1x1,8m1,8x2,16m8,16x2,32m16,32x1',
        'RxN: N groups of latents at R x R pixels; RmM: one, on M x M pixels repeated',
    )


@dataclass(frozen=True)
class Settings(Averaging, Divergence, Likelihood):
    """Section `method`."""
