"""VAE of whole sequences: settings."""

from dataclasses import dataclass

from gan_vae.learning.settings import Averaging
from gan_vae.methods.recurrent import Steps
from gan_vae.methods.vae import Divergence
from gan_vae.methods.vrnn import Networks

__all__ = ['KIND', 'Networks', 'Settings']

KIND = 'sequences'


@dataclass(frozen=True)
class Settings(Averaging, Divergence, Steps):
    """Section `method`."""
