"""Terms of the evidence lower bound, and of tighter and weighted ones, in nats.

  ELBO(x) = E_q[log p(x | z)] - KL(q(z | x) || p(z)) <= E[L_K(x)] <= log p(x),
  L_K(x) = log 1/K sum_k w_k,  w_k = p(x | z_k) p(z_k) / q(z_k | x),  z_k from q(z | x)

Kingma & Welling 2013, arXiv:1312.6114; Burda et al. 2016, arXiv:1509.00519 (L_K);
Tucker et al. 2018, arXiv:1810.04152 (its gradient). All Gaussians are diagonal. Nothing
here averages over a batch but `free_bits`.
"""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax.nn import logsumexp

LOG_VARIANCE = (-30.0, 20.0)  # of a posterior: exp stays finite whatever a network says


def sample_gaussian(noise: jax.Array, mean: jax.Array, log_variance: jax.Array):
    """z = mean + exp(log_variance / 2) * noise [..., D], which broadcast."""
    return mean + jnp.exp(0.5 * jnp.clip(log_variance, *LOG_VARIANCE)) * noise


def noise_of(z: jax.Array, mean: jax.Array, log_variance: jax.Array):
    """The noise [..., D] at which `sample_gaussian` gives z."""
    return (z - mean) * jnp.exp(-0.5 * jnp.clip(log_variance, *LOG_VARIANCE))


def gaussian_log_prob(
    z: jax.Array, mean: jax.Array | float, log_variance: jax.Array | float
) -> jax.Array:
    """log N(z; mean, exp(log_variance)) [..., D]: per unit, not summed.

    The arguments broadcast: z [B, 1, D] and mean [1, B, D] are all pairs of a batch.
    """
    log_variance = jnp.clip(log_variance, *LOG_VARIANCE)
    square = jnp.square(z - mean) * jnp.exp(-log_variance)
    return -0.5 * (square + log_variance + math.log(2 * math.pi))


def kl_to_standard_normal(mean: jax.Array, log_variance: jax.Array) -> jax.Array:
    """KL(N(mean, exp(log_variance)) || N(0, 1)) [..., D]: per unit, not summed.

    1/2 (mean^2 + exp(lv) - 1 - lv). Kingma & Welling 2013, arXiv:1312.6114, appendix B.
    """
    log_variance = jnp.clip(log_variance, *LOG_VARIANCE)
    return 0.5 * (jnp.square(mean) + jnp.expm1(log_variance) - log_variance)


def kl_gaussians(
    mean: jax.Array,
    log_variance: jax.Array,
    prior_mean: jax.Array,
    prior_log_variance: jax.Array,
) -> jax.Array:
    """KL(N(mean, exp(log_variance)) || N(prior ...)) [..., D]: per unit, not summed.

    1/2 ((m - m')^2 exp(-lv') + exp(lv - lv') - 1 - (lv - lv')).
    """
    prior_log_variance = jnp.clip(prior_log_variance, *LOG_VARIANCE)
    log_ratio = jnp.clip(log_variance, *LOG_VARIANCE) - prior_log_variance
    square = jnp.square(mean - prior_mean) * jnp.exp(-prior_log_variance)
    return 0.5 * (square + jnp.expm1(log_ratio) - log_ratio)


def kl_sampled(
    z: jax.Array,
    mean: jax.Array,
    log_variance: jax.Array,
    prior_mean: jax.Array | float = 0.0,
    prior_log_variance: jax.Array | float = 0.0,
) -> jax.Array:
    """log q(z | x) - log p(z) [..., D] at z from q: its mean is the KL.

    Per unit, not summed; of one sample it may be negative. The prior is N(0, 1) unless
    given.
    """
    return gaussian_log_prob(z, mean, log_variance) - gaussian_log_prob(
        z, prior_mean, prior_log_variance
    )


def importance_bound(log_weights: jax.Array) -> jax.Array:
    """L_K [...] of log w [K, ...]: logsumexp_k log w_k - log K, nats.

    L_1 is the ELBO with a sampled KL. Its gradient is that of IWAE, sum_k s_k grad log
    w_k with s = softmax(log w); sum_k s_k log w_k has it too, but is not the bound.
    Burda et al. 2016, arXiv:1509.00519, equations 8 and 14.
    """
    return logsumexp(log_weights, axis=0) - math.log(log_weights.shape[0])


def dreg_bound(
    log_weights: Callable[[jax.Array], jax.Array], z: jax.Array
) -> jax.Array:
    """L_K [B] with the doubly reparameterised gradient (DReG) of the encoder.

    z: [K, B, D], differentiable in the encoder. log_weights(z) -> log w [K, B], in
    which log q(z | x) must be of the posterior's mean and log variance under
    stop_gradient:

      encoder  sum_k s_k^2 (d log w_k / d z_k) (d z_k / d encoder),  s = softmax(log w)
      decoder  sum_k s_k d log w_k / d decoder, as of importance_bound

    The encoder's has the mean of importance_bound's, and does not drown in noise as K
    grows. Through z passes the first, to all else that log_weights uses the second: one
    pass forward and one back. K = 1 is the gradient of Roeder et al. 2017,
    arXiv:1703.09194. Tucker et al. 2018, arXiv:1810.04152, equation 7.
    """
    z, zeros = _weighed_again(z)
    return importance_bound(log_weights(z) + zeros)


@jax.custom_vjp
def _weighed_again(z: jax.Array):
    """z and zeros [K, B]; back, the gradient of z_k is multiplied by s_k.

    The gradient of zeros_k is s_k times that of the bound; so s_k is its share in the
    sum over k, whatever the bound is multiplied by.
    """
    return z, jnp.zeros(z.shape[:2], z.dtype)


def _weighed_again_backward(_, gradients: tuple[jax.Array, jax.Array]):
    of_z, of_zeros = gradients
    total = jnp.sum(of_zeros, axis=0)  # 0 where the bound has no part in the loss
    shares = of_zeros / jnp.where(total == 0, 1, total)
    return (of_z * shares[..., None],)


_weighed_again.defvjp(lambda z: (_weighed_again(z), None), _weighed_again_backward)


def free_bits(kl: jax.Array, nats: float) -> jax.Array:
    """sum_d max(nats, mean over the batch of kl[:, d]), a scalar, of the KL [B, D].

    Takes the place of the mean over the batch of the KL's sum. `nats` are for each unit
    (each of D), so that D * nats are free in all; a unit below has no gradient. The
    mean is over the rows given: on many devices, over each one's own. Kingma et al.
    2016, arXiv:1606.04934, equation 15, with one unit in each group.
    """
    return jnp.sum(jnp.maximum(jnp.mean(kl, axis=0), nats))


def capacity(kl: jax.Array, target: float, gamma: float) -> jax.Array:
    """gamma |KL - target|, nats: holds the KL at a target that grows in training.

    kl: the KL summed over units, averaged over the batch or [B]. Burgess et al. 2018,
    arXiv:1804.03599, equation 8: gamma 1000, target from 0 to 25.
    """
    return gamma * jnp.abs(kl - target)


def warm_up(step: jax.Array | int, steps: int, end: float = 1.0) -> jax.Array:
    """end * min(1, (step + 1) / steps), of steps counted from 0; `end` if steps is 0.

    A weight of the KL (Bowman et al. 2016, arXiv:1511.06349), or a capacity.
    """
    return end * jnp.minimum(1.0, (step + 1) / max(1, steps))
