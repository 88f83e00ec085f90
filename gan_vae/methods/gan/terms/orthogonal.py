"""Orthogonal regularisation of G's kernels. Brock et al. 2018, arXiv:1809.11096."""

from gan_vae.methods.gan.terms import Term
from gan_vae.objectives import regularisers


def generator_terms(settings, networks) -> dict[str, Term]:
    """That of config.method.orthogonal_weight."""
    weight = settings.orthogonal_weight
    if not weight:
        return {}
    return {
        'orthogonal': Term(
            f'{weight:g} orthogonal',
            lambda g: weight * regularisers.orthogonal(g.params),
        )
    }
