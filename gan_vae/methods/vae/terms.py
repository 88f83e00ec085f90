"""What a config makes of the KL of a VAE, and adds to part its latents: chosen once.

The KL is weighed by beta (Higgins et al. 2017), free up to some nats a unit, or held at
a capacity that grows. A term of config.method.disentangle is a function of the codes of
the whole batch, over all devices; see objectives/disentangling.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from gan_vae import models
from gan_vae.keys import keys_of, purpose_key
from gan_vae.methods.vae import Divergence, Likelihood, Weight
from gan_vae.objectives import bounds, disentangling, likelihoods


class Coded(NamedTuple):
    """The codes of the batch, over all devices: z, mean, log_variance [B, D]."""

    z: jax.Array
    mean: jax.Array
    log_variance: jax.Array
    key: jax.Array  # the same on all devices


class Term(NamedTuple):
    """A weighted scalar of the codes, and of parameters of its own."""

    formula: str  # with its weight, for the objective
    value: Callable  # (params, Coded) -> scalar
    init: Callable = lambda key: {}  # key -> params


def likelihood_of(settings: Likelihood, spec) -> likelihoods.Likelihood:
    """p(x | z) of images of shape `spec`."""
    return likelihoods.make(
        settings.likelihood, spec.channels, settings.mixtures, settings.likelihood_scale
    )


def initial(network, likelihood: likelihoods.Likelihood, spec, key) -> dict:
    """Parameters of a network of images of shape `spec`, and of the likelihood."""
    key, zeros = purpose_key(key, 'network'), jnp.zeros((1, *spec.shape))
    params = network.init(key, zeros)['params']
    return {'network': params, 'likelihood': likelihood.params}


def units(settings: Likelihood, spec, likelihood, label: str = '') -> str:
    """What the objective of a VAE of images is measured in, in words."""
    size = 'x'.join(map(str, spec.shape))
    return (
        f'nats per example (sum over {size}, mean over the batch); p(x|z{label}) '
        f'{settings.likelihood}: {likelihood.units}'
    )


def elbo(log_likelihood, kl) -> dict:
    """The metrics of an ELBO at beta = 1, in nats, of one example or of means."""
    return {'elbo': log_likelihood - kl, 'reconstruction': -log_likelihood, 'kl': kl}


def all_rows(x, axis_name: str | None):
    """Rows [B, ...] of this device and of all others, in the order of the batch."""
    return x if axis_name is None else lax.all_gather(x, axis_name, tiled=True)


def kl_term(settings: Divergence, axis_name: str | None) -> Callable:
    """(KL [B, D], step) -> (what is added to the loss, metrics)."""
    target, nats = settings.capacity, settings.free_bits
    if target:
        weight, steps = settings.capacity_weight, settings.capacity_steps

        def at_capacity(kl, step):
            now = bounds.warm_up(step, steps, target)
            mean = jnp.mean(jnp.sum(all_rows(kl, axis_name), -1))
            return bounds.capacity(mean, now, weight), {'capacity': now}

        return at_capacity
    weight_at = weight_of(settings)

    def weighed(kl, step):
        weight = weight_at(step)
        if nats:
            mean = bounds.free_bits(all_rows(kl, axis_name), nats)
        else:
            mean = jnp.mean(jnp.sum(kl, -1))
        return weight * mean, {'beta': weight}

    return weighed


def weight_of(method: Weight) -> Callable:
    """step -> beta, from its share beta_begin on over beta_warmup_steps."""
    beta, warmup, first = method.beta, method.beta_warmup_steps, method.beta_begin
    return lambda step: beta * (first + (1 - first) * bounds.warm_up(step, warmup))


def weight_words(method: Weight) -> str:
    """`weight_of`, for a formula."""
    grow = ''
    if steps := method.beta_warmup_steps:
        share = f' from {method.beta_begin:g} of it' if method.beta_begin else ''
        grow = f' (growing{share} over {steps} steps)'
    return f'{method.beta:g}{grow}'


def kl_formula(method: Divergence, prior: str = 'N(0, I)', unit: str = 'd') -> str:
    """What `kl_term` gives, in symbols."""
    if target := method.capacity:
        return (
            f'{method.capacity_weight:g} |KL(q(z|x) || {prior}) - C|, C to {target:g} '
            f'nats in {method.capacity_steps} steps'
        )
    if nats := method.free_bits:
        kl = f'KL_{unit}(q(z|x) || {prior})'
        return f'{weight_words(method)} sum_{unit} max({nats:g}, {kl})'
    return f'beta KL(q(z|x) || {prior}), beta = {weight_words(method)}'


def _beta_tc(method, latent_dim, count) -> Term:
    weight = method.tc_weight

    def value(_, codes):
        z, mean, log_variance, _ = codes
        tc = disentangling.total_correlation(z, mean, log_variance, count)
        return weight * jnp.mean(tc)

    return Term(f'{weight:g} beta_tc', value)


def _dip(of, method, latent_dim, count) -> Term:
    weight, diagonal = method.dip_lambda, method.dip_lambda * method.dip_diagonal
    penalty = partial(of, off_diagonal=weight, diagonal=diagonal)
    formula = f'{method.disentangle} ({weight:g} covariances, {diagonal:g} variances)'
    return Term(formula, lambda _, codes: penalty(codes))


def _factor(method, latent_dim, count) -> Term:
    """With the loss of its discriminator, which learns at the same step.

    It tells the codes of one half of the batch from shuffled ones of the other.
    """
    weight = method.factor_gamma
    discriminator = models.make('code_discriminator', 'mlp', width=method.factor_width)

    def value(params, codes):
        logits = discriminator.apply(lax.stop_gradient(params), codes.z)
        total = disentangling.density_ratio(logits)
        z = lax.stop_gradient(codes.z)
        half = len(z) // 2
        units = keys_of(codes.key, jnp.arange(latent_dim))
        others = disentangling.permute_dims(units, z[half:])
        logits = [discriminator.apply(params, x) for x in (z[:half], others)]
        return weight * total + disentangling.density_ratio_loss(*logits)

    def init(key):
        return discriminator.init(key, jnp.zeros((1, latent_dim)))

    return Term(f'{weight:g} factor', value, init)


# {config.method.disentangle: (settings, latent_dim, images to train on) -> Term}
TERMS = {
    'beta_tc': _beta_tc,
    'dip_i': partial(_dip, lambda c, **w: disentangling.dip_i(c.mean, **w)),
    'dip_ii': partial(
        _dip, lambda c, **w: disentangling.dip_ii(c.mean, c.log_variance, **w)
    ),
    'factor': _factor,
}
