"""Bounds on the log-likelihood by importance weighting, and their units.

  log p(x) >= E[L_K],  L_K = log 1/K sum_k w_k,  w_k = p(x | z_k) p(z_k) / q(z_k | x)

with z_1..z_K from q(z | x). L_1 is the ELBO with a sampled KL; L_K grows with K on
average and tends to log p(x). Burda et al. 2016, arXiv:1509.00519.
"""

import math
from collections.abc import Callable
from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np

from gan_vae.errors import UserError
from gan_vae.keys import keys_of, purpose_key
from gan_vae.objectives.likelihoods import GAUSSIANS


def iwae_bound(
    log_weight: Callable, weights, rng: jax.Array, images, k: int, chunk: int = 16
) -> np.ndarray:
    """L_K [n], float64, in nats per example, of images [n, H, W, C] in [-1, 1],
    or whatever n examples are to the method.

    `log_weight` is a Method's: (weights, rng, images) -> log w [n] of one draw. `chunk`
    draws are held at once: memory is that of chunk * n examples whatever `k`, and the
    draws do not depend on it. The same `rng` gives the same noise: fold in the number
    of the batch.
    """
    if k < 1:
        raise UserError(f'a bound of {k} samples: k must be at least 1')
    bound = np.array(-np.inf)
    for start in range(0, k, chunk):
        # The last chunk draws too many: one shape, compiled once.
        numbers = start + jnp.arange(min(chunk, k))
        draws = _log_weights(log_weight, weights, rng, images, numbers)
        draws = np.asarray(draws, np.float64)[: k - start]
        bound = np.logaddexp(bound, np.logaddexp.reduce(draws))
    return bound - math.log(k)


@partial(jax.jit, static_argnums=0)
def _log_weights(log_weight, weights, rng, images, numbers):
    """log w [chunk, n] of the draws with these numbers."""
    return jax.vmap(lambda key: log_weight(weights, key, images))(keys_of(rng, numbers))


def mean_of_steps(model, k: int, threshold: float) -> float:
    """The mean over all steps of all sequences of a bound by k particles, in nats.

    model: a TrainedModel; threshold: the share of effective particles below which they
    are resampled, if the method has a latent at each step.
    """
    key = purpose_key(model.weights.key, 'iwae')
    particle_bound = model.capability('density.particle_bound')
    log_weight = model.capability('density.log_weight')
    total, count = 0.0, 0
    for number, x, _ in model.batches():
        rng = jax.random.fold_in(key, number)
        if particle_bound:
            keys = keys_of(rng, jnp.arange(len(x.length)))
            bound = _particles(particle_bound, model.weights, keys, x, k, threshold)
        else:
            bound = iwae_bound(log_weight, model.weights, rng, x, k)
        total += float(np.sum(np.asarray(bound), dtype=np.float64))
        count += int(np.sum(x.length))
    return total / count


@partial(jax.jit, static_argnums=(0, 4, 5))
def _particles(bound, weights, keys, x, particles, threshold):
    return bound(weights, keys, x, particles, threshold)


@cache
def dequantised(log_weight: Callable) -> Callable:
    """`log_weight` of x + u, u ~ U(-1/255, 1/255) a fresh draw for each pixel.

    So a density bounds the probability of 8-bit pixels, the integral of p over the
    width of a grey level: P(x) = (2/255)^D E_u[p(x + u)]. u is one more latent, drawn
    from its prior. Uria et al. 2013, arXiv:1306.0186; Theis et al. 2016,
    arXiv:1511.01844.
    """

    def of_noisy(weights, rng, images):
        keys = keys_of(purpose_key(rng, 'dequantise'), jnp.arange(len(images)))
        noise = jax.vmap(
            lambda key: jax.random.uniform(
                key, images.shape[1:], minval=-1 / 255, maxval=1 / 255
            )
        )(keys)
        return log_weight(weights, rng, images + noise)

    return of_noisy


def bits_per_dim(nats: float, shape: tuple[int, ...], likelihood: str) -> float:
    """Bits per dimension, an upper bound, of a bound `nats` on log p of one example.

    `shape` is (H, W, C); `likelihood` is config.method.likelihood. A probability of
    pixels (categorical, logistic_mixture; bernoulli of binary ones) needs no offset:
    -nats / (D ln 2). A density (a gaussian) is multiplied by the width of a grey level,
    2/255: + log2(127.5) bits a dimension, comparable with a probability if `nats` is of
    `dequantised` images. There are none of continuous_bernoulli, whose density ends in
    the middle of the outer grey levels.
    """
    bits = -float(nats) / (math.prod(shape) * math.log(2))
    return bits + math.log2(127.5) if likelihood in GAUSSIANS else bits
