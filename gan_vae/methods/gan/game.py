"""The skeleton of adversarial methods: what D and G update, one after the other.

  min_D  L_D(D(T(x)), D(T(G(z)))) + terms       critic_steps times, then
  min_G  L_G(D(T(G(z')))) + terms               fresh x, z at each update

Goodfellow et al. 2014, arXiv:1406.2661. T is a differentiable augmentation, a D with
BatchNorm sees real and generated images in separate batches (their statistics stay
apart), and samples come from a moving average of G's weights and batch statistics. With
classes or captions a generated image has that of the real one beside it. A method is a
`Game`: its networks, its pair of losses, its terms.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from gan_vae.devices import loops
from gan_vae.keys import example_indices, keys_of, purpose_key
from gan_vae.learning.descent import Descent
from gan_vae.learning.state import Occasional, TrainState, step_key
from gan_vae.methods import contract
from gan_vae.methods.captions import wording
from gan_vae.methods.contract import Method
from gan_vae.methods.gan import networks as networks_lib
from gan_vae.methods.gan import terms as terms_lib
from gan_vae.methods.gan.terms import DiscriminatorView, GeneratorView, Term
from gan_vae.models import spectral
from gan_vae.objectives.adversarial import Adversarial


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
    schedule_steps: int = 1  # at which what moves with the optimizer's schedule ends
    # after `augment`: (keys, images, TrainState.extra, progress) -> images
    adaptive: Callable | None = None
    constrain: Callable | None = None  # D's parameters -> those after each update
    # (key, condition of the rows) -> that of G's update: theirs, or one drawn anew
    condition_of_g: Callable = lambda key, condition: condition

    @property
    def batches(self) -> int:
        """Batches of real images in a step: G of a paired loss has its own."""
        return self.critic_steps + self.loss.paired


class Rows(NamedTuple):
    """This device's rows of one update, cut together when a batch goes in parts."""

    real: jax.Array  # [B, H, W, C]
    label: jax.Array | None  # int [B], or of captions [B, length, ...]
    other_label: jax.Array | None  # of the next row in the batch of all devices
    index: jax.Array  # int [B], in that batch
    keys: dict[str, jax.Array]  # keys [B] by what they are for
    weight: jax.Array | None = None  # [B], of private training (learning/dp_sgd.py)


def network(state: TrainState, name: str) -> tuple[dict, dict]:
    """(parameters, variables) of one network of a state."""
    return state.params[name], state.variables[name]


def progress(game: Game, state: TrainState) -> jax.Array:
    """The share of the optimizer's schedule before this step, 0 to 1."""
    return jnp.minimum(state.step / game.schedule_steps, 1.0)


def augmented(game: Game, state: TrainState, keys, images):
    """T(images), each image by its key."""
    images = game.augment(keys, images)
    if game.adaptive is None:
        return images
    return game.adaptive(keys, images, state.extra, progress(game, state))


def init(game: Game, key: jax.Array) -> TrainState:
    """The state at step 0."""
    purposes = 'generator', 'discriminator', 'run'
    key_g, key_d, key = (purpose_key(key, p) for p in purposes)
    variables = game.networks.init(key_g, key_d)
    averaged = {'generator': dict(variables['generator'])}
    extra = terms_lib.states(variables, game.d_terms, game.g_terms)
    params = {name: v.pop('params') for name, v in variables.items()}
    return game.descent.init(key, params, averaged, variables, extra)


def begin(game: Game, state: TrainState) -> TrainState:
    """A state at step 0 whose weights are another run's now, as its terms keep them."""
    variables = {
        name: {'params': params, **state.variables[name]}
        for name, params in state.params.items()
    }
    return state.replace(
        extra=state.extra | terms_lib.states(variables, game.d_terms, game.g_terms)
    )


def discriminator_loss(game, state, turn, params, variables, rows):
    """(L_D + terms, (D's new variables, metrics)), means over rows in nats."""
    latents = game.networks.prior.draw(rows.keys['latents'])

    def generate(z):
        return game.networks.generate(
            *network(state, 'generator'),
            z,
            rows.label,
            rows.keys['noise'],
            _turn_key(game, state, 'noise', turn),
        )[0]

    def judge(variables, images, name, label):
        key = _turn_key(game, state, f'dropout {name}', turn)
        return game.networks.judge(params, variables, images, label, key, rows.index)

    fake, augment = generate(latents), partial(augmented, game, state)
    augment_real = partial(augment, rows.keys['augment_real'])
    augment_fake = partial(augment, rows.keys['augment_fake'])
    augmented_real, augmented_fake = augment_real(rows.real), augment_fake(fake)
    (real_verdict, fake_verdict), variables = game.networks.compare(
        params,
        variables,
        (augmented_real, augmented_fake),
        rows.label,
        [_turn_key(game, state, f'dropout {name}', turn) for name in ('real', 'fake')],
        rows.index,
    )
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
            logits=lambda images, label=rows.label: (
                judge(variables, images, name, label)[0].logits
            ),
            augment_real=augment_real,
            augment_fake=augment_fake,
            label=rows.label,
            other_label=rows.other_label,
            latents=latents,
            generate=lambda z: augment_fake(generate(z)),
            keys=rows.keys[name],
            key=_turn_key(game, state, name, turn),
            mean=game.descent.mean,
            state=state.extra.get(name),
            step=state.step,
            update=game.critic_steps * state.step + turn,
            progress=progress(game, state),
        )

    total, metrics = terms_lib.added(game.d_terms, view)
    values = judgements(game.loss, real_verdict.logits, fake_verdict.logits)
    metrics |= {'loss_d': loss} | {name: jnp.mean(v) for name, v in values.items()}
    return loss + total, (variables, metrics)


def discriminator_step(game: Game, state: TrainState, rows, turn):
    """(state, metrics) after D's update number `turn` of a step; rows: real images,
    their condition and their weight."""
    purposes = {'latents': 'z', 'augment_real': 'a', 'augment_fake': 'b'}
    purposes |= {'noise': 'noise'} | {name: name for name in game.d_terms}
    keys = {n: _turn_key(game, state, p, turn) for n, p in purposes.items()}
    loss = partial(discriminator_loss, game, state, turn)
    gradient = game.descent.differentiate(loss, 'discriminator')
    state, metrics = _update(
        game, state, 'discriminator', gradient, rows, keys, game.d_terms
    )
    if game.constrain:
        params = game.constrain(state.params['discriminator'])
        after = state.replace(params=state.params | {'discriminator': params})
        state = game.descent.keep(state, after)
    return state, metrics


def generator_loss(game, state, params, variables, rows):
    """(L_G + terms, (G's new variables, metrics)), means over rows in nats."""
    latents = game.networks.prior.draw(rows.keys['latents'])

    def generate(z):
        key = step_key(state, 'generator noise')
        noise = rows.keys['noise'], key
        return game.networks.generate(params, variables, z, rows.label, *noise)

    def judge(images, keys, purpose):
        images, key = augmented(game, state, keys, images), step_key(state, purpose)
        d = network(state, 'discriminator')
        return game.networks.judge(*d, images, rows.label, key, rows.index)[0]

    fake, after = generate(latents)
    verdict = judge(fake, rows.keys['augment_fake'], 'generator dropout')
    real_logits = None
    if game.loss.paired:
        purpose = 'generator dropout real'
        real_logits = judge(rows.real, rows.keys['augment_real'], purpose).logits
    loss = game.loss.generator(verdict.logits, real_logits)

    def view(name):
        return GeneratorView(
            params=params,
            variables=variables,
            latents=latents,
            fake=fake,
            fake_logits=verdict.logits,
            fake_auxiliary=verdict.auxiliary,
            label=rows.label,
            generate=lambda z: generate(z)[0],
            keys=rows.keys[name],
            key=step_key(state, name),
            mean=game.descent.mean,
            state=state.extra.get(name),
            step=state.step,
            update=state.step,
            progress=progress(game, state),
        )

    total, metrics = terms_lib.added(game.g_terms, view)
    return loss + total, (after, {'loss_g': loss} | metrics)


def generator_step(game: Game, state: TrainState, real, label, metrics_d):
    """(state, metrics) after G's update; real: images that a paired loss compares with,
    another does not read them; metrics_d: of D's last update, for the terms' states."""
    purposes = {
        'latents': 'generator z',
        'augment_fake': 'generator a',
        'augment_real': 'generator b',
        'noise': 'generator noise',
    } | {name: name for name in game.g_terms}
    keys = {n: step_key(state, p) for n, p in purposes.items()}
    gradient = jax.grad(partial(generator_loss, game, state), has_aux=True)
    label = game.condition_of_g(step_key(state, 'generator condition'), label)
    rows = real, label, None
    return _update(
        game, state, 'generator', gradient, rows, keys, game.g_terms, metrics_d
    )


def _turn_key(game: Game, state: TrainState, purpose: str, turn) -> jax.Array:
    """The key of `purpose` in D's update number `turn` of a step."""
    turns = range(game.critic_steps)
    return jnp.stack([step_key(state, f'{purpose} {n}') for n in turns])[turn]


def _next_rows(label: jax.Array | None, axis_name: str | None) -> jax.Array | None:
    """The labels of the rows after these in the batch of all devices."""
    if label is None:
        return None
    every = label
    if axis_name is not None:
        every = lax.all_gather(label, axis_name, tiled=True)
    return jnp.roll(every, -1, 0)[example_indices(len(label), axis_name)]


def _update(game, state, name, gradient, rows, keys, terms, metrics_before=None):
    """(state, metrics) after one update of a network; keys: {name in Rows: key}."""
    real, label, weight = rows
    index = example_indices(len(real), game.descent.axis_name)
    keys = {n: keys_of(key, index) for n, key in keys.items()}
    after = _next_rows(label, game.descent.axis_name)
    grads, variables, metrics = game.descent.gradients(
        gradient,
        *network(state, name),
        Rows(real, label, after, index, keys, weight),
    )
    state, update = game.descent.update(state, name, grads, f'_{name[0]}')
    of_both = (metrics_before or {}) | metrics
    state = state.replace(
        variables=state.variables | {name: variables},
        extra=terms_lib.advanced(terms, state.extra, of_both, state.step),
    )
    return state, metrics | update


def condition(game: Game, batch, keys) -> jax.Array | None:
    """What the images of a batch are conditioned on; of several wordings one by the
    image's key."""
    if game.networks.captions:
        return game.networks.captions.encode(wording(batch['text'], keys))
    return batch['label'] if game.networks.classes else None


def train_step(game: Game, state: TrainState, batch):
    """(state, metrics): D's updates, then G's. Metrics of D are means over its updates
    of the step."""
    index = example_indices(len(batch['image']), game.descent.axis_name)
    keys = keys_of(step_key(state, 'wording'), index)
    batch = [batch['image'], condition(game, batch, keys), batch.get('weight')]
    batch = jax.tree.map(lambda x: x.reshape(-1, game.batches, *x.shape[1:]), batch)
    turns = jax.tree.map(lambda x: x.swapaxes(0, 1), batch)

    @jax.jit
    def one(state, at):
        turn, rows = at
        return discriminator_step(game, state, rows, turn)

    count = game.critic_steps
    rows = jax.tree.map(lambda x: x[:count], turns)
    xs = jnp.arange(count), rows
    unroll = count == 1 or loops.are_slow(one, state, jax.tree.map(lambda x: x[0], xs))
    state, metrics_d = lax.scan(one, state, xs, unroll=unroll)
    last = jax.tree.map(lambda x: x[-1], (turns, metrics_d))
    state, metrics_g = generator_step(game, state, *last[0][:2], last[1])
    values = {'params': state.params['generator']} | state.variables['generator']
    state = game.descent.advance(state, {'generator': values})
    return state, mean_of(metrics_d) | metrics_g


def mean_of(metrics: dict) -> dict:
    """{name: mean over updates}, of values [updates], of those where it acted."""

    def mean(value):
        if not isinstance(value, Occasional):
            return jnp.mean(value, 0)
        acted = jnp.sum(value.acted, 0)
        total = jnp.sum(value.acted * value.value, 0)
        return Occasional(total / jnp.maximum(acted, 1.0), acted)

    return jax.tree.map(mean, metrics, is_leaf=lambda v: isinstance(v, Occasional))


def evaluate_step(game: Game, state: TrainState, batch):
    """D of held-out images, and of as many samples of G as it is now: where D tells
    held-out images less well than the training's, it has learned these by heart.
    """
    keys = keys_of(purpose_key(state.rng, 'evaluate'), batch['index'])
    label = condition(game, batch, keys)
    d, g = (
        {'params': state.params[name], **state.variables[name]}
        for name in ('discriminator', 'generator')
    )
    fake = game.networks.generate_eval(g, game.networks.prior.draw(keys), label)
    real = game.networks.judge_eval(d, batch['image'], label).logits
    fake = game.networks.judge_eval(d, fake, label).logits
    values = judgements(game.loss, real, fake)
    values = {n: jnp.mean(v.reshape(len(v), -1), 1) for n, v in values.items()}
    return contract.sums(values, batch['mask'])


def judgements(loss: Adversarial, real, fake) -> dict[str, jax.Array]:
    """The logits [B], or [B, P] of patches, and whether they are on the right side of
    the logit at which D is undecided."""
    values = {'real': real, 'fake': fake}
    if loss.boundary is not None:
        values['accuracy_real'] = 1.0 * (real > loss.boundary)
        values['accuracy_fake'] = 1.0 * (fake < loss.boundary)
    return values


def diagnose(state: TrainState) -> dict:
    """{'network/layer': largest singular value of its kernel} of spectral layers."""
    return {
        f'{name}/{layer}': value
        for name in state.variables
        for layer, value in spectral.largest(*network(state, name)).items()
    }


def sampling(networks: networks_lib.Pair, **latents) -> dict:
    """The fields of a Method by which the averaged G makes images of z of the prior.

    latents: further fields of its Latents.
    """

    def decode(weights, z, condition=None):
        return networks.sample(weights.averaged['generator'], z, condition)

    def settle(weights):
        g = networks.settle(weights.averaged['generator'])
        return weights.replace(averaged=weights.averaged | {'generator': g})

    own = contract.Latents(
        groups=(networks.prior.size,),
        prior=networks.prior.sample,
        decode=decode,
        styles=_styles(networks.styles) if networks.styles else None,
        **latents,
    )
    return {
        'generate': contract.generator_of(own),
        'settle': settle,
        'latents': own,
        'classes': networks.classes,
        'captions': networks.captions,
    }


def _styles(own: networks_lib.Styles) -> contract.Styles:
    """Those of the averaged G."""

    def map_latents(weights, z, condition=None, truncation=None):
        g = weights.averaged['generator']
        styles, mean = own.map(g, z, condition), own.mean(g)
        if truncation is not None:
            styles = mean + truncation * (styles - mean)
        return styles.reshape(styles.shape[0], -1)

    def decode(weights, styles, condition=None):
        styles = styles.reshape(styles.shape[0], own.layers, own.size)
        return own.draw(weights.averaged['generator'], styles)

    return contract.Styles(
        groups=(own.size,) * own.layers, map=map_latents, decode=decode
    )


def method(game: Game, objective: str, **more) -> Method:
    """The Method of a game; more: fields of it that differ from the usual ones."""
    return Method(
        **{
            'objective': objective,
            'init': partial(init, game),
            'begin': partial(begin, game),
            'train_step': partial(train_step, game),
            'evaluate_step': partial(evaluate_step, game),
            'evaluates': 'last',
            'batches_per_step': game.batches,
            'diagnose': diagnose,
        }
        | sampling(game.networks)
        | more
    )
