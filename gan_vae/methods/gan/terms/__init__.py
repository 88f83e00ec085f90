"""What a config adds to the losses of a GAN's networks: named terms, chosen once.

A term is a function of what its network's update has at hand, a `DiscriminatorView` or
a `GeneratorView`, to a weighted scalar. It may keep a state from update to update, and
may act every n-th update alone. Its name is that of its metric, of its state in
TrainState.extra, and of the randomness that it draws. One module holds the terms of one
idea, as functions `discriminator_terms` and `generator_terms` of (settings, networks).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from gan_vae.learning.state import Occasional


class Term(NamedTuple):
    """A weighted scalar of one network's loss, in nats per example where L is.

    `value` returns the scalar, or (scalar, {name: scalar}) with metrics of its own.
    """

    formula: str  # with its weight and its interval, for the objective; '': left out
    value: Callable | None = None  # view -> scalar; None: a state without a term
    interval: int = 1  # it acts at every so many updates, and as much heavier
    # at the start: a tree of arrays, or a function of {network: variables with params}
    # to one, of the weights that the run begins with
    state: Any = None
    # (state, metrics of this step so far, averaged over devices, step) -> state
    advance: Callable | None = None


@dataclass(frozen=True, kw_only=True)
class View:
    """What the updates of both networks have at hand, on rows [B] of the batch."""

    latents: jax.Array  # z [B, D]
    fake: jax.Array  # G(z) [B, H, W, C], not augmented
    fake_logits: jax.Array  # D(T(G(z))) [B], or [B, P] of patches
    fake_auxiliary: Any  # what a D with a second output says of T(G(z)): [B, ...]
    label: jax.Array | None  # int [B], or of captions [B, length]
    generate: Callable  # latents -> G(latents), for D T of it; G's variables stay
    keys: jax.Array  # [B], the term's own
    key: jax.Array  # [], of the whole update: the same for all rows
    mean: Callable  # a scalar of this device's rows -> its mean over devices
    state: Any  # the term's own
    step: jax.Array
    update: jax.Array  # updates of the network before this one
    progress: jax.Array | float = 0.0  # share of the optimizer's schedule, 0 to 1


@dataclass(frozen=True, kw_only=True)
class DiscriminatorView(View):
    """An update of the discriminator."""

    real: jax.Array  # images [B, H, W, C] as they are, not augmented
    augmented_real: jax.Array  # T(x), T(G(z)): what D's loss is of
    augmented_fake: jax.Array
    real_logits: jax.Array  # D(T(x)), likewise
    real_auxiliary: Any
    other_label: jax.Array | None  # of the next row in the batch of all devices
    # (images, label=own) -> D(images), likewise; leaves D's variables as they are
    logits: Callable
    augment_real: Callable  # images -> T(images), by the keys of augmented_real
    augment_fake: Callable


@dataclass(frozen=True, kw_only=True)
class GeneratorView(View):
    """An update of the generator."""

    params: Any
    variables: Any


def added(terms: dict[str, Term], view_of: Callable) -> tuple[jax.Array | float, dict]:
    """(sum of the terms as the loss takes them, {name: metric}).

    view_of: name -> the view that the term of that name is given.
    """
    total, metrics = 0.0, {}
    for name, term in terms.items():
        if term.value is not None:
            scalar, own = _scaled(name, term, view_of(name))
            total, metrics = total + scalar, metrics | own
    return total, metrics


def _scaled(name: str, term: Term, view) -> tuple[jax.Array, dict]:
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
    zeros = partial(jax.tree.map, lambda s: jnp.zeros(s.shape, s.dtype), shapes)
    scalar, own = lax.cond(acts, value, zeros)
    metrics = {k: Occasional(v, 1.0 * acts) for k, v in own.items()}
    return term.interval * scalar, metrics


def advanced(terms: dict[str, Term], extra: dict, metrics: dict, step) -> dict:
    """TrainState.extra after an update, by the terms that keep a state."""
    states = {
        name: term.advance(extra[name], metrics, step)
        for name, term in terms.items()
        if term.advance is not None
    }
    return extra | states


def states(variables: dict, *groups: dict[str, Term]) -> dict:
    """What the terms of all networks keep at the start, of {network: variables}."""
    return {
        name: term.state(variables) if callable(term.state) else term.state
        for terms in groups
        for name, term in terms.items()
        if term.state is not None
    }
