"""Hierarchical VAE: groups of latents, each of which depends on those above it.

  ELBO(x) = E_q[log p(x | z) - sum_l KL(q(z_l | z_<l, x) || p(z_l | z_<l))] <= log p(x)

with diagonal Gaussians, of which the KL is analytic given z_<l, and one sample of z.
Sonderby et al. 2016, arXiv:1602.02282; Child 2021, arXiv:2011.10650 (the network, and
updates that are skipped). Everything in nats per example: summed over pixels and
latents, averaged over the batch.
"""

from dataclasses import asdict
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gan_vae import models
from gan_vae.devices.memory import recomputed
from gan_vae.keys import keys_of
from gan_vae.learning.settings import Learning
from gan_vae.methods import contract, latents, minimisation
from gan_vae.methods.contract import Coder, Method
from gan_vae.methods.hierarchical_vae import Networks, Settings
from gan_vae.methods.vae import terms
from gan_vae.objectives import bounds


class Group(NamedTuple):
    """A group's z, and mean and log variance of q and p: all [B, D_l]."""

    z: jax.Array
    q: tuple[jax.Array, jax.Array]
    p: tuple[jax.Array, jax.Array]


def make(
    settings: Settings, model: Networks, learning: Learning, spec, axis_name=None
) -> Method:
    """The Method of those settings, for images of shape `spec`.

    Its latents [n, D] are those of all groups from the top, as standard normal noise:
    z_l = mean + deviation * noise of the prior.
    """
    likelihood = terms.likelihood_of(settings, spec)
    network = models.make(
        'hierarchy',
        'vdvae',
        image_size=spec.height,
        outputs=likelihood.outputs,
        dtype=jnp.dtype(learning.dtype),
        **asdict(model),
    )
    shapes = [(r, r, model.latent_dim) for r, _ in network.layout]
    sizes = [r * r * d for r, _, d in shapes]
    groups = len(shapes)
    kl_names = [f'kl/{n:02d}_{r}x{r}' for n, (r, _, _) in enumerate(shapes)]
    prior = latents.make(sum(sizes))
    recompute = recomputed(learning.remat)
    weigh = terms.kl_term(settings, axis_name)

    # A function that may be computed twice takes the parameters it needs and no more.
    names = 'features', 'out', 'start', 'posterior', 'descend'
    features, out, start, posterior, descend = (
        models.applied(network, name) for name in names
    )
    features, out = recompute(features), recompute(out)
    log_prob = recompute(likelihood.log_prob)

    def of_group(net, number):
        """The parameters that it takes to leave a group for the next."""
        pair = f'groups_{number}', f'groups_{number + 1}'
        return {name: net[name] for name in pair if name in net}

    def flat(gaussian):
        return tuple(x.reshape(len(x), -1) for x in gaussian)

    def coder(params) -> Coder:
        """The walk from the top to the pixels, by those parameters."""
        net = params['network']

        def own_posterior(number, above, seen):
            return flat(posterior(of_group(net, number), number, above, seen))

        def own_descend(number, above, z):
            z = z.reshape(-1, *shapes[number])
            return descend(of_group(net, number), number, above, z)

        return Coder(
            groups=groups,
            features=lambda images: features({'encoder': net['encoder']}, images),
            start=lambda n: start(of_group(net, 0), n),
            prior=lambda _, above: flat((above.mean, above.log_variance)),
            posterior=own_posterior,
            descend=own_descend,
            outputs=lambda x: out({'head': net['head']}, x),
            likelihood=likelihood,
            params=params.get('likelihood'),
        )

    def stage(number):
        """(params of the group, above, activations, noise) -> below, Group."""

        def step(part, above, seen, noise):
            own = coder({'network': part})
            p, q = own.prior(number, above), own.posterior(number, above, seen)
            z = bounds.sample_gaussian(noise, *q)
            return own.descend(number, above, z), Group(z, q, p)

        return recompute(step)

    stages = [stage(number) for number in range(groups)]

    def split(noise):
        """[B, D] -> the groups' [B, D_l]."""
        return jnp.split(noise, np.cumsum(sizes)[:-1], axis=-1)

    def walk(params, x, keys):
        """log p(x | z) [B] and the Groups, of one z for each key [B]."""
        own, walked = coder(params), []
        seen, below = own.features(x), own.start(len(x))
        for number, part in enumerate(split(prior.draw(keys))):
            net, res = of_group(params['network'], number), shapes[number][0]
            below, group = stages[number](net, below, {res: seen[res]}, part)
            walked.append(group)
        return log_prob(params['likelihood'], own.outputs(below), x), walked

    def divergences(walked):
        """The analytic KL [B, groups]."""
        each = [jnp.sum(bounds.kl_gaussians(*w.q, *w.p), -1) for w in walked]
        return jnp.stack(each, -1)

    def loss(state, params, rows):
        log_likelihood, walked = walk(params, rows.examples, rows.keys)
        kl = divergences(walked)
        penalty, metrics = weigh(kl, state.step)
        each, log_likelihood = jnp.mean(kl, 0), jnp.mean(log_likelihood)
        metrics |= terms.elbo(log_likelihood, jnp.sum(each))
        metrics |= dict(zip(kl_names, each, strict=True))
        return penalty - log_likelihood, metrics

    def values(state, rows):
        log_likelihood, walked = walk(state.ema, rows.examples, rows.keys)
        kl = divergences(walked)
        metrics = terms.elbo(log_likelihood, jnp.sum(kl, -1))
        return metrics | dict(zip(kl_names, kl.T, strict=True))

    def encode(weights, images, condition=None):
        """The noise at which the priors give the posteriors' means, from the top on."""
        own, noise = coder(weights.averaged), []
        seen, below = own.features(images), own.start(len(images))
        for number in range(groups):
            z, _ = own.posterior(number, below, seen)
            noise.append(bounds.noise_of(z, *own.prior(number, below)))
            below = own.descend(number, below, z)
        return jnp.concatenate(noise, -1)

    def decode(weights, noise, condition=None):
        """Means of p(x | z) at z of that noise."""
        contract.refuse_condition(condition)
        own = coder(weights.averaged)
        below = own.start(len(noise))
        for number, part in enumerate(split(noise)):
            z = bounds.sample_gaussian(part, *own.prior(number, below))
            below = own.descend(number, below, z)
        return likelihood.mean(own.outputs(below))

    def elbo(weights, key, images):
        """The ELBO [B] with one sample of z, in nats."""
        keys = keys_of(key, jnp.arange(len(images)))
        log_likelihood, walked = walk(weights.averaged, images, keys)
        return log_likelihood - jnp.sum(divergences(walked), -1)

    def log_weight(weights, key, images):
        """log p(x | z) + log p(z) - log q(z | x) [B] of one sample of z, in nats."""
        keys = keys_of(key, jnp.arange(len(images)))
        log_likelihood, walked = walk(weights.averaged, images, keys)
        ratios = (jnp.sum(bounds.kl_sampled(w.z, *w.q, *w.p), -1) for w in walked)
        return log_likelihood - sum(ratios)

    return minimisation.method(
        settings,
        learning,
        axis_name,
        params=partial(terms.initial, network, likelihood, spec),
        loss=loss,
        values=values,
        objective='hierarchical_vae: -E_q[log p(x|z)] + '
        f'{terms.kl_formula(settings, "p(z)", "l")}, {groups} groups of {sum(sizes)} '
        f'latents, {terms.units(settings, spec, likelihood)}',
        latents=contract.Latents(
            groups=tuple(sizes), prior=prior.sample, decode=decode, encode=encode
        ),
        density=contract.Density(
            elbo=elbo,
            log_weight=log_weight,
            coder=lambda weights: coder(weights.averaged),
        ),
    )
