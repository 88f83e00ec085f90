"""What a discriminator gives besides real or fake: an image's class or code.

  class   -E log softmax(a(x))_y                     the auxiliary classifier's, ACGAN
  code    I(c; G(z)) >= H(c) + E log q(c | G(z))     mutual information, InfoGAN

q is a softmax for the category and N(mean(x), 1) for continuous codes. Odena et al.
2016, arXiv:1610.09585; Chen et al. 2016, arXiv:1606.03657, equation 5.
"""

import math

import jax
import jax.numpy as jnp


def cross_entropy(logits: jax.Array, label: jax.Array) -> jax.Array:
    """-E log softmax(logits [B, K])[label int [B]], in nats."""
    chosen = jnp.take_along_axis(jax.nn.log_softmax(logits), label[:, None], axis=1)
    return -jnp.mean(chosen)


def information(outputs: jax.Array, codes: jax.Array, categories: int):
    """(of the category, of continuous codes): lower bounds of I(c; G(z)), in nats.

    outputs [B, K + C]: logits of the K = `categories`, then means; codes [B, K + C]:
    one of K, then numbers of U(-1, 1). The first is at most log K. The second is at
    most C log(2 / sqrt(2 pi)) < 0, where all codes are exact: the variance of q is 1.
    """
    k = categories
    log_q = jnp.sum(jax.nn.log_softmax(outputs[:, :k]) * codes[:, :k], axis=1)
    category = math.log(k) + jnp.mean(log_q) if k else jnp.zeros(())
    error = jnp.sum(jnp.square(outputs[:, k:] - codes[:, k:]), axis=1)
    constant = (codes.shape[1] - k) * math.log(2 / math.sqrt(2 * math.pi))
    return category, constant - 0.5 * jnp.mean(error)
