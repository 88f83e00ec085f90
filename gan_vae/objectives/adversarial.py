"""Adversarial losses: pairs of functions of logits, each a mean over the batch.

Signs: a high logit means real. Discriminator and generator both minimise.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
from jax.nn import softplus


class Adversarial(NamedTuple):
    """discriminator(real [B], fake [B]) -> scalar; generator(fake [B]) -> scalar."""

    discriminator: Callable
    generator: Callable


# Goodfellow et al. 2014, arXiv:1406.2661, with the generator loss of its section 3:
#   L_D = E[-log D(x)] + E[-log(1 - D(G(z)))],  L_G = E[-log D(G(z))],  D = sigmoid.
NON_SATURATING = Adversarial(
    discriminator=lambda real, fake: (
        jnp.mean(softplus(-real)) + jnp.mean(softplus(fake))
    ),
    generator=lambda fake: jnp.mean(softplus(-fake)),
)

LOSSES = {'non_saturating': NON_SATURATING}
