"""Variational recurrent network: a latent at each step of a sequence.

  h_t = LSTM(h_{t-1}; x_{t-1}, z_{t-1}),   z_t ~ p(z_t | h_t),   x_t ~ p(x_t | h_t, z_t)
  log p(x) >= E_q sum_t [log p(x_t | h_t, z_t) - KL(q(z_t | h_t, x_t) || p(z_t | h_t))]

Chung et al. 2015, arXiv:1506.02216, with x_{t-1} in h_t and a posterior that begins at
the prior: Fraccaro et al. 2016, arXiv:1605.07571; Maddison et al. 2017,
arXiv:1705.09279, whose FIVO bounds it (objectives/filtering). The loss is the negative
ELBO, its KL analytic and weighed by beta, in nats a sequence, averaged over the batch;
all T steps count, the first from zeros.
"""

from functools import partial

import jax
import jax.numpy as jnp

from gan_vae import models
from gan_vae.data.sequences import Padded
from gan_vae.keys import normals
from gan_vae.learning.settings import Learning
from gan_vae.methods import steps
from gan_vae.methods.contract import Density, Method
from gan_vae.methods.vae import terms
from gan_vae.methods.vrnn import Networks, Settings
from gan_vae.models import recurrent
from gan_vae.objectives import bounds, filtering


def make(
    settings: Settings, model: Networks, learning: Learning, spec, axis_name=None
) -> Method:
    """The Method of those settings, for sequences of the kind of `spec`."""
    emission = steps.emission(spec, settings.mixtures)
    draw = partial(steps.draw, emission, settings.sample_steps)
    hidden, latent_dim = model.hidden, model.latent_dim
    network = recurrent.VRNN(hidden, model.width, latent_dim, emission.outputs)
    names = 'read', 'code', 'advance', 'prior', 'posterior', 'emit'
    read, code, advance, prior, posterior, emit = (
        models.applied(network, name) for name in names
    )
    weight_at = terms.weight_of(settings)

    def observed(net, at_steps):
        """Drives, from the step before, and evidence of each step."""
        drive, evidence = read(net, at_steps.inputs)
        # of the first step, from inputs of zeros
        zeros = read(net, jnp.zeros_like(at_steps.inputs[:, :1]))[0]
        return jnp.concatenate([zeros, drive[:, :-1]], 1), evidence

    def begin(net, shape):
        """The carry before the first step: (h, c) and the features of z = 0."""
        zeros = jnp.zeros((*shape, latent_dim))
        return recurrent.start(shape, hidden), code(net, zeros)

    def infer(net, carry, drive, evidence, noise):
        """One step by the posterior: carry, (h, features of z, p, q, z)."""
        state = advance(net, carry[0], drive, carry[1])
        h = state[0]
        p = prior(net, h)
        q = posterior(net, h, evidence, p[0])
        z = bounds.sample_gaussian(noise, *q)
        now = code(net, z)
        return (state, now), (h, now, p, q, z)

    # keys [A, B] -> [A, B, Z]
    normals_of = jax.vmap(partial(normals, shape=(latent_dim,)))

    def walk(params, rows):
        """log p(x | z) and the KL, [B] each: sums over steps, one z."""
        net, at_steps = params['network'], steps.scaled(emission, params, rows.examples)
        drive, evidence = observed(net, at_steps)
        # each step of a sequence from its own key
        of_step = partial(filtering.keys_of_step, rows.keys)
        keys = jax.vmap(of_step, out_axes=1)(jnp.arange(drive.shape[1]))

        def one(carry, at):
            carry, (*walked, _) = infer(net, carry, *at)
            return carry, walked

        inputs = drive, evidence, normals_of(keys)
        _, (h, now, p, q) = steps.scan(one, begin(net, drive.shape[:1]), inputs)
        kl = jnp.sum(bounds.kl_gaussians(*q, *p), -1) * at_steps.mask
        outputs = emit(net, h, now)
        return steps.log_prob(emission, params, at_steps, outputs), jnp.sum(kl, -1)

    def loss(state, params, rows):
        log_likelihood, kl = (jnp.mean(term) for term in walk(params, rows))
        weight = weight_at(state.step)
        metrics = terms.elbo(log_likelihood, kl) | {'beta': weight}
        return weight * kl - log_likelihood, metrics

    def particle_bound(weights, keys, padded, particles, threshold):
        """log p^_N [B] of `particles` that are resampled below that share of N."""
        params = weights.averaged
        net, at_steps = params['network'], steps.scaled(emission, params, padded)
        drive, evidence = observed(net, at_steps)

        def step(carry, at, keys):
            drive, evidence, x = at
            carry, (h, now, p, q, z) = infer(
                net, carry, drive, evidence, normals_of(keys)
            )
            ratio = jnp.sum(bounds.kl_sampled(z, *q, *p), -1)
            return carry, emission.log_prob(emit(net, h, now), x) - ratio

        log_evidence = filtering.log_evidence(
            step,
            begin(net, (particles, len(padded.length))),
            steps.along((drive, evidence, at_steps.x)),
            padded.length,
            keys,
            particles,
            threshold,
        )
        return log_evidence + steps.units(params, at_steps.mask)

    def reconstruct(weights, padded):
        """The most probable steps, each by the posterior's mean and the true steps
        before it."""
        params = weights.averaged
        net = params['network']
        inputs = observed(net, steps.scaled(emission, params, padded))

        def one(carry, at):
            carry, (h, now, *_) = infer(net, carry, *at, jnp.zeros(latent_dim))
            return carry, emit(net, h, now)

        _, outputs = steps.scan(one, begin(net, inputs[0].shape[:1]), inputs)
        x = emission.draw(jax.random.key(0), outputs, 0.0)
        return Padded(emission.plain(x * params['constants']['scale']), padded.length)

    def continuation(weights, key, prompt, n, temperature=1.0):
        """Sequences [n] that go on from a prompt, Padded, or from nothing."""
        net = weights.averaged['network']

        def step(carry, past, key, inputs, is_prompt):
            state, now = carry
            state = advance(net, state, read(net, past)[0], now)
            p = prior(net, state[0])
            q = posterior(net, state[0], read(net, inputs)[1], p[0])
            noise = jax.random.normal(key, p[0].shape)
            free = bounds.sample_gaussian(jnp.sqrt(temperature) * noise, *p)
            of_prompt = bounds.sample_gaussian(noise, *q)
            now = code(net, jnp.where(is_prompt[:, None], of_prompt, free))
            return (state, now), emit(net, state[0], now)

        carry = begin(net, (n,))
        return draw(step, carry, weights.averaged, key, n, temperature, prompt)

    return steps.method(
        settings,
        learning,
        axis_name,
        network=network,
        emission=emission,
        spec=spec,
        objective='vrnn: -sum_t E_q[log p(x_t | h_t, z_t)] + beta sum_t KL(q(z_t | '
        f'h_t, x_t) || p(z_t | h_t)), beta = {terms.weight_words(settings)}',
        loss=loss,
        values=lambda state, rows: terms.elbo(*walk(state.ema, rows)),
        density=Density(particle_bound=particle_bound),
        continuation=continuation,
        reconstruct=reconstruct,
    )
