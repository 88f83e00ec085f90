"""A picture restored by an untrained network, which learns what is seen of it alone.

  min_w  mean (c(A f_w(u + s e)) - y)^2,    u ~ U(0, 0.1), e ~ N(0, I) anew each step
  c(x), v(x) = mean and variance of clip(x + d e, -1, 1),    e ~ N(0, 1)

A convolutional f learns what pictures have in common before it learns noise: the deep
image prior (Ulyanov et al. 2018, arXiv:1711.10925). The result is m, the running mean
of its pictures, where m is as far from y as noise of deviation d is (Morozov 1966),

    mean (c(A m) - y)^2  <=  mean v(A m).

c is there as y comes from a file, whose noise is cut off at black and at white.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.scipy.stats import norm

from gan_vae.art.degradations import Degradation
from gan_vae.models.deep_prior import DeepPrior

INPUTS = 8  # channels of u
JITTER = 0.03  # s
NEW = 0.05  # share of the newest picture in m
MANY = 128 * 128  # pixels
ADAM = optax.adam(0.01)


class Restored(NamedTuple):
    """Of one picture."""

    picture: np.ndarray  # float32 [H, W, C] in [-1, 1]
    steps: int  # that were taken
    excess: float  # mean squares of c(A m) - y over those of noise; 1: it ended so


def restore(
    seen: np.ndarray,
    shape: tuple[int, int, int],
    degradation: Degradation,
    mask: np.ndarray | None = None,
    noise: float = 0.0,
    steps: int = 2000,
    seed: int = 0,
    track: Callable = lambda of, what: of,
) -> Restored:
    """The picture [H, W, C] = `shape` of which y = `seen`, in [-1, 1], is seen.

    mask: of a Hole; noise: d, in units of y; steps: at most; track: as
    Request.progress.
    """
    height, width, channels = shape
    network = DeepPrior(widths(height, width), channels=channels)
    cell = 2 ** len(network.widths)
    sides = -(-height // cell) * cell, -(-width // cell) * cell
    key = jax.random.key(seed)
    u = 0.1 * jax.random.uniform(jax.random.fold_in(key, 0), (1, *sides, INPUTS))
    params = _drawn(network, jax.random.fold_in(key, 1), u)
    how, data = (network, degradation), (u, seen, mask, noise)
    now, excess, taken = (params, ADAM.init(params), jnp.zeros(shape)), np.inf, 0
    for number in track(range(steps), 'one picture'):
        taken = number + 1
        # m is the mean of all pictures until they are many
        share = max(NEW, 1 / taken)
        step_key = jax.random.fold_in(key, taken + 1)
        now, excess = _step(how, now, share, step_key, *data)
        if (excess := float(excess)) <= 1:
            break
    return Restored(np.asarray(now[2]), taken, excess)


def widths(height: int, width: int) -> tuple[int, ...]:
    """Of the network's scales, down to 4 pixels; thinner where pixels are many."""
    scales = int(np.clip(np.log2(min(height, width) / 4), 1, 5))
    return scales * (32 if height * width <= MANY else 16,)


def clipped(x, deviation):
    """Mean and variance of clip(x + d e, -1, 1), e ~ N(0, 1), for x in [-1, 1]."""
    d = jnp.maximum(deviation, 1e-6)
    shift, square = 0.0, 0.0  # of (clip(x + d e) - x) / d
    for room, sign in (((1 - x) / d, 1), ((1 + x) / d, -1)):
        beyond, density = norm.sf(room), norm.pdf(room)
        shift += sign * (room * beyond - density)
        square += 0.5 - beyond - room * density + room**2 * beyond
    return x + d * shift, d**2 * (square - shift**2)


@partial(jax.jit, static_argnums=0)
def _drawn(network, key, u):
    return network.init(key, u)['params']


@partial(jax.jit, static_argnums=0)
def _step(how, now, share, key, u, y, mask, noise):
    (network, degradation), (params, moments, mean) = how, now
    height, width, _ = mean.shape

    def loss(params):
        jitter = JITTER * jax.random.normal(key, u.shape)
        x = network.apply({'params': params}, u + jitter)[:, :height, :width]
        expected, _ = clipped(degradation.seen(x, mask), noise)
        return jnp.mean((expected - y) ** 2), x[0]

    gradient, x = jax.grad(loss, has_aux=True)(params)
    change, moments = ADAM.update(gradient, moments)
    mean = mean + share * (x - mean)
    known = 1.0 if mask is None else mask
    expected, of_noise = clipped(degradation.seen(mean[None], mask)[0], noise)
    excess = jnp.mean(known * (expected - y) ** 2) / jnp.mean(known * of_noise)
    return (optax.apply_updates(params, change), moments, mean), excess
