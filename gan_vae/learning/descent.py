"""Descent of one loss by one optimiser: how a Method without rivals learns.

Parameters that are copied or lie in parts, batches in parts, one averaged copy: as the
config sections optimizer, parallel and method say.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from gan_vae.devices import layout as layouts
from gan_vae.devices.memory import accumulated
from gan_vae.learning import optimizers
from gan_vae.learning.state import TrainState


class Descent(NamedTuple):
    """Where a run begins, and one update of it."""

    init: Callable  # (rng of the run, params) -> TrainState
    # (state, rows, objective) -> (state, metrics); rows: a tree of arrays [B, ...];
    # objective: (params, rows) -> (loss, {name: scalar}), means over rows
    step: Callable


def make(config, axis_name=None) -> Descent:
    """The Descent of a config, per device of the mapped axis."""
    parallel = config.parallel
    learner = optimizers.make(
        config.optimizer, config.train.steps, config.optimizer.learning_rate
    )
    layout = layouts.make(parallel.shard_state, axis_name)
    moving_average = optimizers.averaging(config.method, config.data.batch_size)
    parts = parallel.accumulate

    def init(rng, params) -> TrainState:
        return TrainState(
            step=jnp.zeros((), jnp.int32),
            rng=rng,
            params=params,
            variables={},
            opt_state={'all': learner.init(params)},
            ema=jax.tree.map(jnp.copy, params),
            extra={},
        )

    def step(state, rows, objective):
        def gradient(params, variables, rows):
            grads, metrics = jax.grad(objective, has_aux=True)(params, rows)
            return grads, (variables, metrics)

        grads, (_, metrics) = accumulated(gradient, parts)(
            state.params, state.variables, rows
        )
        if axis_name is not None:
            metrics = lax.pmean(metrics, axis_name)
        params, opt_state, norm = layouts.update(
            layout, learner, grads, state.opt_state['all'], state.params
        )
        ema = moving_average(state.ema, layout.own(params), state.step)
        state = state.replace(
            step=state.step + 1, params=params, opt_state={'all': opt_state}, ema=ema
        )
        return state, metrics | optimizers.guard_metrics(opt_state, norm)

    return Descent(init, step)
