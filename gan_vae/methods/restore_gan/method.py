"""A network that restores, which a discriminator makes invent detail.

The duel (methods/gan/duel.py) of R(y, f, m, t) (methods/restore) with D of whole
pictures, whose L is the absolute error and a distance of features; non-saturating. To
begin at a trained restore: --config.train.init_from=RUN. Ledig et al. 2017,
arXiv:1609.04802 (SRGAN). Pictures are sharper, and farther from what was there: `psnr`
falls.
"""

from dataclasses import replace
from functools import partial

import jax.numpy as jnp

from gan_vae.config.fields import names_of
from gan_vae.extractors import perceptual
from gan_vae.keys import purpose_key
from gan_vae.learning import descent as descents
from gan_vae.learning.settings import Learning
from gan_vae.learning.state import TrainState
from gan_vae.methods import restore
from gan_vae.methods.contract import Method
from gan_vae.methods.gan import duel, game
from gan_vae.methods.restore import method as plain
from gan_vae.methods.restore_gan import Networks, Settings
from gan_vae.objectives import augment, damage, estimates
from gan_vae.objectives.adversarial import LOSSES

NAME = plain.NAME


def make(
    settings: Settings, model: Networks, learning: Learning, spec, axis_name=None
) -> Method:
    """The Method of those settings, for images of shape `spec`."""
    network, apply = plain.network_of(model, learning, spec)
    init_d, judge = duel.discriminator(model, learning, spec.shape, axis_name)
    features = perceptual.network(settings.features)
    among = damage.numbers_of(names_of(settings.damage))
    weights = settings.absolute_weight, settings.feature_weight

    def create(params, variables, x, keys):
        d = damage.damaged(keys, x, among=among)
        again = apply(params, d.seen, estimates.of(*d[:3]), d.mask, d.told)
        error = jnp.mean(jnp.abs(x - again))
        apart = jnp.mean(perceptual.distance(features, x, again))
        metrics = {'absolute_error': error, 'feature_distance': apart}
        total = weights[0] * error + weights[1] * apart
        return (again, total), (metrics, variables)

    own = duel.Duel(
        name=NAME,
        create=create,
        shown=lambda x, again: (x, again),
        judge=judge,
        augment=augment.make(settings.augment),
        loss=LOSSES['non_saturating'],
        weight=settings.adversarial_weight,
        ramp_steps=settings.ramp_steps,
        descent=descents.make(
            duel.learners(NAME, learning), settings, learning, axis_name
        ),
    )

    def init(key) -> TrainState:
        of_d = init_d(purpose_key(key, duel.D))
        params = plain.initial(network, key, spec) | {duel.D: of_d.pop('params')}
        return duel.init(own, key, params, {duel.D: of_d})

    same = {f: getattr(settings, f) for f in restore.Settings.__dataclass_fields__}
    return replace(
        plain.make(restore.Settings(**same), model, learning, spec, axis_name),
        objective=f'restore_gan: {weights[0]:g} |x - R(y, f, m, t)| + {weights[1]:g} '
        f'd(x, R(y, f, m, t)) + {own.weight:g} non_saturating L_R, from 0 in '
        f'{own.ramp_steps} steps, means over values in [-1, 1]; D non_saturating',
        init=init,
        train_step=partial(duel.train_step, own),
        diagnose=game.diagnose,
    )
