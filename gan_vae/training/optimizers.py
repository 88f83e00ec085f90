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
        return optax.chain(clip(optimizer.clip_norm), adam)
    return optax.with_extra_args_support(adam)


def clip(limit: float) -> optax.GradientTransformationExtraArgs:
    """g min(1, limit / |g|): Pascanu et al. 2013, arXiv:1211.5063.

    `update` takes |g| as `norm` from who knows it: of gradients that lie in parts over
    devices, no device can tell it alone. Without it, it is that of the gradients given.
    """

    def update(grads, state, params=None, *, norm=None, **_):
        norm = optax.global_norm(grads) if norm is None else norm
        small = norm < limit
        clipped = jax.tree.map(
            lambda g: jnp.where(small, g, g / norm.astype(g.dtype) * limit), grads
        )
        return clipped, state

    return optax.GradientTransformationExtraArgs(
        lambda params: optax.EmptyState(), update
    )


def moving_average(average, values, step: jax.Array, decay: float):
    """average + (1 - d)(values - average), d = min(decay, (1 + step) / (10 + step)).

    The ramp makes the average follow from the first step on; decay 0 copies. Batch
    statistics go through here with the weights, so that both are of the same network.
    """
    if decay == 0:
        return values
    d = jnp.minimum(decay, (1.0 + step) / (10.0 + step))
    return jax.tree.map(lambda a, v: a + (1 - d) * (v - a), average, values)
