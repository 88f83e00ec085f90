"""Keys of randomness: named uses, and one key an example, whatever the devices."""

import zlib

import jax
import jax.numpy as jnp
import numpy as np


def purpose_key(rng: jax.Array, purpose: str) -> jax.Array:
    """The key of one named use of randomness."""
    return jax.random.fold_in(rng, zlib.crc32(purpose.encode()))


def example_indices(n: int, axis_name: str | None) -> jax.Array:
    """Global indices [n] of this device's rows of a batch split over `axis_name`."""
    start = 0 if axis_name is None else jax.lax.axis_index(axis_name) * n
    return start + jnp.arange(n)


def keys_of(key: jax.Array, indices: jax.Array | np.ndarray) -> jax.Array:
    """One key per index, [n]."""
    return jax.vmap(lambda i: jax.random.fold_in(key, i))(indices)


def normals(keys: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """Standard normal noise [len(keys), *shape], each row from its own key."""
    return jax.vmap(lambda key: jax.random.normal(key, shape))(keys)
