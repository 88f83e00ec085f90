"""Optimisers, schedules and the moving average of weights."""

import jax
import jax.numpy as jnp
import optax


def make(optimizer, steps: int, learning_rate: float) -> optax.GradientTransformation:
    """Adam (Kingma & Ba 2014, arXiv:1412.6980) from the config section `optimizer`.

    `steps`: updates in the whole run, where the schedule reaches 0.
    """
    warmup = optimizer.warmup_steps
    after = max(1, steps - warmup)
    schedule = {
        'constant': lambda: optax.constant_schedule(learning_rate),
        'linear': lambda: optax.linear_schedule(learning_rate, 0.0, after),
        'cosine': lambda: optax.cosine_decay_schedule(learning_rate, after),
    }[optimizer.schedule]()
    if warmup:
        ramp = optax.linear_schedule(0.0, learning_rate, warmup)
        schedule = optax.join_schedules([ramp, schedule], [warmup])
    adam = optax.adam(schedule, b1=optimizer.b1, b2=optimizer.b2, eps=optimizer.eps)
    if optimizer.clip_norm:
        return optax.chain(optax.clip_by_global_norm(optimizer.clip_norm), adam)
    return adam


def moving_average(average, values, step: jax.Array, decay: float):
    """average + (1 - d)(values - average), d = min(decay, (1 + step) / (10 + step)).

    The ramp makes the average follow from the first step on; decay 0 copies. Batch
    statistics go through here with the weights, so that both are of the same network.
    """
    if decay == 0:
        return values
    d = jnp.minimum(decay, (1.0 + step) / (10.0 + step))
    return jax.tree.map(lambda a, v: a + (1 - d) * (v - a), average, values)
