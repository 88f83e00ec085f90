"""BEGAN: a discriminator that is an autoencoder, in balance with the generator.

  L(v) = E |v - D(v)|                              mean over pixels
  min_D  L(x) - k L(G(z))        min_G  L(G(z'))
  k <- clip(k + lambda (gamma L(x) - L(G(z'))), 0, 1)
  M = L(x) + |gamma L(x) - L(G(z))|                convergence, on held-out images

Berthelot et al. 2017, arXiv:1703.10717. This module is the whole method: its settings,
its networks, and a `Game` of gan_vae's skeleton with -L as D's logits, whose term keeps
k. `config.method.name=examples.began` names it.
"""

from dataclasses import dataclass

import jax.numpy as jnp
from flax import linen as nn

from gan_vae.config.fields import number
from gan_vae.errors import UserError
from gan_vae.learning import descent, optimizers
from gan_vae.learning.settings import Averaging
from gan_vae.methods import latents
from gan_vae.methods.contract import Method
from gan_vae.methods.gan import game, networks
from gan_vae.methods.gan.terms import Term
from gan_vae.objectives.adversarial import Adversarial

KIND = 'images'


@dataclass(frozen=True)
class Networks:
    """Section `model`."""

    width: int = number(64, 'n: channels; the encoder has n, 2n, 3n, ...', least=1)
    latent_dim: int = number(64, 'h: numbers of z and of the code', least=1)


@dataclass(frozen=True)
class Settings(Averaging):
    """Section `method`."""

    gamma: float = number(0.5, 'L(G(z)) / L(x) in balance: diversity', least=0)
    lambda_k: float = number(1e-3, 'learning rate of k', least=0)


class Decoder(nn.Module):
    """z [B, h] -> images [B, S, S, C]: G, and the second half of D."""

    size: int
    channels: int
    width: int

    @nn.compact
    def __call__(self, z, train: bool = False):
        x = nn.Dense(8 * 8 * self.width)(z).reshape(-1, 8, 8, self.width)
        while True:
            for _ in range(2):
                x = nn.elu(nn.Conv(self.width, (3, 3))(x))
            if x.shape[1] == self.size:
                return nn.Conv(self.channels, (3, 3))(x)
            x = x.repeat(2, axis=1).repeat(2, axis=2)  # nearest neighbours


class Encoder(nn.Module):
    """images [B, S, S, C] -> codes [B, h]; channels grow by n at each halving."""

    width: int
    latent_dim: int

    @nn.compact
    def __call__(self, x):
        x = nn.elu(nn.Conv(self.width, (3, 3))(x))
        depth = 1
        while x.shape[1] > 8:
            for _ in range(2):
                x = nn.elu(nn.Conv(depth * self.width, (3, 3))(x))
            depth += 1
            x = nn.elu(nn.Conv(depth * self.width, (3, 3), strides=2)(x))
        for _ in range(2):
            x = nn.elu(nn.Conv(depth * self.width, (3, 3))(x))
        return nn.Dense(self.latent_dim)(x.reshape(x.shape[0], -1))


class Autoencoder(nn.Module):
    """images [B, S, S, C] -> (-L [B], reconstructions)."""

    size: int
    channels: int
    width: int
    latent_dim: int

    @nn.compact
    def __call__(self, x, train: bool = False):
        code = Encoder(self.width, self.latent_dim)(x)
        again = Decoder(self.size, self.channels, self.width)(code)
        return -jnp.mean(jnp.abs(x - again), axis=(1, 2, 3)), again


LOSS = Adversarial(  # without k L(G(z)), which is a term
    discriminator=lambda real, fake: -jnp.mean(real),
    generator=lambda fake, real=None: -jnp.mean(fake),
    boundary=None,
)


def make(settings: Settings, model: Networks, learning, spec, axis_name=None) -> Method:
    """The Method of those settings, for square images of 8, 16, 32, ... pixels."""
    size = spec.height
    if size < 8 or size & (size - 1):
        raise UserError(f'config.data.image_size={size}: BEGAN takes 8, 16, 32, ...')
    shape = {'size': size, 'channels': spec.channels, 'width': model.width}
    pair = networks.pair(
        Decoder(**shape),
        Autoencoder(**shape, latent_dim=model.latent_dim),
        latents.make(model.latent_dim, 'uniform'),
        'running',
        learning,
        spec,
    )
    names = 'generator', 'discriminator'
    learners = {name: optimizers.make(learning) for name in names}

    def value(d):
        return d.state * jnp.mean(d.fake_logits), {'k': d.state}

    def advance(k, metrics, step):
        real, fake = -metrics['real'], metrics['loss_g']
        return jnp.clip(k + settings.lambda_k * (settings.gamma * real - fake), 0, 1)

    own = game.Game(
        networks=pair,
        loss=LOSS,
        augment=lambda keys, images: images,
        d_terms={'balance': Term('-k L(G(z))', value, state=jnp.zeros(()))},
        g_terms={'balance': Term('', advance=advance)},  # k moves after G's update
        descent=descent.make(learners, settings, learning, axis_name),
    )
    gamma = settings.gamma
    return game.method(
        own,
        f'began: D L(x) - k L(G(z)), G L(G(z)), L = mean |v - D(v)|; k in balance at '
        f'gamma {gamma:g}, lambda {settings.lambda_k:g}',
        finish=lambda sums: convergence(sums, gamma),
    )


def convergence(sums: dict, gamma: float) -> dict[str, float]:
    """{'real': L(x), 'generated': L(G(z)), 'convergence': M} of sums of -L and 'count':
    M is not linear in them."""
    real, fake = (-sums[name] / sums['count'] for name in ('real', 'fake'))
    return {
        'real': real,
        'generated': fake,
        'convergence': real + abs(gamma * real - fake),
    }
