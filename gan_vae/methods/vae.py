"""Variational autoencoders: maximise the evidence lower bound.

  log p(x) >= E_q(z|x)[log p(x | z)] - KL(q(z | x) || N(0, I))

with q = N(mean(x), diag exp(log_variance(x))), one sample of z, and the analytic KL;
the loss weighs the KL by beta. Kingma & Welling 2013, arXiv:1312.6114; Higgins et al.
2017. Everything in nats per example: summed over pixels, averaged over the batch.
"""

import jax
import jax.numpy as jnp
from jax import lax

from gan_vae import models
from gan_vae.errors import UserError, unknown
from gan_vae.methods import Method, latents
from gan_vae.objectives import bounds, likelihoods
from gan_vae.training import layout as layouts
from gan_vae.training import optimizers
from gan_vae.training.memory import accumulated, recomputed
from gan_vae.training.state import (
    TrainState,
    example_indices,
    keys_of,
    normals,
    purpose_key,
    step_key,
)


def make(config, spec, axis_name=None) -> Method:
    """The Method of config.method, config.model and config.optimizer."""
    method, model = config.method, config.model
    name = method.likelihood
    if name not in likelihoods.LIKELIHOODS:
        raise unknown('config.method.likelihood', name, likelihoods.LIKELIHOODS)
    if name == 'bernoulli' and config.data.binarize == 'none':
        raise UserError(
            'the bernoulli likelihood is of binary pixels: set config.data.binarize to '
            'dynamic or threshold, or config.method.likelihood to gaussian'
        )
    if name == 'logistic_mixture':
        likelihood = likelihoods.logistic_mixture(spec.channels, method.mixtures)
    else:
        likelihood = likelihoods.LIKELIHOODS[name](spec.channels)
    fields = {
        'image_size': spec.height,
        'width': model.width,
        'latent_dim': model.latent_dim,
        'outputs': likelihood.outputs,
        'dtype': jnp.dtype(config.parallel.dtype),
    }
    encoder = models.make('encoder', model.encoder, **fields)
    decoder = models.make('decoder', model.decoder, **fields)
    latent_dim = model.latent_dim
    draw_latents = latents.normal(latent_dim).draw
    moving_average = optimizers.averaging(method, config.data.batch_size)
    beta, warmup = method.beta, method.beta_warmup_steps
    optimizer = optimizers.make(
        config.optimizer, config.train.steps, config.optimizer.learning_rate
    )
    parallel = config.parallel
    layout = layouts.make(parallel.shard_state, axis_name)
    parts, recompute = parallel.accumulate, recomputed(parallel.remat)
    encoded = recompute(lambda params, x: encoder.apply({'params': params}, x))
    decoded = recompute(lambda params, z: decoder.apply({'params': params}, z))
    explained = recompute(likelihood.log_prob)

    def init(rng) -> TrainState:
        key_e, key_d, rng = (purpose_key(rng, p) for p in ('encoder', 'decoder', 'run'))
        params = {
            'encoder': encoder.init(key_e, jnp.zeros((1, *spec.shape)))['params'],
            'decoder': decoder.init(key_d, jnp.zeros((1, latent_dim)))['params'],
            'likelihood': likelihood.params,
        }
        return TrainState(
            step=jnp.zeros((), jnp.int32),
            rng=rng,
            params=params,
            variables={},
            opt_state={'all': optimizer.init(params)},
            ema=jax.tree.map(jnp.copy, params),
            extra={},
        )

    def terms(params, x, keys):
        """log p(x | z) [B], z one sample; the KL [B, D]; log q(z | x) - log p(z)."""
        mean, log_variance = encoded(params['encoder'], x)
        noise = normals(keys, (latent_dim,))
        z = bounds.sample_gaussian(noise, mean, log_variance)
        outputs = decoded(params['decoder'], z)
        log_likelihood = explained(params['likelihood'], outputs, x)
        kl = bounds.kl_to_standard_normal(mean, log_variance)
        log_variance = jnp.clip(log_variance, *bounds.LOG_VARIANCE)
        return log_likelihood, kl, 0.5 * (z**2 - noise**2 - log_variance)

    def train_step(state, batch):
        x = batch['image']
        indices = example_indices(len(x), axis_name)
        keys = keys_of(step_key(state, 'posterior'), indices)
        weight = beta * jnp.minimum(1.0, (state.step + 1) / max(1, warmup))

        def gradient(params, variables, rows):
            def objective(params):
                log_likelihood, kl, _ = terms(params, *rows)
                reconstruction, kl = -jnp.mean(log_likelihood), jnp.mean(kl.sum(-1))
                return reconstruction + weight * kl, {
                    'loss': reconstruction + weight * kl,
                    'elbo': -reconstruction - kl,
                    'reconstruction': reconstruction,
                    'kl': kl,
                }

            grads, metrics = jax.grad(objective, has_aux=True)(params)
            return grads, (variables, metrics)

        grads, (_, metrics) = accumulated(gradient, parts)(
            state.params, state.variables, (x, keys)
        )
        if axis_name is not None:
            metrics = lax.pmean(metrics, axis_name)
        params, opt_state, norm = layouts.update(
            layout, optimizer, grads, state.opt_state['all'], state.params
        )
        ema = moving_average(state.ema, layout.own(params), state.step)
        state = state.replace(
            step=state.step + 1, params=params, opt_state={'all': opt_state}, ema=ema
        )
        return state, metrics | {'beta': weight, 'gradient': norm}

    def evaluate_step(state, batch):
        """Sums of the bound's terms at beta = 1, one z an example, averaged weights."""
        keys = keys_of(purpose_key(state.rng, 'evaluate'), batch['index'])
        log_likelihood, kl, _ = terms(state.ema, batch['image'], keys)
        kl, mask = jnp.sum(kl, -1), batch['mask']
        sums = {
            'elbo': jnp.sum((log_likelihood - kl) * mask),
            'reconstruction': -jnp.sum(log_likelihood * mask),
            'kl': jnp.sum(kl * mask),
            'count': jnp.sum(mask),
        }
        return sums if axis_name is None else lax.psum(sums, axis_name)

    def sample(state, rng, n, condition=None):
        """Means of p(x | z), z from the prior."""
        return decode(state, prior(rng, n), condition)

    def prior(rng, n, truncation=None):
        return draw_latents(keys_of(rng, jnp.arange(n)), truncation)

    def posterior(state, images):
        """Mean and log variance [B, D] of q(z | x)."""
        return encoder.apply({'params': state.ema['encoder']}, images)

    def encode(state, images):
        """Means of the posterior."""
        return posterior(state, images)[0]

    def decode(state, z, condition=None):
        """Means of p(x | z)."""
        if condition is not None:
            raise UserError('this model has no classes: it takes none to sample')
        return likelihood.mean(decoder.apply({'params': state.ema['decoder']}, z))

    def log_prob(state, rng, images):
        """The ELBO [B] with one sample of z, in nats."""
        keys = keys_of(rng, jnp.arange(len(images)))
        log_likelihood, kl, _ = terms(state.ema, images, keys)
        return log_likelihood - jnp.sum(kl, -1)

    def log_weight(state, rng, images):
        """log p(x | z) + log p(z) - log q(z | x) [B] of one sample of z, in nats."""
        keys = keys_of(rng, jnp.arange(len(images)))
        log_likelihood, _, log_ratio = terms(state.ema, images, keys)
        return log_likelihood - jnp.sum(log_ratio, -1)

    grow = f', growing over {warmup} steps' if warmup else ''
    return Method(
        objective=f'vae: -E_q[log p(x|z)] + beta KL(q(z|x) || N(0, I)), nats per '
        f'example (sum over {spec.height}x{spec.width}x{spec.channels}, mean over '
        f'the batch); p(x|z) {name}: {likelihood.units}; beta = {beta}{grow}',
        init=init,
        train_step=train_step,
        evaluate_step=evaluate_step,
        sample=sample,
        prior=prior,
        encode=encode,
        decode=decode,
        log_prob=log_prob,
        log_weight=log_weight,
        posterior=posterior,
    )
