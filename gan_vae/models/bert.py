"""BERT: an encoder whose words see each other.

  x_0 = norm(word + place + type),   y = norm(x + A(x)),   x' = norm(y + W gelu(V y))

Devlin et al. 2018, arXiv:1810.04805, with the exact GELU and an epsilon of 1e-12.
"""

import jax.numpy as jnp
from flax import linen as nn

from gan_vae.models.transformer import attend


class Bert(nn.Module):
    """Numbers int [B, T], bool [B, T] of those that are seen -> states [B, T, width].

    The sizes are those of MiniLM (Wang et al. 2020, arXiv:2002.10957).
    """

    words: int = 30_522
    places: int = 512
    width: int = 384
    depth: int = 6
    heads: int = 12
    hidden: int = 1536

    @nn.compact
    def __call__(self, numbers, seen):
        def table(name, count):
            return self.param(name, nn.initializers.normal(0.02), (count, self.width))

        def norm(name, x):
            return nn.LayerNorm(epsilon=1e-12, name=name)(x)

        x = table('words', self.words)[numbers] + table('types', 2)[0]
        x = norm('norm', x + table('places', self.places)[: numbers.shape[1]])
        split = *numbers.shape, self.heads, self.width // self.heads
        for n in range(self.depth):
            q, k, v = (
                nn.Dense(self.width, name=f'{n}_{part}')(x).reshape(split)
                for part in ('query', 'key', 'value')
            )
            read = attend(q, k, v, seen[:, None, None]).reshape(x.shape)
            x = norm(
                f'{n}_attention_norm', x + nn.Dense(self.width, name=f'{n}_read')(read)
            )
            h = nn.gelu(nn.Dense(self.hidden, name=f'{n}_in')(x), approximate=False)
            x = norm(f'{n}_norm', x + nn.Dense(self.width, name=f'{n}_out')(h))
        return jnp.asarray(x, jnp.float32)
