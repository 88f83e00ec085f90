"""What the methods of sequences share: a step as the network sees it, sums over steps,
and sequences drawn step by step until they end.

Sums over the first `length` steps are in nats. Strokes count in whole units of the
drawing, by a density of offsets with uniform noise of one unit on them, which bounds
the probability of the whole numbers (Theis et al. 2016, arXiv:1511.01844).
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from gan_vae.data.sequences import Padded
from gan_vae.keys import purpose_key
from gan_vae.learning.state import TrainState
from gan_vae.methods import contract
from gan_vae.methods.contract import refuse_condition
from gan_vae.objectives import emissions
from gan_vae.objectives.emissions import Emission


class Steps(NamedTuple):
    """A batch as networks take it."""

    x: jax.Array  # [B, T, D], scaled, ends marked
    inputs: jax.Array  # [B, T, I] of x
    mask: jax.Array  # [B, T], 1 where there is a step


def emission(spec, mixtures: int) -> Emission:
    """Of the kind of sequences; mixtures: Gaussians of a step of a drawing."""
    if spec.kind == 'rolls':
        return emissions.rolls(spec.features)
    return emissions.strokes(mixtures)


def constants(spec) -> dict:
    """mean and scale [D] of the set, which go with the parameters and do not learn."""
    given = spec.mean is not None
    return {
        'mean': jnp.array(spec.mean if given else (0.0,) * spec.features),
        'scale': jnp.array(spec.scale if given else (1.0,) * spec.features),
    }


def initial(key, network, emission: Emission, spec, minimiser) -> TrainState:
    """The state to begin with: `network` beside the constants of the set, its last
    layer's bias at what the set's mean asks."""
    key_n, key = (purpose_key(key, p) for p in ('network', 'run'))
    of_set = constants(spec)
    inputs = emission.inputs(jnp.zeros((1, spec.features)), of_set['mean'])
    params = network.init(key_n, inputs)['params']
    params['out']['bias'] = emission.bias(of_set['mean'])
    return minimiser.init(key, {'network': params, 'constants': of_set})


def generator_of(continuation: Callable) -> Callable:
    """`Method.generate` of a continuation: from nothing."""

    def generate(weights, key, n, condition=None, temperature=None):
        refuse_condition(condition)
        temperature = 1.0 if temperature is None else temperature
        return continuation(weights, key, None, n, temperature)

    return generate


def scaled(emission: Emission, constants: dict, padded: Padded) -> Steps:
    """The steps of a batch, scaled by the constants of the set."""
    constants = lax.stop_gradient(constants)
    steps = jnp.arange(padded.values.shape[1])
    mask = (steps < padded.length[:, None]).astype(jnp.float32)
    values = padded.values.astype(jnp.float32) / constants['scale']
    x = emission.marked(values * mask[..., None], padded.length)
    return Steps(x, emission.inputs(x, constants['mean']), mask)


def units(constants: dict, mask: jax.Array) -> jax.Array:
    """[B]: what turns log densities of scaled steps into those of whole units."""
    scale = jnp.sum(jnp.log(constants['scale']))
    return -lax.stop_gradient(scale) * jnp.sum(mask, -1)


def applied(network, name: str) -> Callable:
    """A method of a Flax module as a function of its parameters and arguments."""
    function = getattr(network, name)

    def run(params, *arguments):
        return network.apply({'params': params}, *arguments, method=function)

    return run


def per_step(metrics: dict, names: tuple[str, ...]) -> dict:
    """Metrics with those of `names` over the mean length of a sequence, in steps."""
    count = metrics['length']
    return metrics | {name: metrics[name] / count for name in names}


def sums(values: dict, batch: dict) -> dict:
    """What evaluate_step returns of nats [B] of sequences: count is of their steps."""
    return contract.sums(values, batch['mask'], batch['length'])


def before(x: jax.Array) -> jax.Array:
    """x [B, T, ...] one step later: zeros, x_1, ..., x_{T-1}."""
    return jnp.pad(x[:, :-1], ((0, 0), (1, 0), *((0, 0),) * (x.ndim - 2)))


def along(x):
    """A tree of [B, T, ...] as [T, B, ...], for a scan over steps, and back."""
    return jax.tree.map(lambda leaf: jnp.swapaxes(leaf, 0, 1), x)


def draw(
    emission: Emission,
    steps: int,
    step: Callable,
    carry,
    constants: dict,
    key: jax.Array,
    count: int,
    temperature,
    prompt: Padded | None = None,
) -> Padded:
    """`count` sequences drawn step by step, as long as `steps` or until they end.

    step: (carry, inputs of the step before [n, I], key, those of this step or zeros
    [n, I], whether this step is given [n]) -> (carry, outputs); carry: before the first
    step. prompt: the first steps, which stay as they are.
    """
    if prompt is None:
        width = len(constants['scale'])
        prompt = Padded(jnp.zeros((count, steps, width)), jnp.zeros(count, jnp.int32))
    missing = max(0, steps - prompt.values.shape[1])
    values = jnp.pad(prompt.values, ((0, 0), (0, missing), (0, 0)))[:, :steps]
    # none of what is given is marked as the end: it goes on
    steps_in = values.astype(jnp.float32) / constants['scale']
    zeros = jnp.zeros_like(emission.inputs(steps_in[:, 0], constants['mean']))

    def one(before, at):
        carry, past, length, going = before
        t, given = at
        is_given = t < prompt.length
        now = jax.random.fold_in(key, t)
        inputs = emission.inputs(given, constants['mean'])
        inputs = jnp.where(is_given[:, None], inputs, 0.0)
        carry, outputs = step(carry, past, jax.random.fold_in(now, 0), inputs, is_given)
        x = emission.draw(jax.random.fold_in(now, 1), outputs, temperature)
        x = jnp.where(is_given[:, None], given, x)
        length = length + going
        going = going & (is_given | ~emission.ends(x))
        past = emission.inputs(x, constants['mean'])
        return (carry, past, length, going), x

    length = jnp.zeros(count, jnp.int32)
    begin = carry, zeros, length, jnp.ones(count, bool)
    (_, _, length, _), x = lax.scan(
        one, begin, (jnp.arange(steps), jnp.swapaxes(steps_in, 0, 1))
    )
    x = jnp.swapaxes(x, 0, 1) * constants['scale']
    return Padded(emission.plain(x), length)
