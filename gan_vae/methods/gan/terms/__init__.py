"""What a config adds to the losses of a GAN's networks: named terms, chosen once.

A term is a function of what its network's update has at hand, a `DiscriminatorView` or
a `GeneratorView`, to a weighted scalar. It may keep a state from update to update, and
may act every n-th update alone. Its name is that of its metric, of its state in
TrainState.extra, and of the randomness that it draws. One module holds the terms of one
idea, as functions `discriminator_terms` and `generator_terms` of (settings, networks).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from gan_vae.keys import normals
from gan_vae.learning.state import Occasional


class Term(NamedTuple):
    """A weighted scalar of one network's loss, in nats per example where L is.

    `value` returns the scalar, or (scalar, {name: scalar}) with metrics of its own.
    """

    formula: str  # with its weight and its interval, for the objective
    value: Callable | None = None  # view -> scalar; None: a state without a term
    interval: int = 1  # it acts at every so many updates, and as much heavier
    state: Any = None  # at the start: a tree of arrays
    # (state, metrics of this step so far, averaged over devices, step) -> state
    advance: Callable | None = None


class DiscriminatorView(NamedTuple):
    """An update of the discriminator, on rows [B] of the batch."""

    real: jax.Array  # images [B, H, W, C] as they are, not augmented
    fake: jax.Array
    augmented_real: jax.Array  # T(x), T(G(z)): what D's loss is of
    augmented_fake: jax.Array
    real_logits: jax.Array  # D(T(x)), D(T(G(z))) [B]
    fake_logits: jax.Array
    real_auxiliary: Any  # what a D with a second output says of both: [B, ...]
    fake_auxiliary: Any
    logits: Callable  # images -> D(images) [B]; leaves D's variables as they are
    label: jax.Array | None  # int [B], of both
    latents: jax.Array  # z [B, D]
    generate: Callable  # latents -> T(G(latents)), by the T of augmented_fake
    keys: jax.Array  # [B], the term's own
    state: Any  # the term's own
    step: jax.Array
    update: jax.Array  # updates of D before this one


class GeneratorView(NamedTuple):
    """An update of the generator, on rows [B] of the batch."""

    params: Any
    latents: jax.Array  # z [B, D]
    fake: jax.Array  # G(z) [B, H, W, C], not augmented
    fake_logits: jax.Array  # D(T(G(z))) [B]
    fake_auxiliary: Any  # what a D with a second output says of T(G(z))
    label: jax.Array | None  # int [B]
    generate: Callable  # latents -> G(latents); leaves G's variables as they are
    keys: jax.Array  # [B], the term's own
    state: Any  # the term's own
    step: jax.Array
    update: jax.Array  # updates of G before this one


def added(terms: dict[str, Term], view_of: Callable) -> tuple[jax.Array | float, dict]:
    """(sum of the terms as the loss takes them, {name: metric}).

    view_of: name -> the view that the term of that name is given.
    """
    total, metrics = 0.0, {}
    for name, term in terms.items():
        if term.value is not None:
            scalar, own = _taken(name, term, view_of(name))
            total, metrics = total + scalar, metrics | own
    return total, metrics


def _taken(name: str, term: Term, view) -> tuple[jax.Array, dict]:
    """A term every `interval`-th update alone, and as much heavier: StyleGAN2's lazy
    regularisation (Karras et al. 2019, arXiv:1912.04958, appendix B). Its metrics
    are of the updates where it acts, without that factor.
    """

    def value():
        scalar = term.value(view)
        scalar, own = scalar if isinstance(scalar, tuple) else (scalar, {})
        return scalar, {name: scalar} | own

    if term.interval == 1:
        return value()
    acts = view.update % term.interval == 0
    shapes = jax.eval_shape(value)
    scalar, own = lax.cond(
        acts,
        value,
        lambda: jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), shapes),
    )
    acted = 1.0 * acts
    return term.interval * scalar, {k: Occasional(v, acted) for k, v in own.items()}


def advanced(terms: dict[str, Term], extra: dict, metrics: dict, step) -> dict:
    """TrainState.extra after an update, by the terms that keep a state."""
    states = {
        name: term.advance(extra[name], metrics, step)
        for name, term in terms.items()
        if term.advance is not None
    }
    return extra | states


def states(*groups: dict[str, Term]) -> dict:
    """What the terms of all networks keep, at the start."""
    return {
        name: term.state
        for terms in groups
        for name, term in terms.items()
        if term.state is not None
    }


def near(latents: jax.Array, keys: jax.Array, deviation: float) -> jax.Array:
    """z + e [B, D], e of N(0, deviation^2), each row by its own key."""
    return latents + deviation * normals(keys, latents.shape[1:])
