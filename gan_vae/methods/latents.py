"""What a generator starts from: noise n, and after it codes c that it should show.

    z = [n, one-hot of k, u],   k uniform of K categories,   u ~ U(-1, 1)^C

n ~ N(0, I) or U(-1, 1)^D. Truncation draws each number of a normal n again until it is
within +- t: Brock et al. 2018, arXiv:1809.11096, section 3.1. The codes are InfoGAN's:
Chen et al. 2016, arXiv:1606.03657.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from gan_vae.errors import UserError
from gan_vae.keys import keys_of, normals


class Prior(NamedTuple):
    """Where latents [B, size] come from, each row from its own key."""

    size: int
    draw: Callable  # (keys [B], truncation=None) -> [B, size]
    categories: int = 0  # of the code
    continuous: int = 0  # numbers of the code

    def sample(self, key: jax.Array, n: int, truncation: float | None = None):
        """Latents [n, size], row i by the key (key, i): `Latents.prior` of a method."""
        return self.draw(keys_of(key, jnp.arange(n)), truncation)

    @property
    def codes(self) -> int:
        """How many of the last numbers of a latent are codes."""
        return self.categories + self.continuous


def make(
    size: int, noise: str = 'normal', categories: int = 0, continuous: int = 0
) -> Prior:
    """Noise [size] of 'normal' or 'uniform', and after it the codes."""
    draw_noise = {'normal': _normal, 'uniform': _uniform}[noise]

    def draw(keys, truncation=None):
        z = draw_noise(keys, size, truncation)
        if not categories + continuous:
            return z
        next_of = jax.vmap(lambda k: jax.random.fold_in(k, 1))
        keys, parts = next_of(keys), [z]
        if categories:
            number = jax.vmap(lambda k: jax.random.randint(k, (), 0, categories))(keys)
            parts.append(jax.nn.one_hot(number, categories))
        if continuous:
            parts.append(_uniform(next_of(keys), continuous))
        return jnp.concatenate(parts, axis=-1)

    return Prior(size + categories + continuous, draw, categories, continuous)


def _normal(keys, size, truncation=None):
    if truncation is None:
        return normals(keys, (size,))
    if truncation == 0:
        return jnp.zeros((len(keys), size))
    within = -float(truncation), float(truncation)
    return jax.vmap(lambda k: jax.random.truncated_normal(k, *within, (size,)))(keys)


def _uniform(keys, size, truncation=None):
    if truncation is not None:
        raise UserError('truncation is of normal latents: this model has uniform ones')
    return jax.vmap(lambda k: jax.random.uniform(k, (size,), minval=-1.0))(keys)
