"""What a D with a second output learns with G: the class, or InfoGAN's codes.

Odena et al. 2016, arXiv:1610.09585; Chen et al. 2016, arXiv:1606.03657.
"""

from gan_vae.methods.gan.terms import Term
from gan_vae.objectives.conditioning import cross_entropy, information


def discriminator_terms(settings, networks) -> dict[str, Term]:
    """By what the second output is of: of real images and, as Odena et al. have it, of
    generated ones."""
    if networks.auxiliary != 'class':
        return _codes('codes', settings, networks)
    weight, of_fake = settings.class_weight, settings.class_of_fake

    def value(d):
        total = cross_entropy(d.real_auxiliary, d.label)
        if of_fake:
            total += cross_entropy(d.fake_auxiliary, d.label)
        return weight * total

    return {'class': Term(f'{weight:g} class', value)}


def generator_terms(settings, networks) -> dict[str, Term]:
    """By what the second output is of."""
    if networks.auxiliary != 'class':
        return _codes('codes_g', settings, networks)
    weight = settings.class_weight

    def value(g):
        return weight * cross_entropy(g.fake_auxiliary, g.label)

    return {'class_g': Term(f'{weight:g} class_g', value)}


def _codes(name, settings, networks) -> dict[str, Term]:
    """The bounds of InfoGAN, which both networks raise."""
    if networks.auxiliary != 'codes':
        return {}
    prior = networks.prior
    weights = settings.category_weight, settings.continuous_weight

    def value(view):
        codes = view.latents[:, -prior.codes :]
        bounds = information(view.fake_auxiliary, codes, prior.categories)
        return -weights[0] * bounds[0] - weights[1] * bounds[1]

    formula = '(-{:g} I(category) - {:g} I(continuous))'.format(*weights)
    return {name: Term(formula, value)}
