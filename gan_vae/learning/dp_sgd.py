"""The update of differentially private training: Abadi et al. 2016, arXiv:1607.00133.

  g = 1/B (sum_i w_i g_i min(1, C / |g_i|) + N(0, (s C)^2))

g_i the gradient of example i's loss, C the clip norm, s the noise multiplier, B the
expected size of a Poisson batch, w_i 1 for an example that was drawn and 0 for padding.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import lax

from gan_vae.devices import loops
from gan_vae.keys import keys_of, purpose_key


class Drawn(NamedTuple):
    """Metrics of what was drawn. Parts of a batch have drawn unequally: both fields are
    averaged over them first, and `mean` is that of the whole batch."""

    weighted: dict[str, Any]  # means over rows of weight times metric
    weight: jax.Array  # mean over rows

    def mean(self) -> dict[str, Any]:
        """The metrics' means over what was drawn."""
        return jax.tree.map(
            lambda m: m / jnp.maximum(self.weight, 1e-30), self.weighted
        )


def gradient(loss: Callable, clip_norm: float) -> Callable:
    """(params, variables, rows) -> (gradients, (variables, Drawn)): the mean over rows
    of weight times clipped gradient.

    loss: as that of `Descent.differentiate`, no row's of another row. rows: with
    `weight` [B], that of data/poisson.py. Variables follow from the parameters alone.
    A row whose gradient is not finite counts as padding; NaN where all rows are such.
    The norms come first, and then the gradient of a weighted sum of losses, so that the
    gradients of all rows are never there together.
    """

    def run(params, variables, rows):
        each = jax.tree.map(lambda x: x[:, None], rows)

        def norm(row):
            grads, _ = jax.grad(loss, has_aux=True)(params, variables, row)
            return optax.global_norm(grads)

        norms = _over_rows(norm, each)
        finite = jnp.isfinite(norms)
        weight, norms = (jnp.where(finite, x, 0) for x in (rows.weight, norms))
        factors = weight * jnp.minimum(1.0, clip_norm / jnp.maximum(norms, 1e-30))
        # 0 times a gradient that is not finite would be NaN: another row stands there
        there = jnp.where(finite, jnp.arange(len(finite)), jnp.argmax(finite))
        each = jax.tree.map(lambda x: x[there], each)

        def weighted(params):
            of_rows = jax.vmap(loss, (None, None, 0))
            losses, (after, metrics) = of_rows(params, variables, each)
            return jnp.mean(factors * losses), (after, metrics)

        grads, (after, metrics) = jax.grad(weighted, has_aux=True)(params)
        metrics |= {'clipped': 1.0 * (norms > clip_norm)}
        shares = weight / len(norms)
        metrics = jax.tree.map(lambda m: jnp.tensordot(shares, m, 1), metrics)
        drawn = Drawn(metrics, jnp.mean(weight))
        return grads, (jax.tree.map(lambda v: v[0], after), drawn)

    return run


CHUNK = 8  # rows whose gradients fit a CPU's cache: 4 times faster than 512 at once


def _over_rows(function: Callable, rows) -> jax.Array:
    """function(row) of each row [B, ...]."""
    one = jax.tree.map(lambda x: x[0], rows)
    if jax.default_backend() != 'cpu' or loops.are_slow(jax.jit(function), one):
        return jax.vmap(function)(rows)
    return lax.map(function, rows, batch_size=CHUNK)


class Noisy(NamedTuple):
    """The state of `noisy`."""

    inner: Any
    updates: jax.Array  # so far, int32


def noisy(
    inner: optax.GradientTransformationExtraArgs,
    deviation: float,
    learner: str = 'all',
    still: Callable = lambda tree: jax.tree.map(lambda _: False, tree),
) -> optax.GradientTransformationExtraArgs:
    """`inner`, which sees gradients with N(0, deviation^2) on each number of them.

    `update` takes the mean over devices, the same on all, and the `key` of the run: the
    noise is a function of it, of the learner's name and of the updates so far. still:
    tree -> tree of bool, True where parameters do not learn, and get no noise.
    """

    def init(params):
        return Noisy(inner.init(params), jnp.zeros((), jnp.int32))

    def update(updates, state, params=None, *, key=None, norm=None, **extra):
        assert key is not None, 'noise without a key'
        del norm  # of gradients without noise
        key = jax.random.fold_in(purpose_key(key, f'privacy {learner}'), state.updates)
        leaves, tree = jax.tree.flatten(updates)
        keys = keys_of(key, jnp.arange(len(leaves)))
        noise = [
            jax.random.normal(k, g.shape) for k, g in zip(keys, leaves, strict=True)
        ]
        grads = jax.tree.map(
            lambda s, g, n: g if s else g + deviation * n,
            still(updates),
            updates,
            jax.tree.unflatten(tree, noise),
        )
        norm = optax.global_norm(grads)
        updates, after = inner.update(grads, state.inner, params, norm=norm, **extra)
        return updates, Noisy(after, state.updates + 1)

    return optax.GradientTransformationExtraArgs(init, update)
