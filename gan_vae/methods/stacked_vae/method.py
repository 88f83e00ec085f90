"""VAE of layers of latents, each inferred from the one below and made by that above.

  q(z | x) = q(z_1 | x) q(z_2 | z_1) ... q(z_L | z_{L-1})
  p(x, z) = p(z_L) p(z_{L-1} | z_L) ... p(z_1 | z_2) p(x | z_1),  p(z_L) = N(0, I)
  L_K = E[log 1/K sum_k p(x, z_k) / q(z_k | x)] <= log p(x)

with diagonal Gaussians; K = 1 is the ELBO, its KL sampled. Burda et al. 2016,
arXiv:1509.00519, section 5 (two layers); Rezende et al. 2014, arXiv:1401.4082. In nats
per example: summed over pixels and latents, averaged over the batch.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from gan_vae import models
from gan_vae.devices.memory import recomputed
from gan_vae.learning.settings import Learning
from gan_vae.methods import contract, latents, minimisation
from gan_vae.methods.contract import Method
from gan_vae.methods.stacked_vae import Networks, Settings
from gan_vae.methods.vae import terms
from gan_vae.objectives import bounds


def make(
    settings: Settings, model: Networks, learning: Learning, spec, axis_name=None
) -> Method:
    """The Method of those settings, for images of shape `spec`.

    Its latents [n, D] are those of all layers from the top, as standard normal noise:
    z_l = mean + deviation * noise of p(z_l | z_{l+1}).
    """
    likelihood = terms.likelihood_of(settings, spec)
    samples = settings.bound_samples if settings.bound == 'iwae' else 1
    network = models.make(
        'hierarchy',
        'stack',
        layers=tuple(model.layers()),
        outputs=likelihood.outputs,
        image_size=spec.height,
        dtype=jnp.dtype(learning.dtype),
    )
    sizes = [units for _, units in model.layers()]
    layers = range(len(sizes))
    noise_prior = latents.make(sum(sizes))
    infer, generate = (models.applied(network, name) for name in ('infer', 'generate'))
    out = recomputed(learning.remat)(models.applied(network, 'out'))

    def prior(net, number, above):
        """Mean and log variance of p(z_l | z_{l+1}); `above` is not read at the top."""
        return (0.0, 0.0) if number == layers[-1] else generate(net, number, above)

    def draws(keys, k):
        """Noise [K, B, D] of keys [B]."""
        return jax.vmap(lambda key: noise_prior.sample(key, k), out_axes=1)(keys)

    def walk(params, x, noise):
        """log p(x | z) and [log q(z_l | .) - log p(z_l | .)], all [K, B], by noise."""
        net, z, q, below = params['network'], [], [], x
        for number, own in enumerate(jnp.split(noise, np.cumsum(sizes)[:-1], -1)):
            q.append(infer(net, number, below))
            below = bounds.sample_gaussian(own, *q[-1])
            z.append(below)
        above = [*z[1:], None]
        ratios = [
            jnp.sum(bounds.kl_sampled(z[n], *q[n], *prior(net, n, above[n])), -1)
            for n in layers
        ]
        outputs = out(net, z[0].reshape(-1, sizes[0]))
        x = jnp.tile(x, (len(noise), 1, 1, 1))
        log_likelihood = likelihood.log_prob(params['likelihood'], outputs, x)
        return log_likelihood.reshape(noise.shape[:2]), ratios

    def named(ratios) -> dict:
        return {f'kl/{n}': ratio for n, ratio in enumerate(ratios, 1)}

    def loss(state, params, rows):
        log_likelihood, ratios = walk(params, rows.examples, draws(rows.keys, samples))
        bound = jnp.mean(bounds.importance_bound(log_likelihood - sum(ratios)))
        each = [jnp.mean(ratio) for ratio in ratios]
        return -bound, {'bound': bound, 'kl': sum(each)} | named(each)

    def values(state, rows):
        log_likelihood, ratios = walk(state.ema, rows.examples, draws(rows.keys, 1))
        each = [ratio[0] for ratio in ratios]
        return terms.elbo(log_likelihood[0], sum(each)) | named(each)

    def encode(weights, images, condition=None):
        """The noise at which the priors give the posteriors' means."""
        net, below, means = weights.averaged['network'], images, []
        for number in layers:
            below, _ = infer(net, number, below)
            means.append(below)
        noise, above = [], None
        for number in reversed(layers):
            noise.append(bounds.noise_of(means[number], *prior(net, number, above)))
            above = means[number]
        return jnp.concatenate(noise, -1)

    def decode(weights, noise, condition=None):
        """Means of p(x | z_1) at z of that noise."""
        contract.refuse_condition(condition)
        net, z = weights.averaged['network'], None
        parts = jnp.split(noise, np.cumsum(sizes[::-1])[:-1], -1)
        for number, own in zip(reversed(layers), parts, strict=True):
            z = bounds.sample_gaussian(own, *prior(net, number, z))
        return likelihood.mean(out(net, z))

    def log_weight(weights, key, images):
        """log p(x, z) - log q(z | x) [B] of one sample of z: its mean is the ELBO."""
        noise = noise_prior.sample(key, len(images))
        log_likelihood, ratios = walk(weights.averaged, images, noise[None])
        return (log_likelihood - sum(ratios))[0]

    return minimisation.method(
        settings,
        learning,
        axis_name,
        params=partial(terms.initial, network, likelihood, spec),
        loss=loss,
        values=values,
        objective=f'stacked_vae: -log 1/{samples} sum_k p(x, z_k) / q(z_k|x), layers '
        f'of {", ".join(map(str, sizes))} latents from the pixels, '
        f'{terms.units(settings, spec, likelihood)}',
        latents=contract.Latents(
            groups=tuple(reversed(sizes)),
            prior=noise_prior.sample,
            decode=decode,
            encode=encode,
        ),
        density=contract.Density(elbo=log_weight, log_weight=log_weight),
    )
