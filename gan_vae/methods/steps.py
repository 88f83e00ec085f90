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
from gan_vae.errors import UserError
from gan_vae.keys import purpose_key
from gan_vae.learning.state import TrainState
from gan_vae.objectives import emissions
from gan_vae.objectives.emissions import Emission


class Seen(NamedTuple):
    """A batch as networks take it."""

    x: jax.Array  # [B, T, D], scaled, ends marked
    inputs: jax.Array  # [B, T, I] of x
    mask: jax.Array  # [B, T], 1 where there is a step


def emission(config, spec) -> Emission:
    """Of config.method and the kind of sequences."""
    if spec.kind == 'rolls':
        return emissions.rolls(spec.features)
    mixtures = config.method.mixtures
    if mixtures < 1:
        raise UserError(f'config.method.mixtures={mixtures}: must be at least 1')
    return emissions.strokes(mixtures)


def constants(spec) -> dict:
    """mean and scale [D] of the set, which go with the parameters and do not learn."""
    given = spec.mean is not None
    return {
        'mean': jnp.array(spec.mean if given else (0.0,) * spec.features),
        'scale': jnp.array(spec.scale if given else (1.0,) * spec.features),
    }


def initial(rng, network, emission: Emission, spec, descending) -> TrainState:
    """The state to begin with: `network` beside the constants of the set, its last
    layer's bias at what the set's mean asks."""
    key, rng = (purpose_key(rng, p) for p in ('network', 'run'))
    held = constants(spec)
    inputs = emission.inputs(jnp.zeros((1, spec.features)), held['mean'])
    params = network.init(key, inputs)['params']
    params['out']['bias'] = emission.bias(held['mean'])
    return descending.init(rng, {'network': params, 'constants': held})


def samplers(complete: Callable) -> dict[str, Callable]:
    """A Method's `sample`, `tempered` and `complete`, of the last."""

    def tempered(state, rng, n, temperature, condition=None):
        if condition is not None:
            raise UserError('this model has no classes: it takes none to sample')
        return complete(state, rng, None, n, temperature)

    def sample(state, rng, n, condition=None):
        return tempered(state, rng, n, 1.0, condition)

    return {'sample': sample, 'tempered': tempered, 'complete': complete}


def seen(emission: Emission, constants: dict, padded: Padded) -> Seen:
    """The steps of a batch, scaled by the constants of the set."""
    constants = lax.stop_gradient(constants)
    steps = jnp.arange(padded.values.shape[1])
    mask = (steps < padded.length[:, None]).astype(jnp.float32)
    values = padded.values.astype(jnp.float32) / constants['scale']
    x = emission.marked(values * mask[..., None], padded.length)
    return Seen(x, emission.inputs(x, constants['mean']), mask)


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


def sums(values: dict, batch: dict, axis_name: str | None) -> dict:
    """What evaluate_step gives of nats [B] of sequences: count is of their steps."""
    mask = batch['mask']
    found = {name: jnp.sum(value * mask) for name, value in values.items()}
    found['count'] = jnp.sum(batch['length'] * mask)
    return found if axis_name is None else lax.psum(found, axis_name)


def before(x: jax.Array) -> jax.Array:
    """x [B, T, ...] one step later: zeros, x_1, ..., x_{T-1}."""
    return jnp.pad(x[:, :-1], ((0, 0), (1, 0), *((0, 0),) * (x.ndim - 2)))


def along(x):
    """A tree of [B, T, ...] as [T, B, ...], for a scan over steps, and back."""
    return jax.tree.map(lambda leaf: jnp.swapaxes(leaf, 0, 1), x)


def drawn(
    emission: Emission,
    steps: int,
    step: Callable,
    carry,
    constants: dict,
    key: jax.Array,
    count: int,
    temperature,
    begun: Padded | None = None,
) -> Padded:
    """`count` sequences drawn step by step, as long as `steps` or until they end.

    step: (carry, inputs of the step before [n, I], key, those of this step or zeros
    [n, I], whether this step is given [n]) -> (carry, outputs); carry: before the first
    step. begun: the first steps, which stay as they are.
    """
    if begun is None:
        width = len(constants['scale'])
        begun = Padded(jnp.zeros((count, steps, width)), jnp.zeros(count, jnp.int32))
    missing = max(0, steps - begun.values.shape[1])
    values = jnp.pad(begun.values, ((0, 0), (0, missing), (0, 0)))[:, :steps]
    # none of what is given is marked as the end: it goes on
    scaled = values.astype(jnp.float32) / constants['scale']
    zeros = jnp.zeros_like(emission.inputs(scaled[:, 0], constants['mean']))

    def one(before, at):
        carry, past, length, going = before
        t, given = at
        is_given = t < begun.length
        now = jax.random.fold_in(key, t)
        shown = emission.inputs(given, constants['mean'])
        shown = jnp.where(is_given[:, None], shown, 0.0)
        carry, outputs = step(carry, past, jax.random.fold_in(now, 0), shown, is_given)
        x = emission.draw(jax.random.fold_in(now, 1), outputs, temperature)
        x = jnp.where(is_given[:, None], given, x)
        length = length + going
        going = going & (is_given | ~emission.ends(x))
        past = emission.inputs(x, constants['mean'])
        return (carry, past, length, going), x

    length = jnp.zeros(count, jnp.int32)
    begin = carry, zeros, length, jnp.ones(count, bool)
    (_, _, length, _), x = lax.scan(
        one, begin, (jnp.arange(steps), jnp.swapaxes(scaled, 0, 1))
    )
    x = jnp.swapaxes(x, 0, 1) * constants['scale']
    return Padded(emission.plain(x), length)
