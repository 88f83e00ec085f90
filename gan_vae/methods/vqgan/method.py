"""Autoencoder with discrete codes, whose pictures a discriminator holds real.

The duel (methods/gan/duel.py) of x^ = G(q(E(x))) with D of x, whose L is the loss of a
vq_vae (methods/vq_vae) with its distance of features; hinge. Esser et al. 2020,
arXiv:2012.09841 (VQGAN), who turn D on at once after many steps, with a weight by the
norms of gradients; neither is here.
"""

from dataclasses import replace
from functools import partial

from gan_vae.keys import purpose_key
from gan_vae.learning import descent as descents
from gan_vae.learning.settings import Learning
from gan_vae.learning.state import TrainState
from gan_vae.methods.contract import Method
from gan_vae.methods.gan import duel, game
from gan_vae.methods.vq_vae import method as vq
from gan_vae.methods.vqgan import Networks, Settings
from gan_vae.objectives import augment
from gan_vae.objectives.adversarial import LOSSES


def make(
    settings: Settings, model: Networks, learning: Learning, spec, axis_name=None
) -> Method:
    """The Method of those settings, for images of shape `spec`."""
    tokeniser = vq.tokeniser(settings, model, learning, spec)
    init_d, judge = duel.discriminator(model, learning, spec.shape, axis_name)
    optimisers = duel.learners(vq.NAME, learning)

    def create(params, variables, x, keys):
        again, quantised = tokeniser.reconstruct(params, x)
        value, metrics = tokeniser.terms(x, again, quantised)
        return (again, value), (metrics, variables)

    own = duel.Duel(
        name=vq.NAME,
        create=create,
        shown=lambda x, again: (x, again),
        judge=judge,
        augment=augment.make(settings.augment),
        loss=LOSSES['hinge'],
        weight=settings.adversarial_weight,
        ramp_steps=settings.ramp_steps,
        descent=descents.make(optimisers, settings, learning, axis_name),
        follow=tokeniser.follow,
    )

    def init(key) -> TrainState:
        of_d = init_d(purpose_key(key, duel.D))
        params = {vq.NAME: tokeniser.init(key), duel.D: of_d.pop('params')}
        return duel.init(own, key, params, {duel.D: of_d})

    return replace(
        vq.make(settings, model, learning, spec, axis_name),
        objective=f'vqgan: {tokeniser.objective} - {own.weight:g} D(x^), from 0 in '
        f'{own.ramp_steps} steps; D hinge; {tokeniser.quantiser.name}, '
        f'{tokeniser.quantiser.size:,} codes',
        init=init,
        train_step=partial(duel.train_step, own),
        diagnose=game.diagnose,
    )
