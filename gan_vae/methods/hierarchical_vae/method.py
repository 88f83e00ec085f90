"""Hierarchical VAE: groups of latents, each of which depends on those above it.

  ELBO(x) = E_q[log p(x | z) - sum_l KL(q(z_l | z_<l, x) || p(z_l | z_<l))] <= log p(x)

with diagonal Gaussians, of which the KL is analytic given z_<l, and one sample of z.
Sonderby et al. 2016, arXiv:1602.02282; Child 2021, arXiv:2011.10650 (the network, and
updates that are skipped). Everything in nats per example: summed over pixels and
latents, averaged over the batch.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from gan_vae import models
from gan_vae.devices.memory import recomputed
from gan_vae.keys import example_indices, keys_of, purpose_key
from gan_vae.learning import descent
from gan_vae.learning.settings import Learning
from gan_vae.learning.state import TrainState, step_key
from gan_vae.methods import contract, latents
from gan_vae.methods.contract import Coder, Method
from gan_vae.methods.hierarchical_vae import Networks, Settings
from gan_vae.methods.vae import terms
from gan_vae.objectives import bounds, likelihoods


class Walked(NamedTuple):
    """One group's z, and mean and log variance of q and p: all [B, D_l]."""

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
    likelihood = likelihoods.make(
        settings.likelihood, spec.channels, settings.mixtures, settings.likelihood_scale
    )
    network = models.make(
        'hierarchy',
        'vdvae',
        image_size=spec.height,
        outputs=likelihood.outputs,
        dtype=jnp.dtype(learning.dtype),
        width=model.width,
        latent_dim=model.latent_dim,
        encoder_blocks=model.encoder_blocks,
        decoder_blocks=model.decoder_blocks,
    )
    shapes = [(r, r, model.latent_dim) for r, _ in network.layout]
    sizes = [r * r * d for r, _, d in shapes]
    groups, numbers = len(shapes), sum(sizes)
    names = [f'kl/{n:02d}_{r}x{r}' for n, (r, _, _) in enumerate(shapes)]
    draw_noise = latents.normal(numbers).draw
    minimiser = descent.minimiser(settings, learning, axis_name)
    recompute = recomputed(learning.remat)

    def all_rows(x):
        """Rows of this device and of all others, in the order of the batch."""
        return x if axis_name is None else lax.all_gather(x, axis_name, tiled=True)

    weigh = terms.kl_term(settings, all_rows)

    # The walk: functions of parameters and arrays, which all that follows is made of.

    def apply(name, params, *arguments):
        bound = {'params': params}
        return network.apply(bound, *arguments, method=getattr(network, name))

    def of_group(params, number):
        """The parameters that it takes to leave a group for the next."""
        near = f'groups_{number}', f'groups_{number + 1}'
        return {name: params[name] for name in near if name in params}

    def flat(gaussian):
        return tuple(x.reshape(len(x), -1) for x in gaussian)

    features = recompute(lambda encoder, x: apply('features', {'encoder': encoder}, x))

    def start(params, n):
        return apply('start', of_group(params, 0), n)

    def prior(above):
        return flat((above.mean, above.log_variance))

    def posterior(params, number, above, seen):
        own = of_group(params, number)
        return flat(apply('posterior', own, number, above, seen))

    def descend(params, number, above, z):
        z = z.reshape(-1, *shapes[number])
        return apply('descend', of_group(params, number), number, above, z)

    out = recompute(lambda head, x: apply('out', {'head': head}, x))

    def outputs(params, x):
        return out(params['head'], x)

    explained = recompute(likelihood.log_prob)

    def stepper(number):
        """(params of the group, above, activations, noise) -> below, Walked."""

        def step(params, above, seen, noise):
            p = prior(above)
            q = posterior(params, number, above, seen)
            z = bounds.sample_gaussian(noise, *q)
            return descend(params, number, above, z), Walked(z, q, p)

        return recompute(step)

    stages = [stepper(number) for number in range(groups)]

    def split(noise):
        """[B, D] -> the groups' [B, D_l]."""
        ends = [sum(sizes[:n]) for n in range(1, groups)]
        return jnp.split(noise, ends, axis=-1)

    def walk(params, x, noise):
        """log p(x | z) [B] and the groups Walked, at z of noise [B, D]."""
        net = params['network']
        seen, below, walked = features(net['encoder'], x), start(net, len(x)), []
        for number, own in enumerate(split(noise)):
            res = shapes[number][0]
            part = of_group(net, number)
            below, group = stages[number](part, below, {res: seen[res]}, own)
            walked.append(group)
        return explained(params['likelihood'], outputs(net, below), x), walked

    def divergences(walked):
        """The analytic KL [B, groups]."""
        each = [jnp.sum(bounds.kl_gaussians(*w.q, *w.p), -1) for w in walked]
        return jnp.stack(each, -1)

    def generate(params, noise):
        """Outputs [B, H, W, outputs] of z from the priors at noise [B, D]."""
        net = params['network']
        below = start(net, len(noise))
        for number, own in enumerate(split(noise)):
            z = bounds.sample_gaussian(own, *prior(below))
            below = descend(net, number, below, z)
        return outputs(net, below)

    def init(key) -> TrainState:
        key_n, key = (purpose_key(key, p) for p in ('network', 'run'))
        params = {
            'network': network.init(key_n, jnp.zeros((1, *spec.shape)))['params'],
            'likelihood': likelihood.params,
        }
        return minimiser.init(key, params)

    def train_step(state, batch):
        x = batch['image']
        indices = example_indices(len(x), axis_name)
        keys = keys_of(step_key(state, 'posterior'), indices)

        def objective(params, rows):
            x, keys = rows
            log_likelihood, walked = walk(params, x, draw_noise(keys))
            reconstruction = -jnp.mean(log_likelihood)
            kl = divergences(walked)
            penalty, own = weigh(kl, state.step)
            each = jnp.mean(kl, 0)
            loss, total = reconstruction + penalty, jnp.sum(each)
            return loss, {
                'loss': loss,
                'elbo': -reconstruction - total,
                'reconstruction': reconstruction,
                'kl': total,
                **own,
                **dict(zip(names, each, strict=True)),
            }

        return minimiser.step(state, (x, keys), objective)

    def evaluate_step(state, batch):
        """Sums of the ELBO's terms, one z an example, averaged weights."""
        keys = keys_of(purpose_key(state.rng, 'evaluate'), batch['index'])
        log_likelihood, walked = walk(state.ema, batch['image'], draw_noise(keys))
        kl = divergences(walked)
        total = jnp.sum(kl, -1)
        values = {
            'elbo': log_likelihood - total,
            'reconstruction': -log_likelihood,
            'kl': total,
            **dict(zip(names, kl.T, strict=True)),
        }
        return contract.sums(values, batch['mask'])

    def encode(weights, images, condition=None):
        """The noise at which the priors give the posteriors' means, from the top on."""
        net = weights.averaged['network']
        seen, below = features(net['encoder'], images), start(net, len(images))
        noise = []
        for number in range(groups):
            z, _ = posterior(net, number, below, seen)
            mean, log_variance = prior(below)
            log_variance = jnp.clip(log_variance, *bounds.LOG_VARIANCE)
            noise.append((z - mean) * jnp.exp(-0.5 * log_variance))
            below = descend(net, number, below, z)
        return jnp.concatenate(noise, -1)

    def decode(weights, noise, condition=None):
        """Means of p(x | z) at z of that noise."""
        contract.refuse_condition(condition)
        return likelihood.mean(generate(weights.averaged, noise))

    def walk_of(weights, key, images):
        noise = draw_noise(keys_of(key, jnp.arange(len(images))))
        return walk(weights.averaged, images, noise)

    def elbo(weights, key, images):
        """The ELBO [B] with one sample of z, in nats."""
        log_likelihood, walked = walk_of(weights, key, images)
        return log_likelihood - jnp.sum(divergences(walked), -1)

    def log_weight(weights, key, images):
        """log p(x | z) + log p(z) - log q(z | x) [B] of one sample of z, in nats."""
        log_likelihood, walked = walk_of(weights, key, images)
        ratios = (jnp.sum(bounds.kl_sampled(w.z, *w.q, *w.p), -1) for w in walked)
        return log_likelihood - sum(ratios)

    def coder(weights):
        net = weights.averaged['network']
        return Coder(
            groups=groups,
            features=lambda images: features(net['encoder'], images),
            start=lambda n: start(net, n),
            prior=lambda _, above: prior(above),
            posterior=lambda number, above, seen: posterior(net, number, above, seen),
            descend=lambda number, above, z: descend(net, number, above, z),
            outputs=lambda x: outputs(net, x),
            likelihood=likelihood,
            params=weights.averaged['likelihood'],
        )

    size = 'x'.join(map(str, spec.shape))
    kl = terms.kl_formula(settings, 'p(z)', 'l')
    latents_ = contract.Latents(
        groups=tuple(sizes),
        prior=contract.prior_of(draw_noise),
        decode=decode,
        encode=encode,
    )
    return Method(
        objective=f'hierarchical_vae: -E_q[log p(x|z)] + {kl}, {groups} groups of '
        f'{numbers} latents, nats per example (sum over {size}, mean over the batch); '
        f'p(x|z) {settings.likelihood}: {likelihood.units}',
        init=init,
        train_step=train_step,
        evaluate_step=evaluate_step,
        generate=contract.generator_of(latents_),
        latents=latents_,
        density=contract.Density(elbo=elbo, log_weight=log_weight, coder=coder),
    )
