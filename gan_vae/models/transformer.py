"""Decoder-only transformer of a map of codes, with words before it.

  x_0 = [words, begin, code_0, ..., code_{N-2}],
  y_l = x_l + A(x_l),   x_{l+1} = y_l + F(y_l),
  logits_i = W norm(x_L of the place before code i)

with RMSNorm before each part, SwiGLU, no biases, and a head that is zero at the start,
so that the first loss is log K: the form of LLaMA and LlamaGen (Sun et al. 2024,
arXiv:2406.06525). Positions of codes are learned, by row and by column. Words see each
other and no code; a code sees all words and the codes before it, in rows from the top.
"""

from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax

from gan_vae.models import layers

_normal = nn.initializers.normal(0.02)


def attend(q, k, v, mask):
    """Values of v [..., S, H, d] for q [..., T, H, d], k [..., S, H, d]; mask bool
    [T, S] or [..., 1, T, S], true where a place is seen."""
    q, k, v = (jnp.swapaxes(x, -3, -2) for x in (q, k, v))  # faster than by einsum
    scores = q @ jnp.swapaxes(k, -1, -2) * q.shape[-1] ** -0.5
    scores = jnp.where(mask, scores.astype(jnp.float32), -1e9)
    share = nn.softmax(scores, -1).astype(v.dtype)
    return jnp.swapaxes(share @ v, -3, -2)


def present(words):
    """bool [..., P] of words int [..., P], or of vectors float [..., P, D]: which are
    there."""
    if jnp.issubdtype(words.dtype, jnp.integer):
        return words > 0
    return jnp.any(words != 0, -1)


def _fold(keys, number: int):
    """Keys [B] of one use of many, or None."""
    return (
        None if keys is None else jax.vmap(jax.random.fold_in, (0, None))(keys, number)
    )


class Linear(nn.Dense):
    """W x over the last axis of x [..., width], without a bias.

    As one product of matrices: XLA:CPU takes up to 1.7 times as long for the gradient
    of W where x has more axes.
    """

    use_bias: bool = False
    kernel_init: Any = _normal

    def __call__(self, x):
        flat = super().__call__(x.reshape(-1, x.shape[-1]))
        return flat.reshape(*x.shape[:-1], self.features)


class Block(nn.Module):
    """x [..., T, width] -> the same: attention, and then SwiGLU."""

    width: int
    heads: int
    dropout: float = 0.0
    dtype: Any = None

    def setup(self):
        def dense(features):
            return Linear(features, dtype=self.dtype)

        hidden = -(-8 * self.width // 3 // 64) * 64
        self.norms = [nn.RMSNorm(epsilon=1e-5, dtype=self.dtype) for _ in range(2)]
        self.projected, self.joined = dense(3 * self.width), dense(self.width)
        self.gate, self.inner, self.outer = (
            dense(hidden),
            dense(hidden),
            dense(self.width),
        )

    def project(self, x):
        """Queries, keys and values [..., T, H, d] of x."""
        shape = *x.shape[:-1], 3, self.heads, self.width // self.heads
        return jnp.moveaxis(self.projected(self.norms[0](x)).reshape(shape), -3, 0)

    def finish(self, x, q, k, v, mask, keys=None):
        """What becomes of x; keys: of dropout, [B]; without them there is none."""
        seen = attend(q, k, v, mask).reshape(x.shape)
        x = x + layers.dropped(self.joined(seen), _fold(keys, 0), self.dropout)
        h = self.norms[1](x)
        h = self.outer(nn.silu(self.gate(h)) * self.inner(h))
        return x + layers.dropped(h, _fold(keys, 1), self.dropout)


class Transformer(nn.Module):
    """Logits [..., N, codes] of a map of N codes [..., N], after words [..., P].

    A word is from 1 to `words`; 0 is none, and is seen by nobody. With `states` words
    come as vectors [..., P, states], and zeros are none.
    """

    codes: int
    shape: tuple[int, int]  # of the map
    words: int = 0
    length: int = 0  # P
    states: int = 0  # numbers of a word that comes as a vector
    width: int = 256
    depth: int = 6
    heads: int = 8
    dropout: float = 0.0
    masked: bool = False  # each code sees all; `codes` stands for one not known
    dtype: Any = None

    def setup(self):
        def table(name, count):
            return self.param(name, _normal, (count, self.width))

        rows, columns = self.shape
        self.rows, self.columns = table('rows', rows), table('columns', columns)
        self.codebook = table('codes', self.codes + 1)  # the last: begin, or unknown
        if self.length:
            self.places = table('places', self.length)
            if self.states:
                self.inward = Linear(self.width, dtype=self.dtype)
            else:
                self.vocabulary = table('words', self.words + 1)
        self.blocks = [
            Block(self.width, self.heads, self.dropout, self.dtype)
            for _ in range(self.depth)
        ]
        self.norm = nn.RMSNorm(epsilon=1e-5, dtype=self.dtype)
        self.head = Linear(self.codes, kernel_init=nn.initializers.zeros_init())

    @property
    def count(self) -> int:
        """N."""
        return self.shape[0] * self.shape[1]

    def positions(self):
        """[N, width] of the codes of a whole map."""
        both = self.rows[:, None] + self.columns[None]
        return both.reshape(self.count, self.width)

    def prefix(self, words):
        """[..., P, width] of words."""
        known = self.inward(words) if self.states else self.vocabulary[words]
        return known + self.places

    def mask(self, words, n: int):
        """bool [..., 1, P + n, P + n]: what is seen from where, of n codes."""
        order = jnp.tril(jnp.ones((n, n), bool))
        order = order | self.masked
        if not self.length:
            return order[None]
        known = present(words)
        shape = *known.shape[:-1], self.length + n, self.length
        # a place sees itself, so that one without words sees something
        of_words = jnp.broadcast_to(known[..., None, :], shape)
        of_words = of_words | jnp.eye(shape[-2], shape[-1], dtype=bool)
        of_codes = jnp.pad(order, ((self.length, 0), (0, 0)))
        of_codes = jnp.broadcast_to(of_codes, (*shape[:-1], n))
        return jnp.concatenate([of_words, of_codes], -1)[..., None, :, :]

    def __call__(self, words, codes, keys=None):
        """Logits of codes [..., n], n at most N; words [..., P], or as vectors, or None
        where P is 0.

        keys: of dropout, one an example, of codes [B, n]; without them there is none.
        """
        if not self.masked:
            begin = jnp.full((*codes.shape[:-1], 1), self.codes, codes.dtype)
            codes = jnp.concatenate([begin, codes[..., :-1]], -1)
        x = self.codebook[codes] + self.positions()[: codes.shape[-1]]
        if self.length:
            x = jnp.concatenate([self.prefix(words), x], -2)
        x, mask = x.astype(self.dtype), self.mask(words, codes.shape[-1])
        x = layers.dropped(x, _fold(keys, 0), self.dropout)
        for number, block in enumerate(self.blocks):
            q, k, v = block.project(x)
            x = block.finish(x, q, k, v, mask, _fold(keys, number + 1))
        return self._logits(x[..., self.length :, :])

    def start(self, words, n: int):
        """Keys and values [depth, n, P + N, H, d] of words [n, P], the rest zeros."""
        shape = 2, self.depth, n, self.count, self.heads, self.width // self.heads
        empty = jnp.zeros(shape, self.dtype or jnp.float32)
        if not self.length:
            return empty
        x = self.prefix(words).astype(self.dtype)
        mask, cache = self.mask(words, 0), []
        for block in self.blocks:
            q, k, v = block.project(x)
            cache.append(jnp.stack([k, v]))
            x = block.finish(x, q, k, v, mask)
        return jnp.concatenate([jnp.stack(cache, 1), empty], 3)

    def advance(self, cache, words, before, place):
        """(logits [n, codes] at a place, cache with it); before: the code of the place
        before, `codes` for the first."""
        x = (self.codebook[before] + self.positions()[place])[:, None]
        x, at = x.astype(self.dtype), self.length + place
        seen = jnp.arange(self.length + self.count) <= at
        if self.length:
            is_word = jnp.pad(
                present(words), ((0, 0), (0, self.count)), constant_values=True
            )
            seen = (seen & is_word)[:, None, None]
        for number, block in enumerate(self.blocks):
            q, k, v = block.project(x)
            new = jnp.stack([k, v])[:, None]
            cache = lax.dynamic_update_slice(cache, new, (0, number, 0, at, 0, 0))
            k, v = cache[0, number], cache[1, number]
            x = block.finish(x, q, k, v, seen)
        return self._logits(x)[:, 0], cache

    def _logits(self, x):
        return self.head(self.norm(x)).astype(jnp.float32)
