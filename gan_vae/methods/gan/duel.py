"""A network that makes pictures of pictures, and a D that tells them from real ones.

  min_G  L(G(x)) + w r L_G(D(T(c, G(x))))    min_D  L_D(D(T(c, y)), D(T(c, G(x))))

y what G(x) should be, c what D is shown beside it (nothing, or x), T a differentiable
augmentation, the same of both parts; r goes from 0 to 1 over a ramp, in which D learns
already. Both learn of one batch at once: each network is run once forward, and D back
once for itself and once for G. A method gives what is its own: G, L, what D sees.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import jax
import jax.numpy as jnp

from gan_vae import models
from gan_vae.devices.memory import recomputed
from gan_vae.errors import UserError
from gan_vae.keys import example_indices, keys_of, purpose_key
from gan_vae.learning import descent as descents
from gan_vae.learning import optimizers
from gan_vae.learning.settings import Learning
from gan_vae.learning.state import TrainState, step_key
from gan_vae.methods.gan.networks import train
from gan_vae.objectives.adversarial import Adversarial

D = 'discriminator'


@dataclass(frozen=True, kw_only=True)
class Duel:
    """What the one update of both takes."""

    name: str  # of G's parameters
    # (params, variables, images, keys) -> ((G(x), L), (metrics, G's new variables))
    create: Callable
    shown: Callable  # (images, G(x)) -> what D sees of real ones, and of G(x)
    judge: Callable  # (params, variables, images) -> (logits, new variables)
    augment: Callable
    loss: Adversarial
    weight: float
    ramp_steps: int
    descent: descents.Descent
    follow: Callable = lambda state, metrics: (state, metrics)


def gradient(own: Duel, state: TrainState, params, variables, rows):
    """(gradients, (new variables, metrics)) of means over rows: images, and keys."""
    x, keys = rows
    weight = jnp.float32(own.weight)
    if own.ramp_steps:
        weight *= jnp.minimum(state.step / own.ramp_steps, 1.0)

    def create(p):
        return own.create(p, variables.get(own.name, {}), x, keys['own'])

    def compare(p, made):
        real, fake = own.shown(x, made)
        both = own.augment(jnp.tile(keys['augment'], 2), jnp.concatenate([real, fake]))
        logits, after = own.judge(p, variables[D], both)
        real, fake = jnp.split(logits, 2)
        losses = own.loss.discriminator(real, fake), own.loss.generator(fake)
        edge = own.loss.boundary or 0.0
        metrics = {
            'loss_d': losses[0],
            'accuracy_real': jnp.mean(1.0 * (real > edge)),
            'accuracy_fake': jnp.mean(1.0 * (fake < edge)),
        }
        return losses, (after, metrics)

    of_g = jax.vjp(create, params[own.name], has_aux=True)
    (made, value), back, (metrics, after_g) = of_g
    losses, back_d, (after, more) = jax.vjp(compare, params[D], made, has_aux=True)
    one, none = jnp.ones_like(losses[0]), jnp.zeros_like(losses[0])
    of_d, _ = back_d((one, none))
    _, of_made = back_d((none, weight * one))
    (of_maker,) = back((of_made, jnp.ones_like(value)))
    variables = {D: after} | ({own.name: after_g} if own.name in variables else {})
    metrics |= more | {'loss': value + weight * losses[1], 'loss_g': losses[1]}
    return {own.name: of_maker, D: of_d}, (variables, metrics)


def train_step(own: Duel, state: TrainState, batch):
    """(state, metrics) after one update of both."""
    descent, x = own.descent, batch['image']
    index = example_indices(len(x), descent.axis_name)
    keys = {n: keys_of(step_key(state, n), index) for n in ('augment', 'own')}
    grads, variables, metrics = descent.gradients(
        partial(gradient, own, state), state.params, state.variables, (x, keys)
    )
    for name, suffix in ((own.name, ''), (D, '_d')):
        state, update = descent.update(state, name, grads[name], suffix)
        metrics |= update
    after, metrics = own.follow(state, metrics)
    state = descent.keep(state, after)
    state = replace(state, variables=variables)
    return descent.advance(state, averaged(own, state)), metrics


def averaged(own: Duel, state: TrainState) -> dict:
    """{G: its parameters, and its variables where it has some}."""
    params = state.params[own.name]
    if own.name not in state.variables:
        return {own.name: params}
    return {own.name: {'params': params} | state.variables[own.name]}


def init(own: Duel, key, params: dict, variables: dict) -> TrainState:
    """The state at step 0, of params and variables {G, D}; G's may be none."""
    state = own.descent.init(purpose_key(key, 'run'), params, {}, variables)
    trees = jax.tree.map(jnp.copy, averaged(own, state))
    return replace(state, ema=trees)


def discriminator(
    model, learning: Learning, shape, axis_name
) -> tuple[Callable, Callable]:
    """(key -> D's variables with params, judge), of the section `model` and images of
    that shape."""
    if {'classes', 'words', 'codes'} & set(models.fields_of(D, model.discriminator)):
        raise UserError(
            f'config.model.discriminator={model.discriminator} takes or tells more '
            'than images: take patch_spectral'
        )
    network = models.make(
        D,
        model.discriminator,
        image_size=shape[0],
        width=model.discriminator_width,
        halvings=model.discriminator_halvings,
        axis_name=axis_name,
        dtype=jnp.dtype(learning.dtype),
    )

    @recomputed(learning.remat)
    def judge(params, variables, images):
        output, after = train(network, params, variables, images)
        return (output[0] if isinstance(output, tuple) else output), after

    return lambda key: dict(network.init(key, jnp.zeros((2, *shape)))), judge


def learners(name: str, learning: Learning) -> dict:
    """The optimisers of G and of D."""
    of_d = optimizers.of_discriminator(learning.optimizer)
    return {name: optimizers.make(learning), D: optimizers.make(learning, *of_d)}
