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
from jax import lax

from gan_vae.data.sequences import Padded
from gan_vae.keys import example_indices, keys_of, normals, purpose_key
from gan_vae.learning import descent
from gan_vae.learning.state import TrainState, step_key
from gan_vae.methods import steps
from gan_vae.methods.contract import Method
from gan_vae.methods.vae import terms as vae_terms
from gan_vae.models import recurrent
from gan_vae.objectives import bounds, filtering


def make(config, spec, axis_name=None) -> Method:
    """The Method of config.method, config.model and config.optimizer."""
    method, model = config.method, config.model
    emission = steps.emission(config, spec)
    draw = partial(steps.drawn, emission, method.sample_steps)
    hidden, latent_dim = model.hidden, model.latent_dim
    network = recurrent.VRNN(hidden, model.width, latent_dim, emission.outputs)
    descending = descent.make(config, axis_name)
    names = 'read', 'code', 'advance', 'prior', 'posterior', 'emit'
    read, code, advance, prior, posterior, emit = (
        steps.applied(network, name) for name in names
    )
    weight_at = vae_terms.weight_of(method)

    def init(rng) -> TrainState:
        return steps.initial(rng, network, emission, spec, descending)

    def given(net, seen):
        """Drives, from the step before, and evidence of each step."""
        drive, evidence = read(net, seen.inputs)
        # of the first step, from inputs of zeros
        zeros = read(net, jnp.zeros_like(seen.inputs[:, :1]))[0]
        return jnp.concatenate([zeros, drive[:, :-1]], 1), evidence

    def nothing(net, shape):
        """The carry before the first step: (h, c) and the features of z = 0."""
        return recurrent.start(shape, hidden), code(
            net, jnp.zeros((*shape, latent_dim))
        )

    def infer(net, carry, drive, evidence, noise):
        """One step by the posterior: carry, (h, features of z, p, q), q at z."""
        carry = advance(net, carry[0], drive, carry[1])
        h = carry[0]
        p = prior(net, h)
        q = posterior(net, h, evidence, p[0])
        z = bounds.sample_gaussian(noise, *q)
        now = code(net, z)
        return (carry, now), (h, now, p, q, z)

    def noise_of(keys, count):
        """[T, B, Z], each step of a sequence from its own key."""
        of_steps = jax.vmap(lambda t: filtering.keys_of_step(keys, t))(
            jnp.arange(count)
        )
        return jax.vmap(lambda keys: normals(keys, (latent_dim,)))(of_steps)

    def terms(params, padded: Padded, keys):
        """log p(x | z) and the KL, [B] each: sums over steps, one z."""
        net = params['network']
        seen = steps.seen(emission, params['constants'], padded)
        drive, evidence = given(net, seen)

        def one(carry, at):
            carry, (h, now, p, q, _) = infer(net, carry, *at)
            return carry, (h, now, p, q)

        noise = noise_of(keys, drive.shape[1])
        begin = nothing(net, drive.shape[:1])
        _, found = lax.scan(one, begin, (*steps.along((drive, evidence)), noise))
        h, now, p, q = steps.along(found)
        told = emission.log_prob(emit(net, h, now), seen.x) * seen.mask
        kl = jnp.sum(bounds.kl_gaussians(*q, *p), -1) * seen.mask
        scale = steps.units(params['constants'], seen.mask)
        return jnp.sum(told, -1) + scale, jnp.sum(kl, -1)

    def train_step(state, batch):
        padded = Padded(batch['sequence'], batch['length'])
        indices = example_indices(len(padded.length), axis_name)
        keys = keys_of(step_key(state, 'posterior'), indices)
        weight = weight_at(state.step)

        def objective(params, rows):
            padded, keys = rows
            told, kl = (jnp.mean(term) for term in terms(params, padded, keys))
            return weight * kl - told, {
                'loss': weight * kl - told,
                'elbo': told - kl,
                'reconstruction': -told,
                'kl': kl,
                'beta': weight,
                'length': jnp.mean(1.0 * padded.length),
            }

        state, metrics = descending.step(state, (padded, keys), objective)
        return state, steps.per_step(metrics, ('elbo', 'reconstruction', 'kl'))

    def evaluate_step(state, batch):
        """Sums of nats over the steps of all sequences: their mean is of a step."""
        padded = Padded(batch['sequence'], batch['length'])
        keys = keys_of(purpose_key(state.rng, 'evaluate'), batch['index'])
        told, kl = terms(state.ema, padded, keys)
        values = {'elbo': told - kl, 'reconstruction': -told, 'kl': kl}
        return steps.sums(values, batch, axis_name)

    def evidence_bound(state, keys, padded, particles, threshold):
        """log p^_N [B] of `particles` that are resampled below that share of N."""
        net, constants = state.ema['network'], state.ema['constants']
        seen = steps.seen(emission, constants, padded)
        drive, evidence = given(net, seen)

        def step(carry, at, keys):
            drive, evidence, x = at
            noise = jax.vmap(lambda keys: normals(keys, (latent_dim,)))(keys)
            carry, (h, now, p, q, z) = infer(net, carry, drive, evidence, noise)
            ratio = jnp.sum(bounds.kl_sampled(z, *q, *p), -1)
            return carry, emission.log_prob(emit(net, h, now), x) - ratio

        begin = nothing(net, (particles, len(padded.length)))
        inputs = steps.along((drive, evidence, seen.x))
        found = filtering.log_evidence(
            step, begin, inputs, padded.length, keys, particles, threshold
        )
        return found + steps.units(constants, seen.mask)

    def reconstruct(state, padded):
        """The most probable steps, each by the posterior's mean and the given steps
        before it."""
        net, constants = state.ema['network'], state.ema['constants']
        drive, evidence = given(net, steps.seen(emission, constants, padded))

        def one(carry, at):
            carry, (h, now, *_) = infer(net, carry, *at, jnp.zeros(latent_dim))
            return carry, emit(net, h, now)

        begin = nothing(net, drive.shape[:1])
        _, outputs = lax.scan(one, begin, steps.along((drive, evidence)))
        x = emission.draw(jax.random.key(0), steps.along(outputs), 0.0)
        return Padded(emission.plain(x * constants['scale']), padded.length)

    def complete(state, rng, begun, n, temperature=1.0):
        """Sequences [n] that go on from `begun`, Padded, or from nothing."""
        net = state.ema['network']

        def step(carry, past, key, shown, is_given):
            (h, c), now = carry
            carry = advance(net, (h, c), read(net, past)[0], now)
            p = prior(net, carry[0])
            q = posterior(net, carry[0], read(net, shown)[1], p[0])
            noise = jax.random.normal(key, p[0].shape)
            free = bounds.sample_gaussian(jnp.sqrt(temperature) * noise, *p)
            held = bounds.sample_gaussian(noise, *q)
            now = code(net, jnp.where(is_given[:, None], held, free))
            return (carry, now), emit(net, carry[0], now)

        begin, held = nothing(net, (n,)), state.ema['constants']
        return draw(step, begin, held, rng, n, temperature, begun)

    return Method(
        objective='vrnn: -sum_t E_q[log p(x_t | h_t, z_t)] + beta sum_t KL(q(z_t | '
        f'h_t, x_t) || p(z_t | h_t)), beta = {vae_terms.weight_words(method)}, nats a '
        f'sequence (mean over the batch); {emission.formula}',
        init=init,
        train_step=train_step,
        evaluate_step=evaluate_step,
        **steps.samplers(complete),
        reconstruct=reconstruct,
        evidence_bound=evidence_bound,
    )
