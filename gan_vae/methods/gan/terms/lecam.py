"""LeCam regularisation: D's logits near the moving means of those of the other side.

Tseng et al. 2021, arXiv:2104.03310.
"""

import jax.numpy as jnp

from gan_vae.methods.gan.terms import Term
from gan_vae.objectives import regularisers


def discriminator_terms(settings, networks) -> dict[str, Term]:
    """That of config.method.lecam_weight; its state is the two means."""
    weight, start = settings.lecam_weight, settings.lecam_start_step
    decay = settings.lecam_decay
    if not weight:
        return {}

    def value(d):
        term = regularisers.lecam(d.real_logits, d.fake_logits, d.state)
        return jnp.where(d.step < start, 0.0, weight) * term

    def advance(averages, metrics, step):
        means = {name: metrics[name] for name in ('real', 'fake')}
        now = jnp.where(step < start, 0.0, decay)  # until then, of one batch
        return regularisers.lecam_averages(averages, means, now)

    formula = f'{weight:g} lecam' + (f' from step {start}' if start else '')
    averages = {'real': jnp.zeros(()), 'fake': jnp.zeros(())}
    return {'lecam': Term(formula, value, state=averages, advance=advance)}
