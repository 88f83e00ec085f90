"""Methods that minimise one loss: their state and their steps.

A loss, and the values that an evaluation sums, are functions of `Rows`. Averages over
devices, gradients in parts, skipped updates and the moving average are the descent's.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax

from gan_vae import data
from gan_vae.keys import example_indices, keys_of, purpose_key
from gan_vae.learning import descent as descents
from gan_vae.learning import optimizers
from gan_vae.learning.settings import Averaging, Learning
from gan_vae.learning.state import TrainState, step_key
from gan_vae.methods import contract
from gan_vae.methods.contract import Method


class Rows(NamedTuple):
    """Examples of a batch on one device, with what belongs to each."""

    examples: Any  # images [B, H, W, C], or Padded sequences
    keys: jax.Array  # [B]
    label: jax.Array | None  # int [B], of a method with classes
    weight: jax.Array | None = None  # [B], of private training (learning/dp_sgd.py)


def method(
    settings: Averaging,
    learning: Learning,
    axis_name: str | None,
    *,
    params: Callable,
    loss: Callable,
    values: Callable,
    learners: Mapping[str, Any] | None = None,
    extra: Callable[[], dict] = dict,
    follow: Callable = lambda state, metrics: (state, metrics),
    classes: int = 0,
    private: bool = False,
    latents: contract.Latents | None = None,
    **capabilities,
) -> Method:
    """The Method of one loss; capabilities: the other fields of it.

    params: key of the start of a run -> {name: parameters}. loss: (state, params, Rows)
    -> (loss, {name: scalar}), means over rows. values: (state, Rows) -> {name: [B]}, by
    the averaged weights. learners: as of a Descent, by default one; what the first does
    not update is not averaged. extra: what else the state keeps. follow: (state,
    metrics) -> both, after an update. private: the loss of a row is of that row alone,
    as private training needs. Samples are by default those of the latents.
    """
    learners = learners or {'all': optimizers.make(learning)}
    seen = learners if private else ()
    descent = descents.make(learners, settings, learning, axis_name, seen)
    first, *others = learners

    def averaged(params):
        return {name: p for name, p in params.items() if name not in others}

    def rows_of(batch, key, index) -> Rows:
        label = batch['label'] if classes else None
        content, weight = data.content(batch), batch.get('weight')
        return Rows(content, keys_of(key, index), label, weight)

    def init(key) -> TrainState:
        own = params(key)
        run = purpose_key(key, 'run')
        return descent.init(run, own, averaged(own), extra=extra())

    def train_step(state, batch):
        def objective(params, variables, rows):
            value, metrics = loss(state, params, rows)
            return value, (variables, metrics | {'loss': value})

        size = jax.tree.leaves(data.content(batch))[0].shape[0]
        index = example_indices(size, axis_name)
        rows = rows_of(batch, step_key(state, 'posterior'), index)
        gradient = descent.differentiate(objective)
        grads, _, metrics = descent.gradients(gradient, state.params, {}, rows)
        for name in learners:
            suffix = '' if name == first else f'_{name}'
            own = descent.part(name, grads)
            state, update = descent.update(state, name, own, suffix)
            metrics |= update
        after, metrics = follow(state, metrics)
        state = descent.keep(state, after)
        return descent.advance(state, averaged(state.params)), metrics

    def evaluate_step(state, batch):
        rows = rows_of(batch, purpose_key(state.rng, 'evaluate'), batch['index'])
        return contract.sums(values(state, rows), batch['mask'], batch.get('length'))

    if latents:
        generate = contract.generator_of(latents)
        capabilities = {'generate': generate, 'latents': latents} | capabilities
    return Method(
        init=init,
        train_step=train_step,
        evaluate_step=evaluate_step,
        classes=classes,
        private=private,
        **capabilities,
    )
