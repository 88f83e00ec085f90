"""The one update of parameters, for one or several learners.

Gradients of means over rows, in parts, are averaged over devices; the optimiser's state
and the averaged weights are copies or lie in parts; updates that are not finite or far
too large are skipped, and frozen parameters stay: as the settings of the optimiser, of
`parallel` and of the averages say. Averages over devices are taken here and nowhere
else. With config.privacy each row's gradient is clipped, and noise is added to their
mean (dp_sgd.py).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import lax

from gan_vae.config.fields import names_of
from gan_vae.devices import layout as layouts
from gan_vae.devices.memory import accumulated
from gan_vae.errors import UserError
from gan_vae.learning import dp_sgd, frozen, optimizers
from gan_vae.learning.settings import Averaging, Learning
from gan_vae.learning.state import TrainState


class Descent(NamedTuple):
    """The optimisers of a method, on one device of a mapped axis."""

    # {entry of the parameters: its optimiser}; 'all': entries that no other one has
    learners: Mapping[str, optax.GradientTransformationExtraArgs]
    averaging: Callable  # (average, values, step) -> average
    layout: layouts.Layout
    parts: int  # of a device's rows
    axis_name: str | None
    frozen: list[str]  # names of parameters that do not learn
    gradient: Callable = partial(jax.grad, has_aux=True)  # of a loss with metrics

    def init(
        self,
        key: jax.Array,
        params: dict,
        averaged: Any,
        variables: dict | None = None,
        extra: dict | None = None,
    ) -> TrainState:
        """The state at step 0; key: of the run; averaged: the trees that are averaged,
        as they are at the start."""
        frozen.check(params, self.frozen)
        return TrainState(
            step=jnp.zeros((), jnp.int32),
            rng=key,
            params=params,
            variables=variables or {},
            opt_state={
                name: optimizer.init(self.part(name, params))
                for name, optimizer in self.learners.items()
            },
            ema=jax.tree.map(jnp.copy, averaged),
            extra=extra or {},
        )

    def part(self, name: str, params: dict):
        """What a learner updates, of a tree like the parameters."""
        if name != 'all':
            return params[name]
        return {n: p for n, p in params.items() if n not in self.learners}

    def _with_part(self, name: str, params: dict, part: Any) -> dict:
        """The parameters with what a learner updated."""
        return params | (part if name == 'all' else {name: part})

    def differentiate(self, loss: Callable, name: str = 'all') -> Callable:
        """The gradient that `gradients` takes; 0 of what is frozen.

        loss: (params, variables, rows) -> (mean over rows, (variables, metrics)), of
        the parameters of one entry, or of all.
        """

        def learning(params, *rest):
            still = frozen.mask(params, self.frozen, under(name))
            held = [jax.tree.map(lax.stop_gradient, params), params]
            return loss(choose(still, *held), *rest)

        return self.gradient(learning)

    def keep(self, before: TrainState, after: TrainState) -> TrainState:
        """`after`, with what is frozen as it was: for all that moves parameters."""
        still = frozen.mask(after.params, self.frozen)
        return replace(after, params=choose(still, before.params, after.params))

    def gradients(self, gradient: Callable, params, variables, rows) -> tuple:
        """(gradients, variables, metrics) over the rows of this device, in parts.

        gradient: (params, variables, rows) -> (gradients, (variables, metrics)), means
        over rows, a tree of arrays [B, ...]. Metrics come back averaged over devices;
        gradients are averaged by `update`.
        """
        grads, (variables, metrics) = accumulated(gradient, self.parts)(
            params, variables, rows
        )
        metrics = self.mean(metrics)
        if isinstance(metrics, dp_sgd.Drawn):
            metrics = metrics.mean()
        return grads, variables, metrics

    def update(
        self, state: TrainState, name: str, grads, suffix: str = '', learns=None
    ) -> tuple[TrainState, dict]:
        """(state, metrics) after one step of a learner, by the gradients of its part.

        The metrics' names end in `suffix`. learns: bool [], whether it steps at all.
        """
        still = self.part(name, frozen.mask(state.params, self.frozen))
        grads = choose(still, jax.tree.map(jnp.zeros_like, grads), grads)
        old = [self.part(name, state.params), state.opt_state[name]]
        *new, norm = layouts.update(
            self.layout, self.learners[name], grads, old[1], old[0], state.rng
        )
        if learns is not None:
            new = jax.tree.map(partial(jnp.where, learns), new, old)
        params, opt_state = new
        metrics = optimizers.guard_metrics(opt_state, norm)
        after = replace(
            state,
            params=self._with_part(name, state.params, params),
            opt_state=state.opt_state | {name: opt_state},
        )
        state = self.keep(state, after)  # weight decay needs no gradient
        return state, {f'{key}{suffix}': value for key, value in metrics.items()}

    def advance(self, state: TrainState, values, since: int = 0) -> TrainState:
        """The state of the next step, its averages moved towards `values`.

        since: the step from which they are averages; until then, as at the first one.
        """
        step = jnp.maximum(state.step - since, 0) if since else state.step
        ema = self.averaging(state.ema, self.layout.shard(values), step)
        return replace(state, step=state.step + 1, ema=ema)

    def mean(self, tree):
        """A tree of scalars, averaged over devices."""
        return tree if self.axis_name is None else lax.pmean(tree, self.axis_name)


def choose(mask, first, second):
    """The tree that has `first` where a tree of bool is True, and else `second`."""
    return jax.tree.map(lambda m, a, b: a if m else b, mask, first, second)


def under(name: str) -> str:
    """The start of the names of the parameters of a learner, see Descent.learners."""
    return '' if name == 'all' else f'{name}/'


def make(
    learners: Mapping[str, optax.GradientTransformationExtraArgs],
    settings: Averaging,
    learning: Learning,
    axis_name: str | None,
    private: Iterable[str] = (),
) -> Descent:
    """The Descent by those optimisers, as `Descent.learners`.

    private: the learners that see data, and do so by `differentiate` alone.
    """
    if settings.ema_grows:
        learning.require_end('method.ema_grows=True')
    gradient = partial(jax.grad, has_aux=True)
    privacy, still = learning.privacy, names_of(learning.optimizer.frozen)
    if privacy.noise_multiplier:
        if learning.shard_state:
            raise UserError(
                'config.parallel.shard_state=True: with config.privacy the state is '
                'not shared out, leave it at False'
            )
        gradient = partial(dp_sgd.gradient, clip_norm=privacy.clip_norm)
        deviation = privacy.noise_multiplier * privacy.clip_norm / learning.batch_size
        noisy = {
            name: dp_sgd.noisy(
                learners[name],
                deviation,
                name,
                partial(frozen.mask, names=still, under=under(name)),
            )
            for name in private
        }
        learners = {**learners, **noisy}
    return Descent(
        learners,
        optimizers.averaging(settings, learning.batch_size, learning.schedule_steps),
        layouts.make(learning.shard_state, axis_name),
        learning.accumulate,
        axis_name,
        still,
        gradient,
    )
