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
from jax import lax

from gan_vae import models
from gan_vae.devices.memory import recomputed
from gan_vae.errors import UserError
from gan_vae.keys import example_indices, keys_of, purpose_key
from gan_vae.learning import descent as descents
from gan_vae.learning.state import TrainState, step_key
from gan_vae.methods import latents
from gan_vae.methods.contract import Method
from gan_vae.objectives import bounds, likelihoods


def stochastic_layers(text: str) -> list[tuple[int, int]]:
    """'200x100,100x50' -> [(width, latents)] from the pixels. UserError for others."""
    found = []
    for item in text.split(','):
        width, _, units = item.strip().partition('x')
        if not (width.isdecimal() and units.isdecimal() and int(width) and int(units)):
            raise UserError(
                f'config.model.stochastic_layers={text!r}: {item!r} is not like '
                '200x100: the width of its networks and the number of its latents'
            )
        found.append((int(width), int(units)))
    return found


def make(config, spec, axis_name=None) -> Method:
    """The Method of config.method, config.model and config.optimizer.

    Its latents [n, D] are those of all layers from the top, as standard normal noise:
    z_l = mean + deviation * noise of p(z_l | z_{l+1}).
    """
    method, model = config.method, config.model
    likelihood = likelihoods.make(config, spec.channels)
    samples = method.bound_samples
    if method.bound == 'dreg':
        raise UserError(
            'config.method.bound=dreg is of one layer of latents: take iwae or elbo, '
            'or config.method.name=vae'
        )
    if method.bound == 'elbo' and samples > 1:
        raise UserError(
            f'config.method.bound_samples={samples}: several layers of latents have '
            'the elbo of 1 sample, or config.method.bound=iwae'
        )
    layers = stochastic_layers(model.stochastic_layers)
    network = models.make(
        'hierarchy',
        'stack',
        layers=tuple(layers),
        outputs=likelihood.outputs,
        image_size=spec.height,
        dtype=jnp.dtype(config.parallel.dtype),
    )
    sizes = [units for _, units in layers]
    top = len(sizes) - 1
    ends = [sum(sizes[: n + 1]) for n in range(top)]
    names = [f'kl/{n + 1}' for n in range(top + 1)]
    draw_noise = latents.normal(sum(sizes)).draw
    descent = descents.make(config, axis_name)
    recompute = recomputed(config.parallel.remat)

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
        told = likelihood.log_prob(params['likelihood'], outputs, seen)
        return told.reshape(noise.shape[:2]), ratios

    def init(rng) -> TrainState:
        key, rng = (purpose_key(rng, p) for p in ('network', 'run'))
        params = {
            'network': network.init(key, jnp.zeros((1, *spec.shape)))['params'],
            'likelihood': likelihood.params,
        }
        return descent.init(rng, params)

    def train_step(state, batch):
        x = batch['image']
        indices = example_indices(len(x), axis_name)
        keys = keys_of(step_key(state, 'posterior'), indices)

        def objective(params, rows):
            x, keys = rows
            told, ratios = walk(params, x, draws(keys, samples))
            bound = jnp.mean(bounds.importance_bound(told - sum(ratios)))
            each = [jnp.mean(ratio) for ratio in ratios]
            return -bound, {
                'loss': -bound,
                'bound': bound,
                'kl': sum(each),
                **dict(zip(names, each, strict=True)),
            }

        return descent.step(state, (x, keys), objective)

    def evaluate_step(state, batch):
        """Sums of the ELBO's terms, one z an example, averaged weights."""
        keys = keys_of(purpose_key(state.rng, 'evaluate'), batch['index'])
        told, ratios = walk(state.ema, batch['image'], draws(keys, 1))
        mask = batch['mask']
        sums = {
            'elbo': jnp.sum((told - sum(ratios))[0] * mask),
            'reconstruction': -jnp.sum(told[0] * mask),
            'kl': jnp.sum(sum(ratios)[0] * mask),
            **{n: jnp.sum(r[0] * mask) for n, r in zip(names, ratios, strict=True)},
            'count': jnp.sum(mask),
        }
        return sums if axis_name is None else lax.psum(sums, axis_name)

    def draw(rng, n, truncation=None):
        return draw_noise(keys_of(rng, jnp.arange(n)), truncation)

    def sample(state, rng, n, condition=None):
        """Means of p(x | z_1), z from the prior."""
        return decode(state, draw(rng, n), condition)

    def tempered(state, rng, n, temperature, condition=None):
        """Deviations of every layer's prior times the temperature."""
        return decode(state, temperature * draw(rng, n), condition)

    def encode(state, images, condition=None):
        """The noise at which the priors give the posteriors' means."""
        net, below, means = state.ema['network'], images, []
        for number in range(top + 1):
            below, _ = infer(net, number, below)
            means.append(below)
        found, above = [], None
        for number in reversed(range(top + 1)):
            mean, log_variance = prior(net, number, above)
            log_variance = jnp.clip(log_variance, *bounds.LOG_VARIANCE)
            above = means[number]
            found.append((above - mean) * jnp.exp(-0.5 * log_variance))
        return jnp.concatenate(found, -1)

    def decode(state, noise, condition=None):
        """Means of p(x | z_1) at z of that noise."""
        if condition is not None:
            raise UserError('this model has no classes: it takes none to sample')
        net, z, begin = state.ema['network'], None, 0
        for number in reversed(range(top + 1)):
            own = noise[:, begin : begin + sizes[number]]
            z = bounds.sample_gaussian(own, *prior(net, number, z))
            begin += sizes[number]
        return likelihood.mean(out(net, z))

    def log_weight(state, rng, images):
        """log p(x, z) - log q(z | x) [B] of one sample of z: its mean is the ELBO."""
        noise = draw_noise(keys_of(rng, jnp.arange(len(images))))
        told, ratios = walk(state.ema, images, noise[None])
        return (told - sum(ratios))[0]

    said = 'x'.join(map(str, spec.shape))
    layered = ', '.join(map(str, sizes))
    return Method(
        objective=f'stacked_vae: -log 1/{samples} sum_k p(x, z_k) / q(z_k|x), layers '
        f'of {layered} latents from the pixels, nats per example (sum over {said}, '
        f'mean over the batch); p(x|z) {method.likelihood}: {likelihood.units}',
        init=init,
        train_step=train_step,
        evaluate_step=evaluate_step,
        sample=sample,
        tempered=tempered,
        prior=draw,
        groups=tuple(reversed(sizes)),
        encode=encode,
        decode=decode,
        log_prob=log_weight,
        log_weight=log_weight,
    )
