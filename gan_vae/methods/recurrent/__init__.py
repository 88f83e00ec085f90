"""Recurrent network of sequences: settings."""

from dataclasses import dataclass

from gan_vae.config.fields import number
from gan_vae.learning.settings import Averaging

KIND = 'sequences'


@dataclass(frozen=True)
class Networks:
    """Section `model`."""

    hidden: int = number(128, 'units of the LSTM', least=1)
    width: int = number(64, 'units of the layers next to a step', least=1)


@dataclass(frozen=True)
class Steps:
    """How sequences are drawn, and the law of a step."""

    sample_steps: int = number(128, 'of a sample, at most', least=1)
    mixtures: int = number(10, "components of strokes' Gaussians", least=1)


@dataclass(frozen=True)
class Settings(Averaging, Steps):
    """Section `method`."""
