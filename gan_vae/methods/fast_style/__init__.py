"""A network that gives any picture the look of one style: settings."""

from dataclasses import dataclass

from gan_vae.config.fields import network, number, text
from gan_vae.errors import UserError
from gan_vae.learning.settings import Averaging

KIND = 'images'


@dataclass(frozen=True)
class Networks:
    """Section `model`."""

    transform: str = network('johnson', 'transform', 'picture -> picture')
    width: int = number(64, 'channels next to the picture', least=1, of_networks=True)


@dataclass(frozen=True)
class Settings(Averaging):
    """Section `method`."""

    style: str = text('', 'the file of the picture whose look is learned')
    style_size: int = number(256, 'pixels of its longer side, at most', least=1)
    style_features: str = text('random', 'of a VGG that was never trained; or vgg_hed')
    style_weight: float = number(1.0, 'of the style beside the content', least=0)
    variation_weight: float = number(
        2.0, 'of squared differences of neighbouring pixels', least=0
    )

    def check_data(self, data):
        """Raises a UserError where the settings of the data do not fit."""
        if data.channels != 3:
            raise UserError(
                'config.method.name=fast_style needs config.data.channels=3'
            )
