"""Adaptive augmentation of what D sees: its strength p, a state of D's updates.

    r = mean sign(D(T_p(x)) - boundary)  over `ada_interval` updates, after which
    p <- clip(p + sign(r - target) x their images / ada_images, 0, ada_most)

Karras et al. 2020, arXiv:2006.06676, section 3; T_p: see objectives/adaptive.py. Where
a logit means nothing by itself (a relativistic or a Wasserstein D), the sign is that of
D(T(x)) - D(T(G(z))) in each pair. With `ada_p_end` p goes by half a cosine over the
optimizer's schedule instead, whatever D does: Huang et al. 2025, arXiv:2501.05441.
"""

from collections.abc import Callable

import jax.numpy as jnp

from gan_vae.config.fields import names_of
from gan_vae.learning.optimizers import half_cosine
from gan_vae.methods.gan.terms import Term
from gan_vae.objectives import adaptive
from gan_vae.objectives.adversarial import Adversarial


def terms(settings, batch_size: int, loss: Adversarial) -> dict[str, Term]:
    """That of config.method.ada, which adds 0 to D's loss."""
    if not settings.ada or settings.ada_p_end >= 0:
        return {}
    speed, interval = settings.ada_images, settings.ada_interval
    target, most = settings.ada_target, settings.ada_most
    change = interval * batch_size / speed if speed else 0.0

    def value(d):
        other = d.fake_logits if loss.boundary is None else loss.boundary
        sign = jnp.mean(jnp.sign(d.real_logits - other))
        return 0.0, {'ada': d.state['p'], 'ada_sign': sign}

    def advance(state, metrics, step):
        signs = state['signs'] + metrics['ada_sign']
        updates = state['updates'] + 1
        due = updates == interval
        moved = state['p'] + change * jnp.sign(signs / interval - target)
        return {
            'p': jnp.where(due, jnp.clip(moved, 0.0, most), state['p']),
            'signs': jnp.where(due, 0.0, signs),
            'updates': jnp.where(due, 0, updates),
        }

    state = {
        'p': jnp.float32(settings.ada_p),
        'signs': jnp.float32(0),
        'updates': jnp.int32(0),
    }
    return {'ada': Term('', value, state=state, advance=advance)}


def augmentation(settings) -> Callable | None:
    """T_p: (keys [B], images, TrainState.extra, share of the optimizer's schedule) ->
    images; None where there is none."""
    if not settings.ada:
        return None
    augment = adaptive.make(names_of(settings.ada))
    start, end = settings.ada_p, settings.ada_p_end

    def run(keys, images, extra, progress):
        p = extra['ada']['p'] if end < 0 else half_cosine(start, end, progress)
        return augment(keys, images, p)

    return run


def words(settings) -> str:
    """T_p, and how p moves, for the objective."""
    text = f'ADA of {settings.ada}, p from {settings.ada_p:g}'
    if settings.ada_p_end >= 0:
        return f'{text} to {settings.ada_p_end:g} by half a cosine'
    if settings.ada_images:
        text += (
            f', every {settings.ada_interval} D updates to mean sign D = '
            f'{settings.ada_target:g} by 1 in {settings.ada_images:g} images, p <= '
            f'{settings.ada_most:g}'
        )
    return text
