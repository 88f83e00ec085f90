"""Adversarial losses: pairs of functions of logits, each a mean over the batch.

Signs: a high logit means real. Discriminator and generator both minimise. With
s = softplus, r = D(x) and f = D(G(z)):

                        L_D                             L_G
  saturating            E s(-r) + E s(f)                -E s(f)
  non_saturating        E s(-r) + E s(f)                E s(-f)
  least_squares         E (r - 1)^2 / 2 + E f^2 / 2     E (f - 1)^2 / 2
  hinge                 E max(0, 1 - r) + E max(0, 1 + f)       -E f
  margin_hinge          E h(r) + E h(-f)                -E f
  wasserstein           E f - E r                       -E f
  relativistic          E s(f - r), over pairs          E s(r - f)

with h(r) = E_m max(0, m - r), m ~ U(0.8, 1): FastGAN draws a margin m for each logit,
and this is the mean over m of its loss and gradient, without their noise. Logits are
[B], or [B, P] of patches, all of which count alike.

Goodfellow et al. 2014, arXiv:1406.2661 (the first two: the minimax game and section
3's other generator loss); Mao et al. 2016, arXiv:1611.04076; Lim & Ye 2017,
arXiv:1705.02894; Arjovsky et al. 2017, arXiv:1701.07875; Jolicoeur-Martineau 2018,
arXiv:1807.00734; Liu et al. 2021, arXiv:2101.04775 (FastGAN).
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.nn import relu, softplus

from gan_vae import modules
from gan_vae.errors import UserError


class Adversarial(NamedTuple):
    """A pair of losses, and what is to be known of them.

    discriminator(real [B], fake [B]) -> scalar; generator(fake [B], real) -> scalar.

    `real` of the generator: logits [B] of real images if the loss is `paired`, else
    None, so that nobody computes them for nothing. `boundary`: the logit that says
    neither real nor fake; None where logits mean something by their differences alone.
    """

    discriminator: Callable[[jax.Array, jax.Array], jax.Array]
    generator: Callable[..., jax.Array]
    paired: bool = False
    boundary: float | None = 0.0


def _logistic(real: jax.Array, fake: jax.Array):
    return jnp.mean(softplus(-real)) + jnp.mean(softplus(fake))


def _critic(fake: jax.Array, real: jax.Array | None = None):
    return -jnp.mean(fake)


def _margin_hinge(
    logits: jax.Array, least: float = 0.8, most: float = 1.0
) -> jax.Array:
    """E max(0, m - r) over m ~ U(least, most): zero, a parabola, then a line."""
    below = jnp.clip(most - logits, 0, most - least)
    return jnp.mean(jnp.square(below) / (2 * (most - least)) + relu(least - logits))


IN_NATS = 'saturating', 'non_saturating', 'relativistic'  # negative log-likelihoods
LOSSES = {
    'saturating': Adversarial(
        discriminator=_logistic,
        generator=lambda fake, real=None: -jnp.mean(softplus(fake)),
    ),
    'non_saturating': Adversarial(
        discriminator=_logistic,
        generator=lambda fake, real=None: jnp.mean(softplus(-fake)),
    ),
    'least_squares': Adversarial(
        discriminator=lambda real, fake: (
            0.5 * jnp.mean(jnp.square(real - 1)) + 0.5 * jnp.mean(jnp.square(fake))
        ),
        generator=lambda fake, real=None: 0.5 * jnp.mean(jnp.square(fake - 1)),
        boundary=0.5,
    ),
    'hinge': Adversarial(
        discriminator=lambda real, fake: (
            jnp.mean(relu(1 - real)) + jnp.mean(relu(1 + fake))
        ),
        generator=_critic,
    ),
    'margin_hinge': Adversarial(
        discriminator=lambda real, fake: _margin_hinge(real) + _margin_hinge(-fake),
        generator=_critic,
    ),
    'wasserstein': Adversarial(
        discriminator=lambda real, fake: jnp.mean(fake) - jnp.mean(real),
        generator=_critic,
        boundary=None,
    ),
    'relativistic': Adversarial(
        discriminator=lambda real, fake: jnp.mean(softplus(fake - real)),
        generator=lambda fake, real: jnp.mean(softplus(real - fake)),
        paired=True,
        boundary=None,
    ),
}


def named(name: str) -> Adversarial:
    """The losses of a name in LOSSES, or LOSS of a dotted module of the user's own."""
    if '.' not in name:
        return LOSSES[name]
    loss = modules.own(name, 'config.method.loss', 'LOSS').LOSS
    if not isinstance(loss, Adversarial):
        raise UserError(
            f'config.method.loss={name}: LOSS is {type(loss).__name__}, no '
            'gan_vae.objectives.adversarial.Adversarial'
        )
    logits = jax.ShapeDtypeStruct((4,), jnp.float32)
    given = {
        'discriminator': (logits, logits),
        'generator': (logits, logits if loss.paired else None),
    }
    for part, arguments in given.items():
        what = f'config.method.loss={name}: {part}'
        shape = modules.shapes(getattr(loss, part), what, *arguments)
        if shape != ():
            raise UserError(
                f'{what} gives {shape} of logits [4], where one mean is due'
            )
    return loss
