"""A network that restores damaged pictures: settings."""

from dataclasses import dataclass

from gan_vae.config.fields import declared, names_of, network, number, several
from gan_vae.errors import UserError
from gan_vae.learning.settings import Averaging

KIND = 'images'
DAMAGE = declared('gan_vae.objectives.damage', 'KINDS')
BLOCK = 16  # pixels: of JPEG with colours at half the size


@dataclass(frozen=True)
class Networks:
    """Section `model`."""

    restorer: str = network(
        'residual_unet',
        'restorer',
        'damaged picture, estimate, mask, what is told -> picture',
    )
    width: int = number(32, 'channels at full size', least=1, of_networks=True)


@dataclass(frozen=True)
class Settings(Averaging):
    """Section `method`."""

    damage: str = several(
        ', '.join(DAMAGE), *DAMAGE, says='kinds of damage, all equally frequent'
    )

    def check(self):
        """Raises a UserError where nothing is left to learn."""
        if not names_of(self.damage):
            raise UserError(
                'config.method.damage is empty: give one or more of '
                + ', '.join(DAMAGE)
            )

    def check_data(self, data):
        """Raises a UserError where the settings of the data do not fit."""
        if data.image_size % BLOCK:
            raise UserError(
                f'config.data.image_size={data.image_size}: a restore takes multiples '
                f'of {BLOCK}'
            )
