"""Cross-domain correspondence: of few pictures, G keeps its samples as far apart from
each other as the run that it began with had them. Ojha et al. 2021, arXiv:2104.06820.

The same latents go through G and through that run's G, which stays; equation 2, the
mean over all maps in place of one at random. Its state is that run's weights.
"""

import jax

from gan_vae.keys import keys_of, purpose_key
from gan_vae.methods.gan.terms import Term
from gan_vae.objectives import regularisers

SAMPLES = 8  # whose distances are kept, the same on all devices


def generator_terms(settings, networks) -> dict[str, Term]:
    """That of config.method.correspondence_weight."""
    weight = settings.correspondence_weight
    if not weight:
        return {}

    def value(g):
        keys = keys_of(purpose_key(g.key, 'rows'), jax.numpy.arange(SAMPLES))
        z, label = networks.prior.draw(keys), None
        if networks.classes:
            label = jax.random.randint(g.key, (SAMPLES,), 0, networks.classes)
        elif networks.captions:
            words = networks.captions.drawn(g.key, SAMPLES)
            label = networks.captions.encode(words)
        both = [
            networks.maps(params, variables, z, label, keys, g.key)
            for params, variables in ((g.params, g.variables), g.state)
        ]
        source = jax.lax.stop_gradient(both[1])
        return weight * regularisers.correspondence(both[0], source)

    def source(variables):
        own = variables['generator']
        rest = {name: v for name, v in own.items() if name != 'params'}
        return own['params'], rest

    return {'correspondence': Term(f'{weight:g} correspondence', value, state=source)}
