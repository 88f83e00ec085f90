"""VAE of whole sequences: one latent says what a drawing is, an LSTM draws it.

  log p(x) >= E_q(z|x) [sum_t log p(x_t | x_<t, z)] - KL(q(z | x) || N(0, I))

Ha & Eck 2017, arXiv:1704.03477 (sketch-rnn); Bowman et al. 2016, arXiv:1511.06349. The
loss is the negative ELBO in nats a sequence, averaged over the batch, its KL weighed by
vae_terms; all T steps count, the first from zeros.
"""

from functools import partial

import jax
import jax.numpy as jnp

from gan_vae import models
from gan_vae.keys import keys_of, purpose_key
from gan_vae.learning.settings import Learning
from gan_vae.methods import contract, latents, steps
from gan_vae.methods.contract import Density, Method
from gan_vae.methods.sketch_vae import Networks, Settings
from gan_vae.methods.vae import terms
from gan_vae.models import recurrent, sketch
from gan_vae.objectives import bounds


def make(
    settings: Settings, model: Networks, learning: Learning, spec, axis_name=None
) -> Method:
    """The Method of those settings, for sequences of the kind of `spec`."""
    emission = steps.emission(spec, settings.mixtures)
    draw = partial(steps.draw, emission, settings.sample_steps)
    width, latent_dim = model.width, model.latent_dim
    network = sketch.SketchVAE(model.hidden, width, latent_dim, emission.outputs)
    names = 'read', 'look', 'posterior', 'started', 'drive', 'advance', 'emit'
    read, look, conclude, started, drive_of, advance, emit = (
        models.applied(network, name) for name in names
    )
    prior = latents.make(latent_dim)
    weigh = terms.kl_term(settings, axis_name)

    def coded(net, at_steps):
        """Mean and log variance [B, Z] of the posteriors."""
        on, back = read(net, at_steps.inputs)
        zeros = recurrent.start(on.shape[:1], width)

        def one(carries, at):
            drives, masks = at[::2], at[1::2]
            states = [
                jax.tree.map(lambda a, b, m=m: jnp.where(m[:, None] > 0, a, b), a, b)
                for a, b, m in zip(
                    look(net, carries, drives), carries, masks, strict=True
                )
            ]
            return tuple(states), None

        # back: from the last place to the first, and nothing before the end is reached
        inputs = on, at_steps.mask, back[:, ::-1], at_steps.mask[:, ::-1]
        (on, back), _ = steps.scan(one, (zeros, zeros), inputs)
        return conclude(net, on[0], back[0])

    def walk(params, padded, keys):
        """log p(x | z) [B] of one z, z, and mean and log variance [B, Z] of q."""
        net, at_steps = params['network'], steps.scaled(emission, params, padded)
        q = coded(net, at_steps)
        z = bounds.sample_gaussian(prior.draw(keys), *q)
        drive = drive_of(net, steps.before(at_steps.inputs), z[:, None])

        def one(carry, drive):
            carry = advance(net, carry, drive)
            return carry, carry[0]

        _, h = steps.scan(one, started(net, z), drive)
        outputs = emit(net, h, z[:, None])
        return steps.log_prob(emission, params, at_steps, outputs), z, q

    def loss(state, params, rows):
        log_likelihood, _, q = walk(params, rows.examples, rows.keys)
        kl = bounds.kl_to_standard_normal(*q)
        penalty, metrics = weigh(kl, state.step)
        log_likelihood, kl = jnp.mean(log_likelihood), jnp.mean(jnp.sum(kl, -1))
        return penalty - log_likelihood, metrics | terms.elbo(log_likelihood, kl)

    def values(state, rows):
        log_likelihood, _, q = walk(state.ema, rows.examples, rows.keys)
        kl = jnp.sum(bounds.kl_to_standard_normal(*q), -1)
        return terms.elbo(log_likelihood, kl)

    def log_weight(weights, key, padded):
        """log p(x | z) + log p(z) - log q(z | x) [B] of one sample of z, in nats."""
        keys = keys_of(key, jnp.arange(len(padded.length)))
        log_likelihood, z, q = walk(weights.averaged, padded, keys)
        return log_likelihood - jnp.sum(bounds.kl_sampled(z, *q), -1)

    def draw_from(weights, z, key, temperature, prompt=None):
        net = weights.averaged['network']

        def step(carry, past, key, inputs, is_prompt):
            carry = advance(net, carry, drive_of(net, past, z))
            return carry, emit(net, carry[0], z)

        begin = started(net, z)
        return draw(step, begin, weights.averaged, key, len(z), temperature, prompt)

    def continuation(weights, key, prompt, n, temperature=1.0):
        """Sequences [n] that go on from a prompt, Padded, by a z of what there is of
        it; or from nothing, by a z of the prior."""
        z = prior.sample(purpose_key(key, 'prior'), n)
        if prompt is not None:
            z = bounds.sample_gaussian(z, *posterior(weights, prompt))
        return draw_from(weights, z, purpose_key(key, 'draw'), temperature, prompt)

    def posterior(weights, padded, condition=None):
        """Mean and log variance [B, Z] of q(z | x)."""
        params = weights.averaged
        return coded(params['network'], steps.scaled(emission, params, padded))

    def decode(weights, z, condition=None):
        """Sequences of the most probable steps by z [n, Z]."""
        return draw_from(weights, jnp.asarray(z), jax.random.key(0), 0.0)

    return steps.method(
        settings,
        learning,
        axis_name,
        network=network,
        emission=emission,
        spec=spec,
        objective='sketch_vae: -E_q[sum_t log p(x_t | x_<t, z)] + '
        f'{terms.kl_formula(settings)}',
        loss=loss,
        values=values,
        latents=contract.Latents(
            groups=(latent_dim,),
            prior=prior.sample,
            decode=decode,
            posterior=posterior,
            encode=contract.mean_of(posterior),
        ),
        density=Density(log_weight=log_weight),
        continuation=continuation,
    )
