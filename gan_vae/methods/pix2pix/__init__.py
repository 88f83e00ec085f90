"""Picture to picture by pairs of them: settings."""

from dataclasses import dataclass

from gan_vae.config.fields import choice, declared, network, number, several
from gan_vae.learning.settings import Averaging
from gan_vae.methods.gan import Judge

KIND, PAIRS = 'images', True


@dataclass(frozen=True)
class Networks(Judge):
    """Section `model`."""

    translator: str = network('unet', 'translator', 'G, from picture to picture')
    width: int = number(64, 'channels of G next to the image', least=1)


@dataclass(frozen=True)
class Settings(Averaging):
    """Section `method`."""

    loss: str = choice(
        'hinge',
        *('hinge', 'non_saturating', 'least_squares'),
        says='of D and of G; non_saturating is the published one',
        own=True,
    )
    absolute_weight: float = number(100.0, 'of |y - G(x)|', least=0)
    adversarial_weight: float = number(1.0, "of G's adversarial loss", least=0)
    ramp_steps: int = number(
        0, 'in which that weight grows from 0; D learns from the first', least=0
    )
    augment: str = several(
        '',
        *declared('gan_vae.objectives.augment', 'AUGMENTATIONS'),
        says='DiffAugment of all that D sees',
    )
