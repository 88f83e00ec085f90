"""Real images with the condition of another image, as what is not real: so D learns
that images are to show what their captions say.

Reed et al. 2016, arXiv:1605.05396; with a share of 1/2 as Tao et al. 2020,
arXiv:2008.05865. Images that have the same condition are left out.
"""

import jax.numpy as jnp

from gan_vae.errors import UserError
from gan_vae.methods.gan.terms import Term
from gan_vae.objectives import adversarial


def discriminator_terms(settings, networks) -> dict[str, Term]:
    """share (L_D(x, x of wrong pairs) - L_D(x, G(z))), beside L_D(x, G(z))."""
    share = settings.wrong_pairs
    if not share:
        return {}
    if not (networks.classes or networks.captions) or networks.auxiliary == 'class':
        raise UserError(
            f'config.method.wrong_pairs={share:g}: needs a discriminator that takes '
            'captions or classes, as df_gan does'
        )
    loss = adversarial.named(settings.loss).discriminator

    def value(d):
        logits, fake = d.logits(d.augmented_real, d.other_label), d.fake_logits
        rows = len(logits)
        differs = jnp.any((d.label != d.other_label).reshape(rows, -1), -1)
        differs = differs.reshape(rows, *[1] * (logits.ndim - 1))
        wrong = jnp.where(differs, logits, fake)
        return share * (loss(d.real_logits, wrong) - loss(d.real_logits, fake))

    return {'wrong_pairs': Term(f'{share:g} (L_D of wrong pairs - L_D)', value)}
