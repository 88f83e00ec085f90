"""A D that reconstructs the real images that it sees, as FastGAN's does.

  weight (sum over decoders E |target - decoded|^2 + E |quarter of it - decoded|^2)

means over pixels; targets are the augmented images in the decoders' sizes, by nearest
neighbours. Liu et al. 2021, arXiv:2101.04775, equation 4, whose distance is LPIPS: that
needs a trained network, and squares of pixels do not. (The authors sum LPIPS over a
batch of 8: a weight of 8 for a mean.)
"""

import jax
import jax.numpy as jnp

from gan_vae.methods.gan.terms import Term
from gan_vae.models.fastgan_discriminator import quadrant

NAME = 'reconstruction'


def discriminator_terms(settings, networks) -> dict[str, Term]:
    """That of config.method.reconstruction_weight, where D has decoders."""
    weight = settings.reconstruction_weight if networks.auxiliary == NAME else 0
    if not weight:
        return {}

    def value(d):
        made, x = d.real_auxiliary, d.augmented_real
        errors = [_error(again, x) for again in made.whole]
        return weight * (sum(errors) + _error(made.part, quadrant(x, made.which)))

    return {NAME: Term(f'{weight:g} {NAME}', value)}


def _error(decoded, images):
    target = jax.image.resize(images, decoded.shape, 'nearest')
    return jnp.mean(jnp.square(decoded - target))
