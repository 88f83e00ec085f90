"""The state of a run, and its randomness: a pure function of (seed, step, example).

Everything that the next step depends on is in the TrainState or follows from
(config, step); that is what makes resume exact. Noise is drawn per example, from
fold_in(fold_in(fold_in(rng, step), purpose), global example index), so that results do
not depend on the number of devices.
"""

import hashlib
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct
from jax.experimental import multihost_utils

from gan_vae.keys import purpose_key


@struct.dataclass
class TrainState:
    """Dictionaries are keyed by network: 'generator', 'encoder', ..."""

    step: jax.Array  # int32 []
    rng: jax.Array  # typed key []; never advanced
    params: dict[str, Any]
    variables: dict[str, Any]  # batch statistics and other non-trained collections
    opt_state: dict[str, Any]
    ema: dict[str, Any]  # what sampling uses: {network: {'params': ..., ...}}
    extra: dict[str, Any]  # moving scales and the like

    def weights(self) -> 'Weights':
        """What sampling and evaluation take of it."""
        return Weights(self.ema, self.rng)


@struct.dataclass
class Weights:
    """A trained model: the averaged weights, and the key of the run."""

    averaged: dict[str, Any]  # {network: {'params': ..., ...}}, as TrainState.ema
    key: jax.Array  # typed key []


@struct.dataclass
class Occasional:
    """A metric of some updates: its mean is over those, each as often as `acted`."""

    value: jax.Array  # [], of an update where it acted
    acted: jax.Array  # [], 0 where it did not


def step_key(state: TrainState, purpose: str) -> jax.Array:
    """The key of `purpose` at the state's step, equal on all devices."""
    return purpose_key(jax.random.fold_in(state.rng, state.step), purpose)


def by_name(tree) -> dict[str, Any]:
    """{'params/generator/...': leaf} over all leaves, of any type."""
    return {
        jax.tree_util.keystr(path, simple=True, separator='/'): leaf
        for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
    }


def named_leaves(tree) -> dict[str, np.ndarray]:
    """{'params/generator/...': host array} over all leaves; keys become their words."""
    leaves = by_name(tree)
    for name, leaf in leaves.items():
        if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            leaf = jax.random.key_data(leaf)
        if isinstance(leaf, jax.Array) and not (
            leaf.is_fully_addressable or leaf.is_fully_replicated
        ):  # its parts lie on many hosts: all come here together
            leaf = multihost_utils.process_allgather(leaf, tiled=True)
        leaves[name] = np.asarray(leaf)
    return leaves


def sha256(leaves: dict[str, np.ndarray]) -> str:
    """Hash over name, dtype, shape and bytes of every leaf, in order of name."""
    digest = hashlib.sha256()
    for name in sorted(leaves):
        leaf = leaves[name]
        digest.update(f'{name} {leaf.dtype} {leaf.shape};'.encode())
        digest.update(np.ascontiguousarray(leaf).data)
    return digest.hexdigest()


def not_finite(leaves: dict[str, np.ndarray]) -> str | None:
    """The name of the first leaf with a NaN or an infinity, or None."""
    for name, leaf in leaves.items():
        if np.issubdtype(leaf.dtype, np.floating) and not np.isfinite(leaf).all():
            return name
    return None


def abstract_state(init: Callable, sharding) -> TrainState:
    """Shapes and dtypes of init(rng), placed as `sharding`: one, or a tree of them."""
    shapes = jax.eval_shape(init, jax.random.key(0))
    return jax.tree.map(
        lambda x, s: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=s),
        shapes,
        jax.tree.broadcast(sharding, shapes),
    )
