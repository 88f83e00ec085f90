"""Optimisers, schedules and the moving average of weights."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax.typing import ArrayLike

from gan_vae.learning import dp_sgd
from gan_vae.learning.settings import Averaging, Learning, Settings


def make(
    learning: Learning,
    learning_rate: float | None = None,
    betas: tuple[float, ...] | None = None,
    updates_per_step: int = 1,
) -> optax.GradientTransformationExtraArgs:
    """Adam (Kingma & Ba 2014, arXiv:1412.6980) as the section `optimizer` says.

    With a weight decay it is AdamW (Loshchilov & Hutter 2017, arXiv:1711.05101), of all
    parameters: w - rate (Adam's step + weight_decay w). learning_rate, betas (b1, b2,
    and b2 at the end of the schedule if it moves): by default those of the section.
    """
    optimizer, steps = learning.optimizer, learning.schedule_steps * updates_per_step
    learning_rate = optimizer.learning_rate if learning_rate is None else learning_rate
    b1, b2, *b2_end = betas or of_generator(optimizer)[1]
    after, floor = max(1, steps - optimizer.warmup_steps), optimizer.learning_rate_floor
    schedule = {
        'constant': optax.constant_schedule(learning_rate),
        'linear': optax.linear_schedule(learning_rate, floor * learning_rate, after),
        'cosine': optax.cosine_decay_schedule(learning_rate, after, floor),
        'stages': _stages(learning_rate, after),
    }[optimizer.schedule]
    if warmup := optimizer.warmup_steps:
        ramp = optax.linear_schedule(0.0, learning_rate, warmup)
        schedule = optax.join_schedules([ramp, schedule], [warmup])
    if warmup or optimizer.schedule != 'constant':
        schedule = _then_once(schedule)
    kind: Any = optax.adam
    if decay := optimizer.weight_decay:
        kind = partial(optax.adamw, weight_decay=decay)
    if b2_end:
        kind = optax.inject_hyperparams(kind)
        b2 = partial(_moving, b2, *b2_end, steps)
    adam = kind(schedule, b1=b1, b2=b2, eps=optimizer.eps)
    if optimizer.clip_norm:
        adam = optax.chain(clip(optimizer.clip_norm), adam)
    adam = optax.with_extra_args_support(adam)
    return guarded(adam, optimizer.skip_ratio) if optimizer.skip_ratio else adam


def _then_once(schedule: optax.Schedule) -> optax.Schedule:
    return lambda count: once(schedule(count))


def once(x: Any) -> jax.Array:
    """A scalar, computed once: XLA:CPU would compute it again in the kernel of every
    array that it scales, and a third of a program was that. The first of two equal
    numbers in order is a value that it does not see through."""
    return jnp.sort(jnp.stack([x, x]))[0]


def _stages(learning_rate: float, steps: int) -> optax.Schedule:
    """learning_rate 10^(-i/7) for 3^i of 3,280 parts of the steps, i from 0 to 7.

    Burda et al. 2016, arXiv:1509.00519, section 5.
    """
    ends = {round(steps * (3**i - 1) / 2 / 3280): 10 ** (-1 / 7) for i in range(1, 8)}
    return optax.piecewise_constant_schedule(learning_rate, ends)


def half_cosine(start, end, progress):
    """From `start` to `end`, as `progress` goes from 0 to 1: a cosine decay."""
    return end + (start - end) * (1 + jnp.cos(math.pi * progress)) / 2


def _moving(start: float, end: float, steps: int, count):
    return half_cosine(start, end, jnp.minimum(count / steps, 1.0))


def _betas(optimizer: Settings, b1: float, b2: float) -> tuple[float, ...]:
    return (b1, b2) if optimizer.b2_end < 0 else (b1, b2, optimizer.b2_end)


def of_generator(optimizer: Settings) -> tuple[float, tuple[float, ...]]:
    """(learning rate, betas) of every network but D."""
    return optimizer.learning_rate, _betas(optimizer, optimizer.b1, optimizer.b2)


def of_discriminator(optimizer: Settings) -> tuple[float, tuple[float, ...]]:
    """(learning rate, betas) of D: its own where set, else the generator's."""
    rate = optimizer.discriminator_learning_rate or optimizer.learning_rate
    b1, b2 = optimizer.discriminator_b1, optimizer.discriminator_b2
    b1, b2 = optimizer.b1 if b1 < 0 else b1, optimizer.b2 if b2 < 0 else b2
    return rate, _betas(optimizer, b1, b2)


def lazy(learning_rate: float, betas: tuple[float, ...], interval: int):
    """(c learning_rate, (b1^c, b2^c)), c = k / (k + 1): Adam with a term every k steps.

    As if that term had updates of its own, one after each k of the loss. Karras et al.
    2019, arXiv:1912.04958, appendix B. With k = 1 nothing is corrected: the term is in
    every update.
    """
    if interval == 1:
        return learning_rate, betas
    c = interval / (interval + 1)
    return c * learning_rate, tuple(b**c for b in betas)


def clip(limit: float) -> optax.GradientTransformationExtraArgs:
    """g min(1, limit / |g|): Pascanu et al. 2013, arXiv:1211.5063.

    `update` takes |g| as `norm` from who knows it: of gradients that lie in parts over
    devices, no device can tell it alone. Without it, it is that of the gradients given.
    """

    def update(updates, state, params=None, *, norm=None, **_):
        norm = optax.global_norm(updates) if norm is None else norm
        small = norm < limit
        clipped = jax.tree.map(
            lambda g: jnp.where(small, g, g / norm.astype(g.dtype) * limit), updates
        )
        return clipped, state

    return optax.GradientTransformationExtraArgs(optax.init_empty_state, update)


class Guarded(NamedTuple):
    """The state of `guarded`."""

    inner: Any
    norms: jax.Array  # [WINDOW], the last ones, in a ring
    seen: jax.Array  # finite norms so far, int32
    skipped: jax.Array  # updates, int32


WINDOW = 31  # norms; a prime, or a layout would cut them over its devices


def guarded(
    inner: optax.GradientTransformationExtraArgs, ratio: float
) -> optax.GradientTransformationExtraArgs:
    """`inner`, which sees no gradient whose norm is above `ratio` times the median of
    the last norms, or not finite: such an update is skipped, and counted.

    Child 2021, arXiv:2011.10650, skips above a fixed norm, and a run of larger ones has
    stopped for good. Here the finite norms that are skipped are among the last ones
    too: after 16 of them in a row the median is theirs. The first one is taken as it
    is. `update` takes the norm as that of `clip` does.
    """

    def init(params):
        zero = jnp.zeros((), jnp.int32)
        return Guarded(inner.init(params), jnp.zeros(WINDOW), zero, zero)

    def update(updates, state, params=None, *, norm=None, **extra):
        norm = optax.global_norm(updates) if norm is None else norm
        known = jnp.where(jnp.arange(WINDOW) < state.seen, state.norms, jnp.inf)
        median = jnp.sort(known)[jnp.minimum(state.seen, WINDOW) // 2]  # of none: inf
        finite = jnp.isfinite(norm)
        good = once(finite & (norm <= ratio * median))
        updates, after = inner.update(updates, state.inner, params, norm=norm, **extra)
        norms = state.norms.at[state.seen % WINDOW].set(norm.astype(jnp.float32))
        return jax.tree.map(lambda u: jnp.where(good, u, 0), updates), Guarded(
            inner=jax.tree.map(lambda a, b: jnp.where(good, a, b), after, state.inner),
            norms=jnp.where(finite, norms, state.norms),
            seen=state.seen + finite,
            skipped=state.skipped + ~good,
        )

    return optax.GradientTransformationExtraArgs(init, update)


def guard_metrics(opt_state, norm) -> dict[str, jax.Array]:
    """'gradient': its norm; and, of a guarded optimiser, the updates 'skipped' so far.

    A norm that is not finite ends a run, but not where such an update is skipped: 0.
    """
    if isinstance(opt_state, dp_sgd.Noisy):
        opt_state = opt_state.inner
    if not isinstance(opt_state, Guarded):
        return {'gradient': norm}
    norm = jnp.where(jnp.isfinite(norm), norm, 0)
    return {'gradient': norm, 'skipped': opt_state.skipped}


def averaging(method: Averaging, batch_size: int, schedule_steps: int = 1) -> Callable:
    """(average, values, step) -> average + (1 - d)(values - average).

    d = min(ema_decay, (1 + step) / (10 + step)), which follows from the first step on;
    without `ema_ramp` the decay itself; with a half-life as `half_life_share` says,
    which with `ema_grows` is 0 at first and itself from `schedule_steps` on.
    Decay 0 copies, and so does every step before `ema_start_step`. Batch statistics are
    averaged with the weights, so that both are of the same network.
    """
    half_life, start = method.ema_half_life, method.ema_start_step
    if half_life:
        rampup, grows, copies = method.ema_rampup, method.ema_grows, False

        def share(step: jax.Array) -> jax.Array | float:
            seen = step * float(batch_size)
            h: ArrayLike = half_life
            if grows:
                h = _moving(0.0, half_life, schedule_steps, step)
            return half_life_share(batch_size, h, rampup, seen)
    else:
        decay, ramp, copies = method.ema_decay, method.ema_ramp, not method.ema_decay

        def share(step: jax.Array) -> jax.Array | float:
            d = jnp.minimum(decay, (1.0 + step) / (10.0 + step)) if ramp else decay
            return 1 - d

    def run(average, values, step):
        if copies:
            return values
        weight = share(step)
        new = jax.tree.map(lambda a, v: a + weight * (v - a), average, values)
        if not start:
            return new
        return jax.tree.map(lambda n, v: jnp.where(step < start, v, n), new, values)

    return run


def half_life_share(
    batch_size: int, half_life: ArrayLike, rampup: float, seen: ArrayLike
) -> jax.Array:
    """1 - 1/2^(batch_size / h), h = min(half_life, rampup seen), in images; rampup 0: h
    is the half-life.

    With it the average is of a share of what was seen, and not of the first weights.
    Karras et al. 2020, arXiv:2006.06676 (StyleGAN2-ADA).
    """
    if rampup:
        half_life = jnp.minimum(half_life, rampup * seen)
    return -jnp.expm1(-math.log(2) * batch_size / jnp.maximum(half_life, 1e-8))


def averaging_words(method) -> str | float:
    """The moving average of config.method, for a protocol: its decay, or in words."""
    words = method.ema_decay
    if method.ema_half_life:
        words = f'half-life {method.ema_half_life:g} images'
        if method.ema_rampup:
            words += f', at most {method.ema_rampup:g} of those seen'
        if method.ema_grows:
            words += ', from 0 by half a cosine'
    start = method.ema_start_step
    return f'{words} from step {start}' if start else words
