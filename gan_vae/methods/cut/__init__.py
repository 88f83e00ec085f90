"""Picture to picture without pairs, by patches that stay recognisable: settings."""

from dataclasses import dataclass

from gan_vae.config.fields import declared, network, number, several, switch
from gan_vae.learning.settings import Averaging
from gan_vae.methods.gan import Judge

KIND, PAIRS = 'images', True


@dataclass(frozen=True)
class Networks(Judge):
    """Section `model`."""

    translator: str = network('resnet', 'translator', 'G, from picture to picture')
    width: int = number(64, 'channels of G next to the image', least=1)
    blocks: int = number(6, 'residual blocks of G', least=1)
    head_width: int = number(256, 'numbers of a patch, to compare', least=1)


@dataclass(frozen=True)
class Settings(Averaging):
    """Section `method`."""

    patches: int = number(64, 'places of a map that are compared', least=2)
    nce_weight: float = number(1.0, 'of telling the same place', least=0)
    identity: bool = switch(
        True, 'half of it is of what G makes of pictures of the other kind'
    )
    adversarial_weight: float = number(
        2.0, 'of half the square of G, so that 2 is the published one', least=0
    )
    ramp_steps: int = number(
        0, 'in which that weight grows from 0; D learns from the first', least=0
    )
    augment: str = several(
        '',
        *declared('gan_vae.objectives.augment', 'AUGMENTATIONS'),
        says='DiffAugment of all that D sees',
    )
