"""VAE of whole sequences: one latent says what a drawing is, an LSTM draws it.

  log p(x) >= E_q(z|x) [sum_t log p(x_t | x_<t, z)] - KL(q(z | x) || N(0, I))

Ha & Eck 2017, arXiv:1704.03477 (sketch-rnn); Bowman et al. 2016, arXiv:1511.06349. The
loss is the negative ELBO in nats a sequence, averaged over the batch, its KL weighed by
vae_terms; all T steps count, the first from zeros.
"""

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax

from gan_vae.data.sequences import Padded
from gan_vae.keys import example_indices, keys_of, purpose_key
from gan_vae.learning import descent
from gan_vae.learning.settings import Learning
from gan_vae.learning.state import TrainState, step_key
from gan_vae.methods import contract, latents, steps
from gan_vae.methods.contract import Density, Method
from gan_vae.methods.sketch_vae import Networks, Settings
from gan_vae.methods.vae import terms as vae_terms
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
    minimiser = descent.minimiser(settings, learning, axis_name)
    names = 'read', 'look', 'posterior', 'started', 'drive', 'advance', 'emit'
    read, look, conclude, started, drive_of, advance, emit = (
        steps.applied(network, name) for name in names
    )
    draw_latents = latents.normal(latent_dim).draw

    def all_rows(x):
        return x if axis_name is None else lax.all_gather(x, axis_name, tiled=True)

    weigh = vae_terms.kl_term(settings, all_rows)

    def init(key) -> TrainState:
        return steps.initial(key, network, emission, spec, minimiser)

    def coded(net, at_steps):
        """Mean and log variance [B, Z] of the posteriors."""
        on, back = read(net, at_steps.inputs)
        none = recurrent.start(on.shape[:1], width)

        def one(carries, at):
            drives, masks = at[::2], at[1::2]
            new = look(net, carries, drives)
            kept = [
                jax.tree.map(lambda a, b, m=m: jnp.where(m[:, None] > 0, a, b), a, b)
                for a, b, m in zip(new, carries, masks, strict=True)
            ]
            return tuple(kept), None

        # back: from the last place to the first, and nothing before the end is reached
        inputs = on, at_steps.mask, back[:, ::-1], at_steps.mask[:, ::-1]
        (on, back), _ = lax.scan(one, (none, none), steps.along(inputs))
        return conclude(net, on[0], back[0])

    def log_likelihood_of(params, at_steps, z):
        """log p(x | z) [B], nats."""
        net = params['network']
        drive = drive_of(net, steps.before(at_steps.inputs), z[:, None])

        def one(carry, drive):
            carry = advance(net, carry, drive)
            return carry, carry[0]

        _, h = lax.scan(one, started(net, z), steps.along(drive))
        outputs = emit(net, steps.along(h), z[:, None])
        each = emission.log_prob(outputs, at_steps.x) * at_steps.mask
        return jnp.sum(each, -1) + steps.units(params['constants'], at_steps.mask)

    def terms(params, padded, keys):
        """log p(x | z) [B] of one z, and mean and log variance [B, Z] of q."""
        at_steps = steps.scaled(emission, params['constants'], padded)
        q = coded(params['network'], at_steps)
        z = bounds.sample_gaussian(draw_latents(keys), *q)
        return log_likelihood_of(params, at_steps, z), z, q

    def train_step(state, batch):
        padded = Padded(batch['sequence'], batch['length'])
        indices = example_indices(len(padded.length), axis_name)
        keys = keys_of(step_key(state, 'posterior'), indices)

        def objective(params, rows):
            padded, keys = rows
            log_likelihood, _, q = terms(params, padded, keys)
            kl = bounds.kl_to_standard_normal(*q)
            penalty, own = weigh(kl, state.step)
            explained, kl = jnp.mean(log_likelihood), jnp.mean(jnp.sum(kl, -1))
            return penalty - explained, own | {
                'loss': penalty - explained,
                'elbo': explained - kl,
                'reconstruction': -explained,
                'kl': kl,
                'length': jnp.mean(1.0 * padded.length),
            }

        state, metrics = minimiser.step(state, (padded, keys), objective)
        return state, steps.per_step(metrics, ('elbo', 'reconstruction', 'kl'))

    def evaluate_step(state, batch):
        """Sums of nats over the steps of all sequences: their mean is of a step."""
        padded = Padded(batch['sequence'], batch['length'])
        keys = keys_of(purpose_key(state.rng, 'evaluate'), batch['index'])
        log_likelihood, _, q = terms(state.ema, padded, keys)
        kl = jnp.sum(bounds.kl_to_standard_normal(*q), -1)
        values = {
            'elbo': log_likelihood - kl,
            'reconstruction': -log_likelihood,
            'kl': kl,
        }
        return steps.sums(values, batch)

    def log_weight(weights, key, padded):
        """log p(x | z) + log p(z) - log q(z | x) [B] of one sample of z, in nats."""
        keys = keys_of(key, jnp.arange(len(padded.length)))
        log_likelihood, z, q = terms(weights.averaged, padded, keys)
        return log_likelihood - jnp.sum(bounds.kl_sampled(z, *q), -1)

    prior = contract.prior_of(draw_latents)

    def draw_from(weights, z, key, temperature, prompt=None):
        net = weights.averaged['network']

        def step(carry, past, key, inputs, given):
            carry = advance(net, carry, drive_of(net, past, z))
            return carry, emit(net, carry[0], z)

        begin, of_set = started(net, z), weights.averaged['constants']
        return draw(step, begin, of_set, key, len(z), temperature, prompt)

    def continuation(weights, key, prompt, n, temperature=1.0):
        """Sequences [n] that go on from a prompt, Padded, by a z of what there is of
        it; or from nothing, by a z of the prior."""
        z = prior(purpose_key(key, 'prior'), n)
        if prompt is not None:
            z = bounds.sample_gaussian(z, *posterior(weights, prompt))
        return draw_from(weights, z, purpose_key(key, 'draw'), temperature, prompt)

    def posterior(weights, padded, condition=None):
        """Mean and log variance [B, Z] of q(z | x)."""
        of_set = weights.averaged['constants']
        at_steps = steps.scaled(emission, of_set, padded)
        return coded(weights.averaged['network'], at_steps)

    def encode(weights, padded, condition=None):
        """Means of the posterior."""
        return posterior(weights, padded, condition)[0]

    def decode(weights, z, condition=None):
        """Sequences of the most probable steps by z [n, Z]."""
        return draw_from(weights, jnp.asarray(z), jax.random.key(0), 0.0)

    return Method(
        objective='sketch_vae: -E_q[sum_t log p(x_t | x_<t, z)] + '
        f'{vae_terms.kl_formula(settings)}, nats a sequence (mean over the batch); '
        f'{emission.formula}',
        init=init,
        train_step=train_step,
        evaluate_step=evaluate_step,
        generate=steps.generator_of(continuation),
        latents=contract.Latents(
            groups=(latent_dim,),
            prior=prior,
            decode=decode,
            posterior=posterior,
            encode=encode,
        ),
        density=Density(log_weight=log_weight),
        continuation=continuation,
    )
