"""VAE-GAN: settings."""

from dataclasses import dataclass

from gan_vae.config.fields import choice, declared, network, number
from gan_vae.errors import UserError
from gan_vae.learning.settings import Averaging
from gan_vae.methods.gan import Images, Pair

KIND = 'images'


@dataclass(frozen=True)
class Networks(Pair):
    """Section `model`."""

    encoder: str = network('vae_gan', 'encoder', 'q(z | x)')
    generator: str = network('vae_gan', 'generator', 'G, which is the decoder')
    discriminator: str = network('vae_gan', 'discriminator', 'D, and its features')


@dataclass(frozen=True)
class Settings(Averaging, Images):
    """Section `method`."""

    loss: str = choice(
        'non_saturating',
        *declared('gan_vae.methods.vae_gan.method', 'LOSSES'),
        says='L_G: saturating is the published one',
    )
    reconstruction_weight: float = number(
        1e-2, "gamma: of L_llike in G's loss", least=0
    )
    # D waits while its cost of reals or of fakes, in nats, is below the equilibrium -
    # margin, G while one is above equilibrium + margin; never both.
    balance_margin: float = number(
        0.0, "0 is off, as in the paper; its authors' code has 0.4", least=0
    )
    balance_equilibrium: float = number(
        0.68, 'of that code; at log 2 D is undecided', least=0
    )

    def check(self):
        """What concerns two keys."""
        margin, equilibrium = self.balance_margin, self.balance_equilibrium
        if margin and margin >= equilibrium:
            raise UserError(
                f'config.method.balance_margin={margin} is not below '
                f'balance_equilibrium={equilibrium}: no cost is below their difference'
            )
