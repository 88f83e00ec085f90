"""What the methods of sequences share: a step as the network sees it, sums over steps,
sequences drawn step by step until they end, and the Method itself.

Sums over the first `length` steps are in nats. Strokes count in whole units of the
drawing, by a density of offsets with uniform noise of one unit on them, which bounds
the probability of the whole numbers (Theis et al. 2016, arXiv:1511.01844).
"""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from gan_vae.data.sequences import Padded
from gan_vae.errors import UserError
from gan_vae.keys import purpose_key
from gan_vae.methods import minimisation
from gan_vae.methods.contract import Method, refuse_condition
from gan_vae.objectives import emissions
from gan_vae.objectives.emissions import Emission

PER_STEP = 'log_prob', 'elbo', 'reconstruction', 'kl'  # metrics in nats


class Steps(NamedTuple):
    """A batch as networks take it."""

    x: jax.Array  # [B, T, D], scaled, ends marked
    inputs: jax.Array  # [B, T, I] of x
    mask: jax.Array  # [B, T], 1 where there is a step


def emission(spec, mixtures: int) -> Emission:
    """Of the kind of sequences; mixtures: Gaussians of a step of a drawing."""
    if spec.kind == 'text':
        raise UserError(
            'config.data.name is of text: config.method.name=text_transformer'
        )
    if spec.kind == 'rolls':
        return emissions.rolls(spec.features)
    return emissions.strokes(mixtures)


def initial(key, network, emission: Emission, spec) -> dict:
    """The parameters of `network`, its last layer's bias at what the mean of the set
    asks, and beside them the set's mean and scale [D], which do not learn."""
    known = spec.mean is not None
    mean = jnp.array(spec.mean if known else (0.0,) * spec.features)
    scale = jnp.array(spec.scale if known else (1.0,) * spec.features)
    inputs = emission.inputs(jnp.zeros((1, spec.features)), mean)
    params = network.init(purpose_key(key, 'network'), inputs)['params']
    params['out']['bias'] = emission.bias(mean)
    return {'network': params, 'constants': {'mean': mean, 'scale': scale}}


def method(
    settings,
    learning,
    axis_name: str | None,
    *,
    network,
    emission: Emission,
    spec,
    objective: str,
    loss: Callable,
    continuation: Callable,
    **others,
) -> Method:
    """The Method of `minimisation.method` for sequences, its metrics in nats a step.

    objective: the loss in symbols; others: as there.
    """

    def loss_and_length(state, params, rows):
        value, metrics = loss(state, params, rows)
        return value, metrics | {'length': jnp.mean(1.0 * rows.examples.length)}

    def generate(weights, key, n, condition=None, temperature=None):
        refuse_condition(condition)
        temperature = 1.0 if temperature is None else temperature
        return continuation(weights, key, None, n, temperature)

    per_sequence = minimisation.method(
        settings,
        learning,
        axis_name,
        objective=f'{objective}, nats a sequence (mean over the batch); '
        f'{emission.formula}',
        params=lambda key: initial(key, network, emission, spec),
        loss=loss_and_length,
        generate=generate,
        continuation=continuation,
        **others,
    )

    def train_step(state, batch):
        state, metrics = per_sequence.train_step(state, batch)
        nats = {k: v / metrics['length'] for k, v in metrics.items() if k in PER_STEP}
        return state, metrics | nats

    return replace(per_sequence, train_step=train_step)


def scaled(emission: Emission, params: dict, padded: Padded) -> Steps:
    """The steps of a batch, scaled by the constants of the set."""
    constants = lax.stop_gradient(params['constants'])
    steps = jnp.arange(padded.values.shape[1])
    mask = (steps < padded.length[:, None]).astype(jnp.float32)
    values = padded.values.astype(jnp.float32) / constants['scale']
    x = emission.marked(values * mask[..., None], jnp.asarray(padded.length))
    return Steps(x, emission.inputs(x, constants['mean']), mask)


def units(params: dict, mask: jax.Array) -> jax.Array:
    """[B]: what turns log densities of scaled steps into those of whole units."""
    scale = jnp.sum(jnp.log(params['constants']['scale']))
    return -lax.stop_gradient(scale) * jnp.sum(mask, -1)


def log_prob(emission: Emission, params: dict, steps: Steps, outputs) -> jax.Array:
    """log p [B] of whole sequences by the network's outputs [B, T, O], in nats."""
    each = emission.log_prob(outputs, steps.x) * steps.mask
    return jnp.sum(each, -1) + units(params, steps.mask)


def before(x: jax.Array) -> jax.Array:
    """x [B, T, ...] one step later: zeros, x_1, ..., x_{T-1}."""
    return jnp.pad(x[:, :-1], ((0, 0), (1, 0), *((0, 0),) * (x.ndim - 2)))


def along(x):
    """A tree of [B, T, ...] as [T, B, ...], for a scan over steps, and back."""
    return jax.tree.map(lambda leaf: jnp.swapaxes(leaf, 0, 1), x)


def scan(step: Callable, carry, x) -> tuple:
    """`lax.scan` over the steps of trees of [B, T, ...]."""
    carry, outputs = lax.scan(step, carry, along(x))
    return carry, along(outputs)


def draw(
    emission: Emission,
    steps: int,
    step: Callable,
    carry,
    params: dict,
    key: jax.Array,
    count: int,
    temperature,
    prompt: Padded | None = None,
) -> Padded:
    """`count` sequences drawn step by step, as long as `steps` or until they end.

    step: (carry, inputs of the step before [n, I], key, those of this step or zeros
    [n, I], whether this step is of the prompt [n]) -> (carry, outputs); carry: before
    the first step. prompt: the first steps, which stay as they are.
    """
    mean, scale = (params['constants'][name] for name in ('mean', 'scale'))
    if prompt is None:
        shape = count, steps, len(scale)
        prompt = Padded(jnp.zeros(shape), jnp.zeros(count, jnp.int32))
    missing = max(0, steps - prompt.values.shape[1])
    values = jnp.pad(prompt.values, ((0, 0), (0, missing), (0, 0)))[:, :steps]
    # no step of the prompt is marked as the end: it goes on
    values = values.astype(jnp.float32) / scale

    def one(before, at):
        carry, past, length, going = before
        t, prompted = at
        is_prompt = t < prompt.length
        now = jax.random.fold_in(key, t)
        inputs = jnp.where(is_prompt[:, None], emission.inputs(prompted, mean), 0.0)
        carry, outputs = step(
            carry, past, jax.random.fold_in(now, 0), inputs, is_prompt
        )
        x = emission.draw(jax.random.fold_in(now, 1), outputs, temperature)
        x = jnp.where(is_prompt[:, None], prompted, x)
        length = length + going
        going = going & (is_prompt | ~emission.ends(x))
        return (carry, emission.inputs(x, mean), length, going), x

    zeros = jnp.zeros_like(emission.inputs(values[:, 0], mean))
    begin = carry, zeros, jnp.zeros(count, jnp.int32), jnp.ones(count, bool)
    (_, _, length, _), x = lax.scan(one, begin, (jnp.arange(steps), along(values)))
    return Padded(emission.plain(along(x) * scale), length)
