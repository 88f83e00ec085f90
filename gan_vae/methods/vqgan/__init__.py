"""Autoencoder with discrete codes and a discriminator: settings."""

from dataclasses import dataclass

from gan_vae.config.fields import declared, number, several
from gan_vae.methods import vq_vae
from gan_vae.methods.gan import Judge

KIND = 'images'


@dataclass(frozen=True)
class Networks(Judge, vq_vae.Networks):
    """Section `model`."""


@dataclass(frozen=True)
class Settings(vq_vae.Settings):
    """Section `method`."""

    feature_weight: float = number(1.0, 'of the distance of maps of a network', least=0)
    adversarial_weight: float = number(0.1, 'of -D(x^) at the end of the ramp', least=0)
    ramp_steps: int = number(
        1000, 'in which that weight grows from 0; D learns from the first', least=0
    )
    augment: str = several(
        '',
        *declared('gan_vae.objectives.augment', 'AUGMENTATIONS'),
        says='DiffAugment of all that D sees',
    )
