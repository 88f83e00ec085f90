"""The latents by which a model comes nearest to what is seen of a picture.

  min_z  sum_l mean |P_l (A G(z) - y)|^2 + w mean z^2,     P_l: means of 2^l pixels
  z ~ p(z | y), proportional to exp(-|A G(z) - y|^2 / (2 s^2)) N(z; 0, I)

The first from many starts at once, with the best of each that was seen on the way:
compressed sensing with a generator (Bora et al. 2017, arXiv:1703.03208). The second by
Langevin steps that are accepted or not, so that no step size biases it (MALA: Roberts &
Tweedie 1996, doi:10.2307/3318418).
"""

from collections.abc import Callable
from functools import lru_cache, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from gan_vae.art.degradations import WHOLE, Degradation, Small

LEVELS = 3  # of the pyramid of differences
ACCEPTED = 0.57  # of Langevin steps, at best: Roberts & Rosenthal 1998


class Inversion(NamedTuple):
    """Latents of starts, the best first."""

    z: np.ndarray  # [R, D]
    loss: np.ndarray  # [R]
    order: np.ndarray  # [R], which start each came from


def invert(
    decode: Callable,
    weights,
    y: np.ndarray,
    starts: np.ndarray,
    degradation: Degradation = WHOLE,
    mask: np.ndarray | None = None,
    labels: np.ndarray | None = None,
    steps: int = 400,
    rate: float = 0.1,
    weight: float = 1e-3,
    levels: int = LEVELS,
    track: Callable = lambda of, what: of,
) -> Inversion:
    """Latents near `starts` [R, D] of which y [H, W, C], in [-1, 1], is seen.

    decode: (weights, z, labels) -> images; mask: of a Hole; track: as
    Request.progress.
    """
    how = decode, degradation, _adam(steps, rate), levels
    z = jnp.asarray(starts, jnp.float32)
    best = z, jnp.full(len(z), jnp.inf)
    moments = _adam(steps, rate).init(z)
    for _ in track(range(steps), 'inverting'):
        z, moments, best = _descend(
            how, weights, z, moments, best, y, mask, labels, weight
        )
        jax.block_until_ready(z)  # or Ctrl-C comes when all steps are on their way
    loss = _loss_of(how, weights, z, y, mask, labels, weight)
    z, loss = (np.asarray(a) for a in _better(best, (z, loss)))
    order = np.argsort(loss, kind='stable')
    return Inversion(z[order], loss[order], order)


@lru_cache
def _adam(steps: int, rate: float):
    """A warm-up of a twentieth, and the last quarter down to nothing."""
    cut = max(1, steps // 4)
    warm_up = optax.linear_schedule(0.0, rate, max(1, steps // 20))
    decay = optax.cosine_decay_schedule(rate, cut)
    return optax.adam(optax.join_schedules([warm_up, decay], [max(1, steps - cut)]))


def _loss(how, weights, z, y, mask, labels, weight):
    """[R] of z [R, D]."""
    decode, degradation, _, levels = how
    rest = degradation.seen(decode(weights, z, labels), mask) - y
    total = jnp.mean(rest**2, (1, 2, 3))
    for _ in range(levels - 1):
        height, width = (2 * (n // 2) for n in rest.shape[1:3])
        if not height or not width:
            break
        rest = Small(2).seen(rest[:, :height, :width])
        total += jnp.mean(rest**2, (1, 2, 3))
    return total + weight * jnp.mean(z**2, 1)


def _better(best, new):
    """(z, loss) of each start, of two."""
    less = new[1] < best[1]
    return jnp.where(less[:, None], new[0], best[0]), jnp.minimum(best[1], new[1])


# Jits of the module, as of a function made at each call each would compile anew.
_loss_of = jax.jit(_loss, static_argnums=0)


@partial(jax.jit, static_argnums=0)
def _descend(how, weights, z, moments, best, y, mask, labels, weight):
    def total(z):
        loss = _loss(how, weights, z, y, mask, labels, weight)
        return jnp.sum(loss), loss

    gradient, loss = jax.grad(total, has_aux=True)(z)
    best = _better(best, (z, loss))
    change, moments = how[2].update(gradient, moments)
    return z + change, moments, best


def posterior(
    decode: Callable,
    weights,
    y: np.ndarray,
    starts: np.ndarray,
    deviation: float,
    degradation: Degradation = WHOLE,
    mask: np.ndarray | None = None,
    labels: np.ndarray | None = None,
    steps: int = 200,
    seed: int = 0,
    track: Callable = lambda of, what: of,
) -> tuple[np.ndarray, float]:
    """Samples z [R, D] of p(z | y), one of each chain from `starts`, and the share of
    their last steps that were accepted.

    deviation: of what is seen from A G(z), in units of y. The first half of the steps
    also looks for a step size.
    """
    how = decode, degradation
    z = jnp.asarray(starts, jnp.float32)
    law = weights, y, mask, labels, 1 / (2 * deviation**2)
    energy, gradient = _energy(how, z, *law)
    log_size, accepted = jnp.full(len(z), jnp.log(0.1 * deviation**2)), []
    key = jax.random.key(seed)
    for number in track(range(steps), 'sampling'):
        now = z, energy, gradient, jnp.exp(log_size)
        step_key = jax.random.fold_in(key, number)
        (z, energy, gradient), taken = _langevin(how, step_key, now, *law)
        jax.block_until_ready(z)
        if 2 * number < steps:
            log_size += (taken - ACCEPTED) / np.sqrt(1 + number / 10)
        else:
            accepted.append(taken)
    return np.asarray(z), float(np.mean(accepted)) if accepted else 0.0


@partial(jax.jit, static_argnums=0)
def _energy(how, z, weights, y, mask, labels, precision):
    decode, degradation = how

    def total(z):
        rest = degradation.seen(decode(weights, z, labels), mask) - y
        each = precision * jnp.sum(rest**2, (1, 2, 3)) + jnp.sum(z**2, 1) / 2
        return jnp.sum(each), each

    gradient, each = jax.grad(total, has_aux=True)(z)
    return each, gradient


@partial(jax.jit, static_argnums=0)
def _langevin(how, key, now, *law):
    """z, energy, gradient of all chains after a step, and which took it."""
    z, energy, gradient, size = now
    size = size[:, None]
    noise, draw = jax.random.split(key)
    new = z - size * gradient + jnp.sqrt(2 * size) * jax.random.normal(noise, z.shape)
    new_energy, new_gradient = _energy(how, new, *law)

    def log_q(to, of, slope):
        return -jnp.sum((to - of + size * slope) ** 2, 1) / (4 * size[:, 0])

    ratio = energy - new_energy + log_q(z, new, new_gradient) - log_q(new, z, gradient)
    taken = jnp.log(jax.random.uniform(draw, (len(z),))) < ratio
    state = (
        jnp.where(taken[:, None], new, z),
        jnp.where(taken, new_energy, energy),
        jnp.where(taken[:, None], new_gradient, gradient),
    )
    return state, 1.0 * taken
