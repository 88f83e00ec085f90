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
from gan_vae.learning.settings import Learning
from gan_vae.learning.state import TrainState, step_key
from gan_vae.methods import steps
from gan_vae.methods.contract import Density, Method
from gan_vae.methods.vae import terms as vae_terms
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
    minimiser = descent.minimiser(settings, learning, axis_name)
    names = 'read', 'code', 'advance', 'prior', 'posterior', 'emit'
    read, code, advance, prior, posterior, emit = (
        steps.applied(network, name) for name in names
    )
    weight_at = vae_terms.weight_of(settings)

    def init(key) -> TrainState:
        return steps.initial(key, network, emission, spec, minimiser)

    def given(net, at_steps):
        """Drives, from the step before, and evidence of each step."""
        drive, evidence = read(net, at_steps.inputs)
        # of the first step, from inputs of zeros
        zeros = read(net, jnp.zeros_like(at_steps.inputs[:, :1]))[0]
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
        at_steps = steps.scaled(emission, params['constants'], padded)
        drive, evidence = given(net, at_steps)

        def one(carry, at):
            carry, (h, now, p, q, _) = infer(net, carry, *at)
            return carry, (h, now, p, q)

        noise = noise_of(keys, drive.shape[1])
        begin = nothing(net, drive.shape[:1])
        _, per_step = lax.scan(one, begin, (*steps.along((drive, evidence)), noise))
        h, now, p, q = steps.along(per_step)
        log_likelihood = (
            emission.log_prob(emit(net, h, now), at_steps.x) * at_steps.mask
        )
        kl = jnp.sum(bounds.kl_gaussians(*q, *p), -1) * at_steps.mask
        scale = steps.units(params['constants'], at_steps.mask)
        return jnp.sum(log_likelihood, -1) + scale, jnp.sum(kl, -1)

    def train_step(state, batch):
        padded = Padded(batch['sequence'], batch['length'])
        indices = example_indices(len(padded.length), axis_name)
        keys = keys_of(step_key(state, 'posterior'), indices)
        weight = weight_at(state.step)

        def objective(params, rows):
            padded, keys = rows
            log_likelihood, kl = (
                jnp.mean(term) for term in terms(params, padded, keys)
            )
            return weight * kl - log_likelihood, {
                'loss': weight * kl - log_likelihood,
                'elbo': log_likelihood - kl,
                'reconstruction': -log_likelihood,
                'kl': kl,
                'beta': weight,
                'length': jnp.mean(1.0 * padded.length),
            }

        state, metrics = minimiser.step(state, (padded, keys), objective)
        return state, steps.per_step(metrics, ('elbo', 'reconstruction', 'kl'))

    def evaluate_step(state, batch):
        """Sums of nats over the steps of all sequences: their mean is of a step."""
        padded = Padded(batch['sequence'], batch['length'])
        keys = keys_of(purpose_key(state.rng, 'evaluate'), batch['index'])
        log_likelihood, kl = terms(state.ema, padded, keys)
        values = {
            'elbo': log_likelihood - kl,
            'reconstruction': -log_likelihood,
            'kl': kl,
        }
        return steps.sums(values, batch)

    def particle_bound(weights, keys, padded, particles, threshold):
        """log p^_N [B] of `particles` that are resampled below that share of N."""
        net, constants = (weights.averaged[n] for n in ('network', 'constants'))
        at_steps = steps.scaled(emission, constants, padded)
        drive, evidence = given(net, at_steps)

        def step(carry, at, keys):
            drive, evidence, x = at
            noise = jax.vmap(lambda keys: normals(keys, (latent_dim,)))(keys)
            carry, (h, now, p, q, z) = infer(net, carry, drive, evidence, noise)
            ratio = jnp.sum(bounds.kl_sampled(z, *q, *p), -1)
            return carry, emission.log_prob(emit(net, h, now), x) - ratio

        begin = nothing(net, (particles, len(padded.length)))
        inputs = steps.along((drive, evidence, at_steps.x))
        log_evidence = filtering.log_evidence(
            step, begin, inputs, padded.length, keys, particles, threshold
        )
        return log_evidence + steps.units(constants, at_steps.mask)

    def reconstruct(weights, padded):
        """The most probable steps, each by the posterior's mean and the given steps
        before it."""
        net, constants = (weights.averaged[n] for n in ('network', 'constants'))
        drive, evidence = given(net, steps.scaled(emission, constants, padded))

        def one(carry, at):
            carry, (h, now, *_) = infer(net, carry, *at, jnp.zeros(latent_dim))
            return carry, emit(net, h, now)

        begin = nothing(net, drive.shape[:1])
        _, outputs = lax.scan(one, begin, steps.along((drive, evidence)))
        x = emission.draw(jax.random.key(0), steps.along(outputs), 0.0)
        return Padded(emission.plain(x * constants['scale']), padded.length)

    def continuation(weights, key, prompt, n, temperature=1.0):
        """Sequences [n] that go on from a prompt, Padded, or from nothing."""
        net = weights.averaged['network']

        def step(carry, past, key, inputs, is_given):
            (h, c), now = carry
            carry = advance(net, (h, c), read(net, past)[0], now)
            p = prior(net, carry[0])
            q = posterior(net, carry[0], read(net, inputs)[1], p[0])
            noise = jax.random.normal(key, p[0].shape)
            free = bounds.sample_gaussian(jnp.sqrt(temperature) * noise, *p)
            of_given = bounds.sample_gaussian(noise, *q)
            now = code(net, jnp.where(is_given[:, None], of_given, free))
            return (carry, now), emit(net, carry[0], now)

        begin, of_set = nothing(net, (n,)), weights.averaged['constants']
        return draw(step, begin, of_set, key, n, temperature, prompt)

    return Method(
        objective='vrnn: -sum_t E_q[log p(x_t | h_t, z_t)] + beta sum_t KL(q(z_t | '
        f'h_t, x_t) || p(z_t | h_t)), beta = {vae_terms.weight_words(settings)}, nats '
        f'a sequence (mean over the batch); {emission.formula}',
        init=init,
        train_step=train_step,
        evaluate_step=evaluate_step,
        generate=steps.generator_of(continuation),
        density=Density(particle_bound=particle_bound),
        continuation=continuation,
        reconstruct=reconstruct,
    )
