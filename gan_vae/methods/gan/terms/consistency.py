"""D under small changes of images (CR, bCR) and of latents (zCR).

Zhang et al. 2019, arXiv:1910.12027; Zhao et al. 2020, arXiv:2002.04724.
"""

import jax

from gan_vae.config.fields import names_of
from gan_vae.keys import normals
from gan_vae.methods.gan.terms import Term
from gan_vae.objectives import augment, regularisers


def discriminator_terms(settings, networks) -> dict[str, Term]:
    """Those of config.method.consistency, in its order."""
    return {n: CONSISTENCIES[n](settings) for n in names_of(settings.consistency)}


def generator_terms(settings, networks) -> dict[str, Term]:
    """That of zCR."""
    if 'zcr' not in names_of(settings.consistency):
        return {}
    weight, noise = settings.zcr_generator_weight, settings.zcr_noise

    def value(g):
        changed = g.generate(_near(g, noise))
        return weight * regularisers.diversity(g.fake, changed)

    return {'zcr_g': Term(f'{weight:g} zcr_g', value)}


def _near(view, deviation: float) -> jax.Array:
    """z + e [B, D], e of N(0, deviation^2), each row by its own key."""
    return view.latents + deviation * normals(view.keys, view.latents.shape[1:])


def _cr(settings) -> Term:
    """Of real images. T flips and shifts, as in the paper."""
    weight, change = settings.consistency_weight, augment.make('flip,shift')

    def value(d):
        changed = d.logits(change(d.keys, d.augmented_real))
        return weight * regularisers.consistency(d.real_logits, changed)

    return Term(f'{weight:g} cr', value)


def _bcr(settings) -> Term:
    """Of real and of generated images, each with its own T."""
    weight, change = settings.consistency_weight, augment.make('flip,shift')

    def value(d):
        keys = jax.vmap(jax.random.split)(d.keys)
        real = d.logits(change(keys[:, 0], d.augmented_real))
        fake = d.logits(change(keys[:, 1], d.augmented_fake))
        return weight * (
            regularisers.consistency(d.real_logits, real)
            + regularisers.consistency(d.fake_logits, fake)
        )

    return Term(f'{weight:g} bcr', value)


def _zcr(settings) -> Term:
    weight, noise = settings.zcr_discriminator_weight, settings.zcr_noise

    def value(d):
        changed = d.logits(d.generate(_near(d, noise)))
        return weight * regularisers.consistency(d.fake_logits, changed)

    return Term(f'{weight:g} zcr', value)


CONSISTENCIES = {'cr': _cr, 'bcr': _bcr, 'zcr': _zcr}
