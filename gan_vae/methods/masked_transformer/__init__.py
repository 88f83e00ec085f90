"""Transformer over masked codes of pictures: settings."""

from dataclasses import dataclass

from gan_vae.config.fields import number
from gan_vae.learning.settings import Averaging
from gan_vae.methods import transformer

KIND = 'images'
Networks = transformer.Networks


@dataclass(frozen=True)
class Settings(Averaging, transformer.Prior):
    """Section `method`."""

    decode_steps: int = number(8, 'passes of the network for a sample', least=1)
    choice_temperature: float = number(
        4.5, 'of the noise on what is kept of a pass; 0 keeps the surest', least=0
    )
