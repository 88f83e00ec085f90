"""A network that restores, and a discriminator that wants sharp pictures: settings."""

from dataclasses import dataclass

from gan_vae.config.fields import declared, number, several, text
from gan_vae.methods import restore
from gan_vae.methods.gan import Judge

KIND = 'images'


@dataclass(frozen=True)
class Networks(Judge, restore.Networks):
    """Section `model`."""


@dataclass(frozen=True)
class Settings(restore.Settings):
    """Section `method`."""

    absolute_weight: float = number(1.0, 'of |x - R(y, f, m, t)|', least=0)
    feature_weight: float = number(0.1, 'of the distance of maps of a network', least=0)
    features: str = text('random', 'that network: one never trained; or vgg_hed')
    adversarial_weight: float = number(0.01, "of R's adversarial loss", least=0)
    ramp_steps: int = number(
        500, 'in which that weight grows from 0; D learns from the first', least=0
    )
    augment: str = several(
        '',
        *declared('gan_vae.objectives.augment', 'AUGMENTATIONS'),
        says='DiffAugment of all that D sees',
    )
