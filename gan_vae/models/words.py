"""Captions as vectors: what a generator or a discriminator makes of words.

  x = word_i + place_i,  one block of attention,  c_q = sum_i softmax(q.x_i) W x_i

Each of Q learned queries looks for its own word, so that a colour stays with its part:
a mean over words does not tell whose it is.
"""

from typing import Any

import jax.numpy as jnp
from flax import linen as nn

from gan_vae.models.transformer import Block, present

QUERIES, WIDTH, HEADS = 16, 96, 4
_normal = nn.initializers.normal(0.02)


class WordEncoder(nn.Module):
    """words int [B, P] from 1 to `words`, 0 for none, or as vectors [B, P, D], zeros
    for none -> [B, features], float32."""

    words: int
    length: int  # P
    features: int
    dtype: Any = None

    @nn.compact
    def __call__(self, words):
        known = present(words)
        if words.ndim == known.ndim:
            words = self.param('words', _normal, (self.words + 1, WIDTH))[words]
        else:
            words = nn.Dense(WIDTH, use_bias=False, kernel_init=_normal)(words)
        places = self.param('places', _normal, (self.length, WIDTH))
        x = (words + places).astype(self.dtype or jnp.float32)
        # a place sees itself, so that one without words sees something
        seen = known[:, None, None] | jnp.eye(self.length, dtype=bool)
        block = Block(WIDTH, HEADS, dtype=self.dtype)
        x = block.finish(x, *block.project(x), seen)
        x = nn.RMSNorm(epsilon=1e-5, dtype=self.dtype)(x)
        queries = self.param('queries', _normal, (QUERIES, WIDTH))
        scores = jnp.einsum('bpd,qd->bqp', x, queries.astype(x.dtype))
        scores = jnp.where(known[:, None], scores.astype(jnp.float32), -1e9)
        values = nn.Dense(self.features // QUERIES, dtype=self.dtype)(x)
        c = jnp.einsum('bqp,bpd->bqd', nn.softmax(scores, -1).astype(x.dtype), values)
        return c.reshape(words.shape[0], self.features).astype(jnp.float32)
