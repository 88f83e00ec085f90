"""The one update of parameters, for one or several learners.

Gradients of means over rows, in parts, are averaged over devices; the optimiser's state
and the averaged weights are copies or lie in parts; updates that are not finite or far
too large are skipped: as the settings of the optimiser, of `parallel` and of the
averages say. Averages over devices are taken here and nowhere else.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import lax

from gan_vae.devices import layout as layouts
from gan_vae.devices.memory import accumulated
from gan_vae.learning import optimizers
from gan_vae.learning.settings import Averaging, Learning
from gan_vae.learning.state import TrainState


class Learner(NamedTuple):
    """An optimiser, and which part of the parameters it updates."""

    optimizer: optax.GradientTransformationExtraArgs
    select: Callable[[dict], Any]  # parameters -> its part
    replace: Callable[[dict, Any], dict]  # (parameters, its new part) -> parameters


def network(optimizer, name: str) -> Learner:
    """The learner of one entry of the parameters."""
    return Learner(optimizer, lambda p: p[name], lambda p, new: p | {name: new})


def all_but(optimizer, *names: str) -> Learner:
    """The learner of all entries but those."""
    return Learner(
        optimizer,
        lambda p: {n: v for n, v in p.items() if n not in names},
        lambda p, new: p | new,
    )


class Descent(NamedTuple):
    """The learners of a method, on one device of a mapped axis."""

    learners: Mapping[str, Learner]
    averaging: Callable  # (average, values, step) -> average
    layout: layouts.Layout
    parts: int  # of a device's rows
    axis_name: str | None

    def init(
        self,
        key: jax.Array,
        params: dict,
        averaged: Any,
        variables: dict | None = None,
        extra: dict | None = None,
    ) -> TrainState:
        """The state at step 0; key: of the run; averaged: what the averages start at,
        a tree of the same arrays or of others."""
        return TrainState(
            step=jnp.zeros((), jnp.int32),
            rng=key,
            params=params,
            variables=variables or {},
            opt_state={
                name: learner.optimizer.init(learner.select(params))
                for name, learner in self.learners.items()
            },
            ema=jax.tree.map(jnp.copy, averaged),
            extra=extra or {},
        )

    def gradients(self, gradient: Callable, params, variables, rows) -> tuple:
        """(gradients, variables, metrics) over the rows of this device, in parts.

        gradient: (params, variables, rows) -> (gradients, (variables, metrics)), means
        over rows, a tree of arrays [B, ...]. Metrics come back averaged over devices;
        gradients are averaged by `update`.
        """
        grads, (variables, metrics) = accumulated(gradient, self.parts)(
            params, variables, rows
        )
        return grads, variables, self.mean(metrics)

    def update(
        self, state: TrainState, name: str, grads, suffix: str = '', learns=None
    ) -> tuple[TrainState, dict]:
        """(state, metrics) after one step of a learner; the metrics' names end in
        `suffix`. learns: bool [], whether it takes the step at all.
        """
        learner, opt_state = self.learners[name], state.opt_state[name]
        params = learner.select(state.params)
        *new, norm = layouts.update(
            self.layout, learner.optimizer, grads, opt_state, params
        )
        if learns is not None:
            new = jax.tree.map(partial(jnp.where, learns), new, [params, opt_state])
        metrics = optimizers.guard_metrics(new[1], norm)
        state = state.replace(
            params=learner.replace(state.params, new[0]),
            opt_state=state.opt_state | {name: new[1]},
        )
        return state, {f'{key}{suffix}': value for key, value in metrics.items()}

    def advance(self, state: TrainState, values) -> TrainState:
        """The state of the next step, its averages moved towards `values`."""
        ema = self.averaging(state.ema, self.layout.shard(values), state.step)
        return state.replace(step=state.step + 1, ema=ema)

    def mean(self, tree):
        """A tree of scalars, averaged over devices."""
        return tree if self.axis_name is None else lax.pmean(tree, self.axis_name)


def make(
    learners: Mapping[str, Learner],
    settings: Averaging,
    learning: Learning,
    axis_name: str | None,
) -> Descent:
    """The Descent of those learners."""
    return Descent(
        learners,
        optimizers.averaging(settings, learning.batch_size),
        layouts.make(learning.shard_state, axis_name),
        learning.accumulate,
        axis_name,
    )


class Minimiser(NamedTuple):
    """The descent of one loss by one optimiser, in all parameters."""

    init: Callable  # (key of the run, params) -> TrainState
    # (state, rows, objective) -> (state, metrics); rows: a tree of arrays [B, ...];
    # objective: (params, rows) -> (loss, {name: scalar}), means over rows
    step: Callable


def minimiser(settings: Averaging, learning: Learning, axis_name=None) -> Minimiser:
    """How a method without rivals learns."""
    optimizer = optimizers.make(learning)
    descent = make({'all': all_but(optimizer)}, settings, learning, axis_name)

    def step(state, rows, objective):
        def gradient(params, variables, rows):
            grads, metrics = jax.grad(objective, has_aux=True)(params, rows)
            return grads, (variables, metrics)

        grads, _, metrics = descent.gradients(
            gradient, state.params, state.variables, rows
        )
        state, update = descent.update(state, 'all', grads)
        return descent.advance(state, state.params), metrics | update

    return Minimiser(lambda key, params: descent.init(key, params, params), step)
