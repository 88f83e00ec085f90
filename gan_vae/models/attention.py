"""Self-attention over the places of an image, added with a weight that starts at 0.

    x + gamma W_o sum_j a_ij g_j,   a_i = softmax_j(theta_i . phi_j)

theta, phi and g are linear in x; keys and values are the largest of each 2x2 places.
Zhang et al. 2018, arXiv:1805.08318 (SAGAN), its code for the 2x2 and the C/8 and C/2
channels. No division by the root of the channels: that is the Transformer's.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import linen as nn

from gan_vae.models import layers


def attend(queries, keys, values):
    """[B, Q, K], [B, N, K], [B, N, V] -> [B, Q, V], with weights in float32."""
    scores = jnp.einsum('bqk,bnk->bqn', queries, keys)
    weights = jax.nn.softmax(scores.astype(jnp.float32)).astype(values.dtype)
    return jnp.einsum('bqn,bnv->bqv', weights, values)


def _largest(x):
    """The maxima over 2x2: [B, H, W, C] -> [B, H/2, W/2, C]."""
    b, h, w, c = x.shape
    return jnp.max(x.reshape(b, h // 2, 2, w // 2, 2, c), axis=(2, 4))


class SelfAttention(nn.Module):
    """[B, H, W, C] -> the same, H and W even; `layer` makes its 1x1 convolutions."""

    layer: Callable = layers.Conv

    @nn.compact
    def __call__(self, x):
        b, h, w, c = x.shape

        def linear(x, features):
            return self.layer(features, (1, 1), use_bias=False)(x)

        def places(x):
            return x.reshape(b, -1, x.shape[-1])

        narrow, half = max(1, c // 8), max(1, c // 2)
        theta = places(linear(x, narrow))
        phi, g = (places(_largest(linear(x, n))) for n in (narrow, half))
        seen = attend(theta, phi, g).reshape(b, h, w, half)
        gamma = self.param('gamma', nn.initializers.zeros, ())
        return x + gamma.astype(x.dtype) * linear(seen, c)
