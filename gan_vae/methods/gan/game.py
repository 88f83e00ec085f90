"""The skeleton of adversarial methods: what D and G update, one after the other.

  min_D  L_D(D(T(x)), D(T(G(z)))) + terms       critic_steps times, then
  min_G  L_G(D(T(G(z')))) + terms               fresh x, z at each update

Goodfellow et al. 2014, arXiv:1406.2661. T is a differentiable augmentation, D sees real
and generated images in separate batches (their BatchNorm statistics stay apart), and
samples come from a moving average of G's weights and batch statistics. With classes a
generated image has the class of the real one beside it. A method is a `Game`: its
networks, its pair of losses, its terms.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp

from gan_vae.keys import example_indices, keys_of, purpose_key
from gan_vae.learning.descent import Descent
from gan_vae.learning.state import Occasional, TrainState, Weights, step_key
from gan_vae.methods import contract
from gan_vae.methods.contract import Method
from gan_vae.methods.gan import networks as networks_lib
from gan_vae.methods.gan import terms as terms_lib
from gan_vae.methods.gan.terms import DiscriminatorView, GeneratorView, Term
from gan_vae.models import spectral
from gan_vae.objectives.adversarial import Adversarial


def _unchanged(params):
    return params


@dataclass(frozen=True)
class Game:
    """What the updates of both networks share."""

    networks: networks_lib.Pair
    loss: Adversarial
    augment: Callable  # T: (keys [B], images) -> images
    d_terms: dict[str, Term]
    g_terms: dict[str, Term]
    descent: Descent
    critic_steps: int = 1
    constrain: Callable = _unchanged  # D's parameters after each update

    @property
    def batches(self) -> int:
        """Batches of real images in a step: G of a paired loss has its own."""
        return self.critic_steps + self.loss.paired


class Rows(NamedTuple):
    """This device's rows of one update, cut together when a batch goes in parts."""

    real: jax.Array  # [B, H, W, C]
    label: jax.Array | None  # int [B]
    index: jax.Array  # int [B], in the batch of all devices
    keys: dict[str, jax.Array]  # keys [B] by what they are for


class Variables(NamedTuple):
    """A network as it is while the other one is updated."""

    params: dict
    variables: dict


def network(state: TrainState, name: str) -> Variables:
    """One network of a state."""
    return Variables(state.params[name], state.variables[name])


def init(game: Game, key: jax.Array) -> TrainState:
    """The state at step 0."""
    key_g, key_d, key = (
        purpose_key(key, p) for p in ('generator', 'discriminator', 'run')
    )
    variables = game.networks.init(key_g, key_d)
    params = {name: v.pop('params') for name, v in variables.items()}
    return game.descent.init(
        key,
        params,
        averaged={
            'generator': {'params': params['generator']} | variables['generator']
        },
        variables=variables,
        extra=terms_lib.states(game.d_terms, game.g_terms),
    )


def discriminator_loss(game, params, variables, rows, latents, g, state, turn):
    """(L_D + terms, (D's new variables, metrics)), nats per example."""

    def dropout(name):
        return step_key(state, f'dropout {name} {turn}')

    def generate(z):
        return game.networks.generate(*g, z, rows.label)[0]

    def judge(variables, images, name):
        key = dropout(name)
        return game.networks.judge(
            params, variables, images, rows.label, key, rows.index
        )

    fake = generate(latents)
    augmented_real = game.augment(rows.keys['augment_real'], rows.real)
    augmented_fake = game.augment(rows.keys['augment_fake'], fake)
    real_verdict, variables = judge(variables, augmented_real, 'real')
    fake_verdict, variables = judge(variables, augmented_fake, 'fake')
    loss = game.loss.discriminator(real_verdict.logits, fake_verdict.logits)

    def view(name):
        return DiscriminatorView(
            real=rows.real,
            fake=fake,
            augmented_real=augmented_real,
            augmented_fake=augmented_fake,
            real_logits=real_verdict.logits,
            fake_logits=fake_verdict.logits,
            real_auxiliary=real_verdict.auxiliary,
            fake_auxiliary=fake_verdict.auxiliary,
            logits=lambda images: judge(variables, images, name)[0].logits,
            label=rows.label,
            latents=latents,
            generate=lambda z: game.augment(rows.keys['augment_fake'], generate(z)),
            keys=rows.keys[name],
            state=state.extra.get(name),
            step=state.step,
            update=game.critic_steps * state.step + turn,
        )

    total, metrics = terms_lib.added(game.d_terms, view)
    metrics |= {
        'loss_d': loss,
        'real': jnp.mean(real_verdict.logits),
        'fake': jnp.mean(fake_verdict.logits),
    } | accuracies(game.loss, real_verdict.logits, fake_verdict.logits, jnp.mean)
    return loss + total, (variables, metrics)


def discriminator_gradient(game, state, turn, params, variables, rows):
    """(gradients, (D's new variables, metrics)) of means over rows."""
    latents = game.networks.prior.draw(rows.keys['latents'])
    g = network(state, 'generator')
    return jax.grad(partial(discriminator_loss, game), has_aux=True)(
        params, variables, rows, latents, g, state, turn
    )


def discriminator_step(game: Game, state: TrainState, real, label, turn: int):
    """(state, metrics) after D's update number `turn` of a step."""
    index = example_indices(real.shape[0], game.descent.axis_name)
    purposes = {
        'latents': f'z {turn}',
        'augment_real': f'a {turn}',
        'augment_fake': f'b {turn}',
    } | {name: f'{name} {turn}' for name in game.d_terms}
    rows = Rows(real, label, index, _keys(state, purposes, index))
    grads, variables, metrics = game.descent.gradients(
        partial(discriminator_gradient, game, state, turn),
        *network(state, 'discriminator'),
        rows,
    )
    state, update = game.descent.update(state, 'discriminator', grads, '_d')
    params = game.constrain(state.params['discriminator'])
    state = state.replace(
        params=state.params | {'discriminator': params},
        variables=state.variables | {'discriminator': variables},
        extra=terms_lib.advanced(game.d_terms, state.extra, metrics, state.step),
    )
    return state, metrics | update


def generator_loss(game, params, variables, rows, latents, d, state):
    """(L_G + terms, (G's new variables, metrics)), nats per example."""

    def judge(images, keys, purpose):
        images, key = game.augment(keys, images), step_key(state, purpose)
        return game.networks.judge(*d, images, rows.label, key, rows.index)[0]

    fake, after = game.networks.generate(params, variables, latents, rows.label)
    verdict = judge(fake, rows.keys['augment_fake'], 'generator dropout')
    real_logits = None
    if game.loss.paired:
        purpose = 'generator dropout real'
        real_logits = judge(rows.real, rows.keys['augment_real'], purpose).logits
    loss = game.loss.generator(verdict.logits, real_logits)

    def view(name):
        return GeneratorView(
            params=params,
            latents=latents,
            fake=fake,
            fake_logits=verdict.logits,
            fake_auxiliary=verdict.auxiliary,
            label=rows.label,
            generate=lambda z: game.networks.generate(params, variables, z, rows.label)[
                0
            ],
            keys=rows.keys[name],
            state=state.extra.get(name),
            step=state.step,
            update=state.step,
        )

    total, metrics = terms_lib.added(game.g_terms, view)
    return loss + total, (after, {'loss_g': loss} | metrics)


def generator_gradient(game, state, params, variables, rows):
    """(gradients, (G's new variables, metrics)) of means over rows."""
    latents = game.networks.prior.draw(rows.keys['latents'])
    d = network(state, 'discriminator')
    return jax.grad(partial(generator_loss, game), has_aux=True)(
        params, variables, rows, latents, d, state
    )


def generator_step(game: Game, state: TrainState, real, label, metrics_d):
    """(state, metrics) after G's update; real: images that a paired loss compares with,
    another does not read them; metrics_d: of D's last update, for the terms' states."""
    index = example_indices(real.shape[0], game.descent.axis_name)
    purposes = {
        'latents': 'generator z',
        'augment_fake': 'generator a',
        'augment_real': 'generator b',
    } | {name: name for name in game.g_terms}
    rows = Rows(real, label, index, _keys(state, purposes, index))
    grads, variables, metrics = game.descent.gradients(
        partial(generator_gradient, game, state), *network(state, 'generator'), rows
    )
    state, update = game.descent.update(state, 'generator', grads, '_g')
    known = metrics_d | metrics
    return state.replace(
        variables=state.variables | {'generator': variables},
        extra=terms_lib.advanced(game.g_terms, state.extra, known, state.step),
    ), metrics | update


def train_step(game: Game, state: TrainState, batch):
    """(state, metrics): D's updates, then G's. Metrics of D are means over its updates
    of the step."""
    batch = [batch['image'], batch['label'] if game.networks.classes else None]
    batch = jax.tree.map(lambda x: x.reshape(-1, game.batches, *x.shape[1:]), batch)
    turns = [jax.tree.map(lambda x, t=t: x[:, t], batch) for t in range(game.batches)]
    metrics_d = []
    for turn in range(game.critic_steps):  # unrolled: see memory.accumulated
        state, metrics = discriminator_step(game, state, *turns[turn], turn)
        metrics_d.append(metrics)
    state, metrics_g = generator_step(game, state, *turns[-1], metrics_d[-1])
    values = {'params': state.params['generator']} | state.variables['generator']
    state = game.descent.advance(state, {'generator': values})
    return state, mean_of(metrics_d) | metrics_g


def mean_of(metrics: list[dict]) -> dict:
    """{name: mean over updates}, of those where it acted."""

    def mean(*values):
        if not isinstance(values[0], Occasional):
            return sum(values) / len(values)
        acted = sum(v.acted for v in values)
        total = sum(v.acted * v.value for v in values)
        return Occasional(total / jnp.maximum(acted, 1.0), acted)

    if len(metrics) == 1:
        return metrics[0]
    return jax.tree.map(mean, *metrics, is_leaf=lambda v: isinstance(v, Occasional))


def evaluate_step(game: Game, state: TrainState, batch):
    """D of held-out images, and of as many samples of G as it is now: where D tells
    held-out images less well than the training's, it has learned these by heart.
    """
    label = batch['label'] if game.networks.classes else None
    d, g = (
        {'params': params, **variables}
        for params, variables in (
            network(state, n) for n in ('discriminator', 'generator')
        )
    )
    keys = keys_of(purpose_key(state.rng, 'evaluate'), batch['index'])
    fake = game.networks.generate_eval(g, game.networks.prior.draw(keys), label)
    real = game.networks.judge_eval(d, batch['image'], label).logits
    fake = game.networks.judge_eval(d, fake, label).logits
    values = {'real': real, 'fake': fake}
    values |= accuracies(game.loss, real, fake, lambda x: x)
    return contract.sums(values, batch['mask'])


def accuracies(loss: Adversarial, real, fake, mean: Callable) -> dict:
    """Shares on the right side of the logit at which D is undecided."""
    if loss.boundary is None:
        return {}
    return {
        'accuracy_real': mean(1.0 * (real > loss.boundary)),
        'accuracy_fake': mean(1.0 * (fake < loss.boundary)),
    }


def diagnose(state: TrainState) -> dict:
    """{'network/layer': largest singular value of its kernel} of spectral layers."""
    return {
        f'{name}/{layer}': value
        for name in state.params
        for layer, value in spectral.largest(
            state.params[name], state.variables[name]
        ).items()
    }


def latents_of(networks: networks_lib.Pair) -> contract.Latents:
    """z of the prior <-> images of the averaged G."""

    def decode(weights, z, condition=None):
        return networks.sample(weights.averaged['generator'], z, condition)

    return contract.Latents(
        groups=(networks.prior.size,),
        prior=contract.prior_of(networks.prior.draw),
        decode=decode,
    )


def settler(networks: networks_lib.Pair) -> Callable[[Weights], Weights]:
    """`Method.settle` of a generator, by the statistics that its samples have."""

    def settle(weights):
        key = jax.random.key(0)  # the same latents whoever calls: samples stay the same
        g = networks.settle(weights.averaged['generator'], key)
        return weights.replace(averaged=weights.averaged | {'generator': g})

    return settle


def method(game: Game, objective: str, **more) -> Method:
    """The Method of a game; more: fields of it that differ from the usual ones."""
    latents = latents_of(game.networks)
    fields = {
        'objective': objective,
        'init': partial(init, game),
        'train_step': partial(train_step, game),
        'evaluate_step': partial(evaluate_step, game),
        'generate': contract.generator_of(latents),
        'evaluates': 'last',
        'batches_per_step': game.batches,
        'classes': game.networks.classes,
        'settle': settler(game.networks),
        'diagnose': diagnose,
        'latents': latents,
    }
    return Method(**fields | more)


def _keys(state: TrainState, purposes: dict[str, str], index) -> dict[str, jax.Array]:
    """{name: keys [B]} of this step, one for each row."""
    return {name: keys_of(step_key(state, p), index) for name, p in purposes.items()}
