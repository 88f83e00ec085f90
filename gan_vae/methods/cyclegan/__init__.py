"""Picture to picture without pairs, there and back again: settings."""

from dataclasses import dataclass

from gan_vae.config.fields import declared, network, number, several
from gan_vae.learning.settings import Averaging
from gan_vae.methods.gan import Judge

KIND, PAIRS = 'images', True


@dataclass(frozen=True)
class Networks(Judge):
    """Section `model`."""

    translator: str = network('resnet', 'translator', 'both G, from picture to picture')
    width: int = number(64, 'channels of G next to the image', least=1)
    blocks: int = number(6, 'residual blocks of G', least=1)


@dataclass(frozen=True)
class Settings(Averaging):
    """Section `method`."""

    cycle_weight: float = number(10.0, 'of |F(G(x)) - x| and |G(F(y)) - y|', least=0)
    identity_weight: float = number(5.0, 'of |G(y) - y| and |F(x) - x|', least=0)
    pool_size: int = number(
        50, 'made pictures that are kept, which D sees half of the time', least=1
    )
    augment: str = several(
        '',
        *declared('gan_vae.objectives.augment', 'AUGMENTATIONS'),
        says='DiffAugment of all that D sees',
    )
