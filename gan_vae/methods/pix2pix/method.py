"""Picture to picture, learned of pairs.

The duel (methods/gan/duel.py) of G(x) with D of [x, y], whose L is a |y - G(x)|: Isola
et al. 2017, arXiv:1611.07004. The paper's noise is dropout alone, and kept in samples;
here a picture is made without it, and so the same each time. A pair is one image whose
channels are those of x, then of y: so what changes a picture, such as a flip, changes
both alike.
"""

from functools import partial
from typing import Any

import jax.numpy as jnp

from gan_vae.devices.memory import recomputed
from gan_vae.keys import purpose_key
from gan_vae.learning import descent as descents
from gan_vae.learning.settings import Learning
from gan_vae.learning.state import TrainState
from gan_vae.methods import contract, pairs
from gan_vae.methods.contract import Method
from gan_vae.methods.gan import duel, game
from gan_vae.methods.gan.networks import train
from gan_vae.methods.pix2pix import Networks, Settings
from gan_vae.objectives import adversarial, augment

NAME = 'translator'


def make(
    settings: Settings, model: Networks, learning: Learning, spec, axis_name=None
) -> Method:
    """The Method of those settings, for pairs of shape `spec`, or for what a trained
    one is given."""
    colours = pairs.colours_of(spec)
    shape = (*spec.shape[:2], colours)
    network = pairs.translator(model, learning, spec, axis_name)
    alone = network.clone(axis_name=None)
    both = (*shape[:2], 2 * colours)
    init_d, judge = duel.discriminator(model, learning, both, axis_name)
    weight = settings.absolute_weight

    def parts(pair):
        """What is given, and what it should be."""
        wanted = 'pairs:FOLDER,FOLDER or fluent:line>flat'
        return pairs.parts(pair, colours, 'pix2pix', wanted)

    @recomputed(learning.remat)
    def forward(params, variables, x, key):
        return train(network, params, variables, x, rngs={'dropout': key})

    def create(params, variables, pair, keys):
        x, y = parts(pair)
        made, after = forward(params, variables, x, keys[0])
        error = jnp.mean(jnp.abs(y - made))
        return (made, weight * error), ({'absolute_error': error}, after)

    def shown(pair, made):
        x, _ = parts(pair)
        return pair, jnp.concatenate([x, made], -1)

    optimisers = duel.learners(NAME, learning)
    own = duel.Duel(
        name=NAME,
        create=create,
        shown=shown,
        judge=judge,
        augment=augment.make(settings.augment),
        loss=adversarial.named(settings.loss),
        weight=settings.adversarial_weight,
        ramp_steps=settings.ramp_steps,
        descent=descents.make(optimisers, settings, learning, axis_name),
    )

    def init(key) -> TrainState:
        of_g = network.init(purpose_key(key, NAME), jnp.zeros((2, *shape)))
        of_g, of_d = dict(of_g), init_d(purpose_key(key, duel.D))
        params = {NAME: of_g.pop('params'), duel.D: of_d.pop('params')}
        return duel.init(own, key, params, {NAME: of_g, duel.D: of_d})

    def translation(weights, x) -> Any:
        return alone.apply(weights.averaged[NAME], x)

    def evaluate_step(state, batch):
        """Of held-out pairs: the error of G(x), and beside it that of x itself."""
        x, y = parts(batch['image'])
        made = translation(state.weights(), x)
        values = {'absolute_error': jnp.mean(jnp.abs(y - made), (1, 2, 3))}
        for name, again in (('psnr', made), ('psnr_of_input', x)):
            values[name] = contract.psnr(y, again)
        return contract.sums(values, batch['mask'])

    def show(weights, pair):
        x, y = parts(pair)
        return jnp.concatenate([x, translation(weights, x), y], 2)

    ramp = f', from 0 in {own.ramp_steps} steps' if own.ramp_steps else ''
    return Method(
        objective=f'pix2pix: G {weight:g} |y - G(x)|, mean over values in [-1, 1], + '
        f'{own.weight:g} {settings.loss} L_G{ramp}; D {settings.loss} L_D of pairs',
        init=init,
        train_step=partial(duel.train_step, own),
        evaluate_step=evaluate_step,
        translation=translation,
        show=show,
        diagnose=game.diagnose,
    )
