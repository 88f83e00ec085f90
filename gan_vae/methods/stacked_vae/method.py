"""VAE of layers of latents, each inferred from the one below and made by that above.

  q(z | x) = q(z_1 | x) q(z_2 | z_1) ... q(z_L | z_{L-1})
  p(x, z) = p(z_L) p(z_{L-1} | z_L) ... p(z_1 | z_2) p(x | z_1),  p(z_L) = N(0, I)
  L_K = E[log 1/K sum_k p(x, z_k) / q(z_k | x)] <= log p(x)

with diagonal Gaussians; K = 1 is the ELBO, its KL sampled. Burda et al. 2016,
arXiv:1509.00519, section 5 (two layers); Rezende et al. 2014, arXiv:1401.4082. In nats
per example: summed over pixels and latents, averaged over the batch.
"""

import jax
import jax.numpy as jnp

from gan_vae import models
from gan_vae.devices.memory import recomputed
from gan_vae.keys import example_indices, keys_of, purpose_key
from gan_vae.learning import descent
from gan_vae.learning.settings import Learning
from gan_vae.learning.state import TrainState, step_key
from gan_vae.methods import contract, latents
from gan_vae.methods.contract import Method
from gan_vae.methods.stacked_vae import Networks, Settings
from gan_vae.objectives import bounds, likelihoods


def make(
    settings: Settings, model: Networks, learning: Learning, spec, axis_name=None
) -> Method:
    """The Method of those settings, for images of shape `spec`.

    Its latents [n, D] are those of all layers from the top, as standard normal noise:
    z_l = mean + deviation * noise of p(z_l | z_{l+1}).
    """
    likelihood = likelihoods.make(
        settings.likelihood, spec.channels, settings.mixtures, settings.likelihood_scale
    )
    samples = settings.bound_samples if settings.bound == 'iwae' else 1
    layers = model.layers()
    network = models.make(
        'hierarchy',
        'stack',
        layers=tuple(layers),
        outputs=likelihood.outputs,
        image_size=spec.height,
        dtype=jnp.dtype(learning.dtype),
    )
    sizes = [units for _, units in layers]
    top = len(sizes) - 1
    ends = [sum(sizes[: n + 1]) for n in range(top)]
    names = [f'kl/{n + 1}' for n in range(top + 1)]
    draw_noise = latents.normal(sum(sizes)).draw
    minimiser = descent.minimiser(settings, learning, axis_name)
    recompute = recomputed(learning.remat)

    def apply(name):
        function = getattr(network, name)

        def run(params, *arguments):
            return network.apply({'params': params}, *arguments, method=function)

        return run

    infer, generate = apply('infer'), apply('generate')
    out = recompute(apply('out'))

    def prior(params, number, above):
        """Mean and log variance of p(z_l | above); above: z_{l+1}, none at the top."""
        return (0.0, 0.0) if number == top else generate(params, number, above)

    def draws(keys, k):
        """Noise [K, B, D] of keys [B]."""
        each = jax.vmap(lambda key: draw_noise(keys_of(key, jnp.arange(k))))(keys)
        return jnp.swapaxes(each, 0, 1)

    def walk(params, x, noise):
        """log p(x | z) and [log q(z_l | .) - log p(z_l | .)], all [K, B], by noise."""
        net, z, q = params['network'], [], []
        below = x
        for number, own in enumerate(jnp.split(noise, ends, -1)):
            q.append(infer(net, number, below))
            below = bounds.sample_gaussian(own, *q[-1])
            z.append(below)
        ratios = []
        for number in range(top + 1):
            p = prior(net, number, z[number + 1] if number < top else None)
            ratios.append(jnp.sum(bounds.kl_sampled(z[number], *q[number], *p), -1))
        outputs = out(net, z[0].reshape(-1, sizes[0]))
        seen = jnp.tile(x, (len(noise), 1, 1, 1))
        log_likelihood = likelihood.log_prob(params['likelihood'], outputs, seen)
        return log_likelihood.reshape(noise.shape[:2]), ratios

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
            log_likelihood, ratios = walk(params, x, draws(keys, samples))
            bound = jnp.mean(bounds.importance_bound(log_likelihood - sum(ratios)))
            each = [jnp.mean(ratio) for ratio in ratios]
            return -bound, {
                'loss': -bound,
                'bound': bound,
                'kl': sum(each),
                **dict(zip(names, each, strict=True)),
            }

        return minimiser.step(state, (x, keys), objective)

    def evaluate_step(state, batch):
        """Sums of the ELBO's terms, one z an example, averaged weights."""
        keys = keys_of(purpose_key(state.rng, 'evaluate'), batch['index'])
        log_likelihood, ratios = walk(state.ema, batch['image'], draws(keys, 1))
        total = sum(ratios)[0]
        values = {
            'elbo': log_likelihood[0] - total,
            'reconstruction': -log_likelihood[0],
            'kl': total,
            **{name: r[0] for name, r in zip(names, ratios, strict=True)},
        }
        return contract.sums(values, batch['mask'])

    def encode(weights, images, condition=None):
        """The noise at which the priors give the posteriors' means."""
        net, below, means = weights.averaged['network'], images, []
        for number in range(top + 1):
            below, _ = infer(net, number, below)
            means.append(below)
        noise, above = [], None
        for number in reversed(range(top + 1)):
            mean, log_variance = prior(net, number, above)
            log_variance = jnp.clip(log_variance, *bounds.LOG_VARIANCE)
            above = means[number]
            noise.append((above - mean) * jnp.exp(-0.5 * log_variance))
        return jnp.concatenate(noise, -1)

    def decode(weights, noise, condition=None):
        """Means of p(x | z_1) at z of that noise."""
        contract.refuse_condition(condition)
        net, z, begin = weights.averaged['network'], None, 0
        for number in reversed(range(top + 1)):
            own = noise[:, begin : begin + sizes[number]]
            z = bounds.sample_gaussian(own, *prior(net, number, z))
            begin += sizes[number]
        return likelihood.mean(out(net, z))

    def log_weight(weights, key, images):
        """log p(x, z) - log q(z | x) [B] of one sample of z: its mean is the ELBO."""
        noise = draw_noise(keys_of(key, jnp.arange(len(images))))
        log_likelihood, ratios = walk(weights.averaged, images, noise[None])
        return (log_likelihood - sum(ratios))[0]

    size = 'x'.join(map(str, spec.shape))
    layered = ', '.join(map(str, sizes))
    latents_ = contract.Latents(
        groups=tuple(reversed(sizes)),
        prior=contract.prior_of(draw_noise),
        decode=decode,
        encode=encode,
    )
    return Method(
        objective=f'stacked_vae: -log 1/{samples} sum_k p(x, z_k) / q(z_k|x), layers '
        f'of {layered} latents from the pixels, nats per example (sum over {size}, '
        f'mean over the batch); p(x|z) {settings.likelihood}: {likelihood.units}',
        init=init,
        train_step=train_step,
        evaluate_step=evaluate_step,
        generate=contract.generator_of(latents_),
        latents=latents_,
        density=contract.Density(elbo=log_weight, log_weight=log_weight),
    )
