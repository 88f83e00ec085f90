"""How the optimiser's state and the averaged weights lie over devices.

With g_i the gradients of device i's rows, u the optimiser and w the weights:

  copies   g = mean_i g_i                 w' = w + u(g, w)            on each device
  parts    g_k = part k of mean_i g_i     w'_k = w_k + u(g_k, w_k)    on device k of n
                                          w' = (w'_1, ..., w'_n)

The first is an all-reduce, the second a reduce-scatter and an all-gather, which move as
many bytes; the state of the optimiser then takes 1/n of the memory on each device. The
first stage of ZeRO: Rajbhandari et al. 2020, arXiv:1910.02054; Xu et al. 2020,
arXiv:2004.13336. Each array is cut along its first axis that divides by n; one without
such an axis stays a copy.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import lax
from jax.sharding import PartitionSpec


class Layout(NamedTuple):
    """What a step needs to know of it; trees of arrays, in a step mapped over devices.

    `shard` of a tree of full arrays gives the shapes of the state.
    """

    mean: Callable  # gradients of this device's rows -> its part of their mean
    shard: Callable  # full arrays -> this device's shards
    gather: Callable  # (shards, full arrays of those shapes) -> full arrays
    norm: Callable  # (shards, full arrays of those shapes) -> global norm, on all


def make(shard_state: bool, axis_name: str | None) -> Layout:
    """Copies or parts over the mapped axis; `axis_name` None is a single device."""
    if axis_name is not None and shard_state:
        return _parts(axis_name)
    mean = _same if axis_name is None else lambda tree: lax.pmean(tree, axis_name)
    return Layout(mean, _same, _same, lambda grads, _: optax.global_norm(grads))


def update(layout: Layout, optimizer, grads, opt_state, params, key):
    """One step of `optimizer`: (parameters, its state, norm of the mean gradient).

    grads: of this device's rows; params: full arrays; opt_state: copies or shards; key:
    of the run, for an optimiser that draws noise.
    """
    grads = layout.mean(grads)
    norm = layout.norm(grads, params)
    shards = layout.shard(params)
    updates, opt_state = optimizer.update(grads, opt_state, shards, norm=norm, key=key)
    shards = optax.apply_updates(shards, updates)
    return layout.gather(shards, params), opt_state, norm


def axis_of(shape: tuple[int, ...], n: int) -> int | None:
    """The axis that an array is cut along for n devices; None: it stays a copy."""
    if n == 1:
        return None
    return next((a for a, size in enumerate(shape) if size and size % n == 0), None)


def specs(tree, n: int, axis_name: str):
    """The PartitionSpec of each array of a tree that lies in parts on n devices."""

    def spec(x):
        axis = axis_of(x.shape, n)
        return PartitionSpec(*([] if axis is None else [None] * axis + [axis_name]))

    return jax.tree.map(spec, tree)


def _parts(axis_name: str) -> Layout:
    def cut(function, otherwise):
        """Maps function(x, axis, n) over arrays cut by the shapes of `like`."""

        def over(tree, like):
            n = lax.axis_size(axis_name)

            def one(x, full):
                axis = axis_of(full.shape, n)
                return otherwise(x) if axis is None else function(x, axis, n)

            return jax.tree.map(one, tree, like)

        return over

    def scatter(x, axis, n):
        total = lax.psum_scatter(x, axis_name, scatter_dimension=axis, tiled=True)
        return total / n

    def piece(x, axis, n):
        size = x.shape[axis] // n
        start = lax.axis_index(axis_name) * size
        return lax.dynamic_slice_in_dim(x, start, size, axis)

    def gather(x, axis, n):
        return lax.all_gather(x, axis_name, axis=axis, tiled=True)

    mean = cut(scatter, lambda x: lax.pmean(x, axis_name))
    shard = cut(piece, _same)
    squares = cut(lambda x, axis, n: lax.psum(_square(x), axis_name), _square)
    return Layout(
        mean=lambda tree: mean(tree, tree),
        shard=lambda tree: shard(tree, tree),
        gather=cut(gather, _same),
        norm=lambda parts, like: jnp.sqrt(sum(jax.tree.leaves(squares(parts, like)))),
    )


def _square(x):
    return jnp.sum(jnp.square(x))


def _same(x, *_):
    return x
