"""Variational autoencoders: settings, of which other VAEs have parts."""

from dataclasses import dataclass

from gan_vae.config.fields import choice, declared, network, number, switch
from gan_vae.errors import UserError
from gan_vae.learning.settings import Averaging

KIND = 'images'


@dataclass(frozen=True)
class Networks:
    """Section `model`."""

    encoder: str = network('conv', 'encoder', 'q(z | x)')
    decoder: str = network('conv', 'decoder', 'p(x | z)')
    width: int = number(
        64, 'channels (units) of the layer next to the image', least=1, of_networks=True
    )
    latent_dim: int = number(128, 'numbers of a latent z', least=1)


@dataclass(frozen=True)
class Likelihood:
    """p(x | z)."""

    likelihood: str = choice(
        'gaussian',
        *declared('gan_vae.objectives.likelihoods', 'LIKELIHOODS'),
        says='p(x | z)',
        own=True,
    )
    likelihood_scale: float = number(
        1.0, 'of gaussian_fixed, of images in [-1, 1]', least=0
    )
    mixtures: int = number(10, 'components of logistic_mixture', least=1)

    def check_data(self, data):
        """Raises a UserError where the settings of the data do not fit."""
        if self.likelihood == 'bernoulli' and data.binarize == 'none':
            raise UserError(
                'the bernoulli likelihood is of binary pixels: set '
                'config.data.binarize to dynamic or threshold, or take another '
                'config.method.likelihood'
            )


@dataclass(frozen=True)
class Weight:
    """The weight of the KL."""

    beta: float = number(1.0, 'weight of the KL; 1 is the ELBO', least=0)
    beta_warmup_steps: int = number(0, 'beta grows linearly over these', least=0)
    beta_begin: float = number(0.0, 'from this share of it on', least=0, below=1)


@dataclass(frozen=True)
class Divergence(Weight):
    """How the KL is weighed, or what it is held at."""

    free_bits: float = number(
        0.0, 'nats of the KL that cost each latent nothing', least=0
    )
    capacity: float = number(0.0, 'nats that the KL is held at; 0 is off', least=0)
    capacity_weight: float = number(1000.0, 'of its distance from them', least=0)
    capacity_steps: int = number(100_000, 'over which they grow from 0', least=1)

    def check(self):
        """What concerns two keys."""
        if self.capacity and self.free_bits:
            raise UserError(
                f'config.method.capacity={self.capacity} and '
                f'config.method.free_bits={self.free_bits} both say what the KL may '
                'be: take one'
            )


@dataclass(frozen=True)
class Settings(Averaging, Divergence, Likelihood):
    """Section `method`."""

    bound: str = choice(
        'elbo',
        *('elbo', 'iwae', 'dreg'),
        says='what training raises; dreg is iwae with the doubly reparameterised '
        'gradient of the encoder',
    )
    bound_samples: int = number(1, 'of z for each image, in training', least=1)
    conditional: bool = switch(False, 'p(x | z, class), z apart from the class')
    prior: str = choice(
        'normal',
        *('normal', 'flow'),
        says='what samples are of: N(0, I), to which the KL is, or an invertible map '
        'of it that is fitted to the codes of the data and leaves the VAE as it is',
    )
    disentangle: str = choice(
        '',
        *('', *declared('gan_vae.methods.vae.terms', 'TERMS')),
        says="what is added to part the latents; '' is nothing",
    )
    tc_weight: float = number(
        1.0, 'beta_tc: beta - 1, of the total correlation', least=0
    )
    factor_gamma: float = number(1.0, 'factor: of the total correlation', least=0)
    factor_width: int = number(
        1000, "factor: units of its discriminator's six layers", least=1
    )
    dip_lambda: float = number(1.0, 'dip_i, dip_ii: of covariances', least=0)
    dip_diagonal: float = number(
        10.0, 'dip_i, dip_ii: of variances, in units of dip_lambda', least=0
    )
