"""Variational recurrent network: settings."""

from dataclasses import dataclass

from gan_vae.config.fields import number
from gan_vae.learning.settings import Averaging
from gan_vae.methods import recurrent
from gan_vae.methods.vae import Weight

KIND = 'sequences'


@dataclass(frozen=True)
class Networks(recurrent.Networks):
    """Section `model`."""

    latent_dim: int = number(128, 'numbers of a latent z', least=1)


@dataclass(frozen=True)
class Settings(Averaging, Weight, recurrent.Steps):
    """Section `method`."""
