"""Transformer of text by characters: settings."""

from dataclasses import dataclass

from gan_vae.config.fields import number
from gan_vae.learning.settings import Averaging
from gan_vae.methods.transformer import Attention

KIND = 'sequences'
Networks = Attention


@dataclass(frozen=True)
class Settings(Averaging):
    """Section `method`."""

    top_k: int = number(
        0, 'samples: only so many of the likeliest characters; 0 is all', least=0
    )
    top_p: float = number(
        1.0, 'samples: the likeliest of so much probability; 1 is all', least=0
    )
