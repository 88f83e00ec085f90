"""VAE of layers of latents: settings."""

from dataclasses import dataclass

from gan_vae.config.fields import choice, number, text
from gan_vae.errors import UserError
from gan_vae.learning.settings import Averaging
from gan_vae.methods.vae import Likelihood

KIND = 'images'


@dataclass(frozen=True)
class Networks:
    """Section `model`."""

    stochastic_layers: str = text(
        '200x100,100x50', 'from the pixels: width of the networks x latents'
    )

    def layers(self) -> list[tuple[int, int]]:
        """[(width, latents)] from the pixels; a UserError for other texts."""
        layers = []
        for item in self.stochastic_layers.split(','):
            width, _, units = item.strip().partition('x')
            numbers = width.isdecimal() and units.isdecimal()
            if not (numbers and int(width) and int(units)):
                raise UserError(
                    f'config.model.stochastic_layers={self.stochastic_layers!r}: '
                    f'{item!r} is not like 200x100: the width of its networks and the '
                    'number of its latents'
                )
            layers.append((int(width), int(units)))
        return layers

    def check(self):
        """What concerns no single range."""
        self.layers()


@dataclass(frozen=True)
class Settings(Averaging, Likelihood):
    """Section `method`."""

    bound: str = choice('elbo', 'elbo', 'iwae', says='what training raises')
    bound_samples: int = number(1, 'of z for each image, in training', least=1)

    def check(self):
        """What concerns two keys."""
        if self.bound == 'elbo' and self.bound_samples > 1:
            raise UserError(
                f'config.method.bound_samples={self.bound_samples}: several layers of '
                'latents have the elbo of 1 sample, or config.method.bound=iwae'
            )
