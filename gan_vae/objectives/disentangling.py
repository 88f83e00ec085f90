"""Penalties that part the units of a code: total correlation and covariances, in nats.

  E KL(q(z|x) || p(z)) = I(x; z) + TC + sum_d KL(q(z_d) || p(z_d)),
  TC = KL(q(z) || prod_d q(z_d)), the total correlation of the units,
  q(z) = 1/N sum_n q(z | x_n), the aggregate posterior of N examples

beta-TC-VAE adds (beta - 1) TC to the ELBO's loss, q(z) estimated from a batch (Chen et
al. 2018, arXiv:1802.04942); FactorVAE adds gamma TC, by a discriminator (Kim &
Mnih 2018, arXiv:1802.05983); DIP-VAE adds a penalty on the covariance of q(z) (Kumar et
al. 2017, arXiv:1711.00848). z, mean and log_variance are [B, D], z one sample of
q(z | x) for each row; q and p are Gaussian. A batch is the rows given: on many devices,
each one's own.
"""

import math

import jax
import jax.numpy as jnp
from jax.nn import log_sigmoid, logsumexp

from gan_vae.errors import UserError
from gan_vae.objectives.bounds import LOG_VARIANCE, gaussian_log_prob


def aggregate(
    z: jax.Array, mean: jax.Array, log_variance: jax.Array, size: int
) -> tuple[jax.Array, jax.Array]:
    """Estimates of log q(z) [B] and of log q(z_d) [B, D] from a batch of B of N = size.

    q(z_i) = sum_j a_ij q(z_i | x_j), and q(z_id) alike, with the weights

      a_ii = 1 / N,  a_ij = (N - 1) / (N (B - 1)),

    whose mean over batches that hold x_i is q(z_i), and which is q(z_i) at B = N.
    (Stratified sampling in appendix C.2 of Chen et al. 2018 has 1 / M for all other
    rows but one, which takes the rest, (N - M) / (N M), with M = B - 1; this is the
    mean over which one.) Memory: B * B * D. Raises UserError if the batch is larger
    than the data, or of one row.
    """
    b = z.shape[0]
    if b > size:
        raise UserError(f'a batch of {b} of {size} examples: it draws some twice')
    if b < 2:
        raise UserError(
            'stratified sampling from a batch of 1: it needs at least 2 examples'
        )
    other = (size - 1) / (size * (b - 1))
    log_shares = jnp.where(jnp.eye(b) == 1, -math.log(size), math.log(other))
    log_q = gaussian_log_prob(z[:, None], mean[None], log_variance[None])  # [B, B, D]
    joint = logsumexp(jnp.sum(log_q, axis=-1) + log_shares, axis=1)
    return joint, logsumexp(log_q + log_shares[..., None], axis=1)


def total_correlation(
    z: jax.Array, mean: jax.Array, log_variance: jax.Array, size: int
) -> jax.Array:
    """log q(z) - sum_d log q(z_d) [B], whose mean estimates the TC: see `aggregate`."""
    joint, units = aggregate(z, mean, log_variance, size)
    return joint - jnp.sum(units, axis=-1)


def permute_dims(keys: jax.Array, z: jax.Array) -> jax.Array:
    """z [B, D] with each unit shuffled over the batch by its own key, of keys [D].

    So samples of q(z) become samples of prod_d q(z_d), up to the finite batch. Kim &
    Mnih 2018, algorithm 1.
    """
    return jax.vmap(jax.random.permutation, in_axes=(0, 1), out_axes=1)(keys, z)


def density_ratio(logits: jax.Array) -> jax.Array:
    """The TC by a discriminator's logits [B] of z from q(z): their mean, a scalar.

    log q(z) / prod_d q(z_d) = log D / (1 - D) is the logit of the best D; with two
    outputs, the first less the second. Kim & Mnih 2018, equation 3.
    """
    return jnp.mean(logits)


def density_ratio_loss(logits: jax.Array, permuted: jax.Array) -> jax.Array:
    """-1/2 E[log D(z)] - 1/2 E[log(1 - D(z'))], a scalar, of logits [B] and [B'].

    z from q(z), z' from `permute_dims` of another batch, both under stop_gradient: only
    D learns from it. log 2 where D tells nothing. Kim & Mnih 2018, algorithm 2.
    """
    return -0.5 * jnp.mean(log_sigmoid(logits)) - 0.5 * jnp.mean(log_sigmoid(-permuted))


def dip_i(mean: jax.Array, off_diagonal: float, diagonal: float) -> jax.Array:
    """DIP-VAE-I, a scalar: the covariance of the posterior's means, held at I.

    off_diagonal sum_{i != j} C_ij^2 + diagonal sum_i (C_ii - 1)^2, C = Cov_x[mean(x)].
    Kumar et al. 2017, equation 6; usual diagonal is 10 off_diagonal.
    """
    return _from_identity(_covariance(mean), off_diagonal, diagonal)


def dip_ii(
    mean: jax.Array, log_variance: jax.Array, off_diagonal: float, diagonal: float
) -> jax.Array:
    """DIP-VAE-II, a scalar: the covariance of q(z) held at I, as in `dip_i`.

    C = Cov_x[mean(x)] + E_x[diag exp(log_variance(x))]. Kumar et al. 2017, equation 7;
    usual diagonal is off_diagonal.
    """
    variances = jnp.mean(jnp.exp(jnp.clip(log_variance, *LOG_VARIANCE)), axis=0)
    covariance = _covariance(mean) + jnp.diag(variances)
    return _from_identity(covariance, off_diagonal, diagonal)


def _covariance(x: jax.Array):
    centred = x - jnp.mean(x, axis=0)
    return centred.T @ centred / x.shape[0]  # of the batch itself: not x.shape[0] - 1


def _from_identity(covariance: jax.Array, off_diagonal: float, diagonal: float):
    variances = jnp.diag(covariance)
    others = covariance - jnp.diag(variances)
    return off_diagonal * jnp.sum(jnp.square(others)) + diagonal * jnp.sum(
        jnp.square(variances - 1)
    )
