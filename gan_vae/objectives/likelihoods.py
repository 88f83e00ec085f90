"""Likelihoods p(x | z) of images in [-1, 1]: log-probabilities in nats per example.

Each turns a decoder's outputs [B, H, W, outputs] into a law of x [B, H, W, C].
`params` are what the likelihood learns besides the decoder ({} for most).
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.nn import log_sigmoid, log_softmax, softmax, softplus


class Likelihood(NamedTuple):
    """log_prob(params, outputs, x) -> [B]; mean(outputs) -> images in [-1, 1]."""

    outputs: int  # channels that the decoder must give
    params: dict
    log_prob: Callable
    mean: Callable
    units: str  # what the log-probability is a measure of


def _total(x):
    return jnp.sum(x, axis=(1, 2, 3))


def bernoulli(channels: int) -> Likelihood:
    """Binary pixels: x in {-1, 1}, log p = -softplus(-x * logit)."""
    return Likelihood(
        outputs=channels,
        params={},
        log_prob=lambda _, logits, x: -_total(softplus(-x * logits)),
        mean=lambda logits: jnp.tanh(logits / 2),
        units='probability of binary pixels',
    )


def gaussian(channels: int) -> Likelihood:
    """N(mean, s^2) with one learned scale s for all pixels.

    Rybkin et al. 2021, arXiv:2006.13202 (sigma-VAE): s settles at the root mean squared
    error, so that there is no weight to tune. A density in units of [-1, 1]: not
    comparable with a probability of 8-bit pixels.
    """

    def log_prob(params, mean, x):
        log_scale = jnp.maximum(params['log_scale'], -7.0)  # below 8-bit rounding
        z = (x - mean) * jnp.exp(-log_scale)
        return -_total(0.5 * z * z + log_scale + 0.5 * math.log(2 * math.pi))

    return Likelihood(
        outputs=channels,
        params={'log_scale': jnp.zeros(())},
        log_prob=log_prob,
        mean=lambda mean: jnp.clip(mean, -1, 1),
        units='density of pixels in [-1, 1]',
    )


def logistic_mixture(channels: int, mixtures: int = 10) -> Likelihood:
    """Discretised mixture of logistics over 8-bit pixels, channels in a chain.

    P(x) = sum_k w_k prod_c [F((x_c + 1/255 - m_kc) / s_kc) - F((x_c - 1/255 - m_kc) /
    s_kc)], F the sigmoid, the outer bins open to infinity; m_kc is linear in the
    channels before c. Salimans et al. 2017, arXiv:1701.05517.
    """
    pairs = channels * (channels - 1) // 2

    def split(outputs):
        # logits [..., K]; means, log scales [..., C, K]; coefficients [..., pairs, K]
        parts = outputs.reshape(*outputs.shape[:-1], 1 + 2 * channels + pairs, mixtures)
        logits, means = parts[..., 0, :], parts[..., 1 : 1 + channels, :]
        log_scales = jnp.maximum(parts[..., 1 + channels : 1 + 2 * channels, :], -7.0)
        return logits, means, log_scales, jnp.tanh(parts[..., 1 + 2 * channels :, :])

    def chain(means, coefficients, known):
        """Means given the channels before; `known(c, mean_c)` is the value of c."""
        out, values, pair = [], [], 0
        for c in range(channels):
            mean = means[..., c, :]
            for value in values:
                mean = mean + coefficients[..., pair, :] * value
                pair += 1
            out.append(mean)
            values.append(known(c, mean))
        return jnp.stack(out, axis=-2)

    def log_prob(_, outputs, x):
        logits, means, log_scales, coefficients = split(outputs)
        x = x[..., None]  # [..., C, 1]
        means = chain(means, coefficients, lambda c, _: x[..., c, :])
        inverse = jnp.exp(-log_scales)
        plus = inverse * (x - means + 1 / 255)
        minus = inverse * (x - means - 1 / 255)
        # log(F(a) - F(b)) = log F(a) + log F(-b) + log(1 - exp(b - a)), exact: no floor
        width = jnp.maximum(plus - minus, 1e-12)
        inside = log_sigmoid(plus) + log_sigmoid(-minus) + jnp.log(-jnp.expm1(-width))
        each = jnp.where(
            x < -0.999,
            log_sigmoid(plus),
            jnp.where(x > 0.999, log_sigmoid(-minus), inside),
        )
        joint = jnp.sum(each, axis=-2) + log_softmax(logits)
        return jnp.sum(jax.nn.logsumexp(joint, axis=-1), axis=(1, 2))

    def mean(outputs):
        logits, means, _, coefficients = split(outputs)
        means = chain(means, coefficients, lambda _, value: value)
        average = jnp.sum(means * softmax(logits)[..., None, :], axis=-1)
        return jnp.clip(average, -1, 1)

    return Likelihood(
        outputs=mixtures * (1 + 2 * channels + pairs),
        params={},
        log_prob=log_prob,
        mean=mean,
        units='probability of 8-bit pixels',
    )


LIKELIHOODS = {
    'bernoulli': bernoulli,
    'gaussian': gaussian,
    'logistic_mixture': logistic_mixture,
}
