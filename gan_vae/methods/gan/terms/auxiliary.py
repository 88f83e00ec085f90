"""What a D with a second output learns with G: the class, or InfoGAN's codes.

Odena et al. 2016, arXiv:1610.09585; Chen et al. 2016, arXiv:1606.03657.
"""

from gan_vae.methods.gan.terms import Term
from gan_vae.objectives.conditioning import cross_entropy, information


def discriminator_terms(settings, networks) -> dict[str, Term]:
    """By what the discriminator's second output is."""
    if networks.auxiliary == 'class':
        return {'class': Term(f'{settings.class_weight:g} class', _class(settings))}
    if networks.auxiliary == 'codes':
        codes = _codes(settings, networks)
        return {'codes': Term(_formula(settings), codes)}
    return {}


def generator_terms(settings, networks) -> dict[str, Term]:
    """By what the discriminator's second output is."""
    if networks.auxiliary == 'class':
        weight = settings.class_weight

        def value(g):
            return weight * cross_entropy(g.fake_auxiliary, g.label)

        return {'class_g': Term(f'{weight:g} class_g', value)}
    if networks.auxiliary == 'codes':
        codes = _codes(settings, networks)
        return {'codes_g': Term(_formula(settings), codes)}
    return {}


def _class(settings):
    """Of real images and, as Odena et al. have it, of generated ones."""
    weight, of_fake = settings.class_weight, settings.class_of_fake

    def value(d):
        total = cross_entropy(d.real_auxiliary, d.label)
        if of_fake:
            total += cross_entropy(d.fake_auxiliary, d.label)
        return weight * total

    return value


def _codes(settings, networks):
    """The bounds of InfoGAN, which both networks raise."""
    prior = networks.prior
    weights = settings.category_weight, settings.continuous_weight

    def value(view):
        category, continuous = information(
            view.fake_auxiliary, view.latents[:, -prior.codes :], prior.categories
        )
        return -weights[0] * category - weights[1] * continuous

    return value


def _formula(settings) -> str:
    category, continuous = settings.category_weight, settings.continuous_weight
    return f'(-{category:g} I(category) - {continuous:g} I(continuous))'
