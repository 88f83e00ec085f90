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
from gan_vae.learning.state import TrainState, step_key
from gan_vae.methods import latents, steps
from gan_vae.methods.contract import Method
from gan_vae.methods.vae import terms as vae_terms
from gan_vae.models import recurrent, sketch
from gan_vae.objectives import bounds


def make(config, spec, axis_name=None) -> Method:
    """The Method of config.method, config.model and config.optimizer."""
    method, model = config.method, config.model
    emission = steps.emission(config, spec)
    draw = partial(steps.drawn, emission, method.sample_steps)
    width, latent_dim = model.width, model.latent_dim
    network = sketch.SketchVAE(model.hidden, width, latent_dim, emission.outputs)
    descending = descent.make(config, axis_name)
    names = 'read', 'look', 'posterior', 'started', 'told', 'advance', 'emit'
    read, look, conclude, started, told, advance, emit = (
        steps.applied(network, name) for name in names
    )
    draw_latents = latents.normal(latent_dim).draw

    def whole(x):
        return x if axis_name is None else lax.all_gather(x, axis_name, tiled=True)

    weigh = vae_terms.of_kl(method, whole)

    def init(rng) -> TrainState:
        return steps.initial(rng, network, emission, spec, descending)

    def coded(net, seen):
        """Mean and log variance [B, Z] of the posteriors."""
        on, back = read(net, seen.inputs)
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
        inputs = on, seen.mask, back[:, ::-1], seen.mask[:, ::-1]
        (on, back), _ = lax.scan(one, (none, none), steps.along(inputs))
        return conclude(net, on[0], back[0])

    def explained(params, seen, z):
        """log p(x | z) [B], nats."""
        net = params['network']
        drive = told(net, steps.before(seen.inputs), z[:, None])

        def one(carry, drive):
            carry = advance(net, carry, drive)
            return carry, carry[0]

        _, h = lax.scan(one, started(net, z), steps.along(drive))
        outputs = emit(net, steps.along(h), z[:, None])
        each = emission.log_prob(outputs, seen.x) * seen.mask
        return jnp.sum(each, -1) + steps.units(params['constants'], seen.mask)

    def terms(params, padded, keys):
        """log p(x | z) [B] of one z, and mean and log variance [B, Z] of q."""
        seen = steps.seen(emission, params['constants'], padded)
        q = coded(params['network'], seen)
        z = bounds.sample_gaussian(draw_latents(keys), *q)
        return explained(params, seen, z), z, q

    def train_step(state, batch):
        padded = Padded(batch['sequence'], batch['length'])
        indices = example_indices(len(padded.length), axis_name)
        keys = keys_of(step_key(state, 'posterior'), indices)

        def objective(params, rows):
            padded, keys = rows
            log_likelihood, _, q = terms(params, padded, keys)
            kl = bounds.kl_to_standard_normal(*q)
            penalty, said = weigh(kl, state.step)
            found, kl = jnp.mean(log_likelihood), jnp.mean(jnp.sum(kl, -1))
            return penalty - found, said | {
                'loss': penalty - found,
                'elbo': found - kl,
                'reconstruction': -found,
                'kl': kl,
                'length': jnp.mean(1.0 * padded.length),
            }

        state, metrics = descending.step(state, (padded, keys), objective)
        return state, steps.per_step(metrics, ('elbo', 'reconstruction', 'kl'))

    def evaluate_step(state, batch):
        """Sums of nats over the steps of all sequences: their mean is of a step."""
        padded = Padded(batch['sequence'], batch['length'])
        keys = keys_of(purpose_key(state.rng, 'evaluate'), batch['index'])
        found, _, q = terms(state.ema, padded, keys)
        kl = jnp.sum(bounds.kl_to_standard_normal(*q), -1)
        values = {'elbo': found - kl, 'reconstruction': -found, 'kl': kl}
        return steps.sums(values, batch, axis_name)

    def log_weight(state, rng, padded):
        """log p(x | z) + log p(z) - log q(z | x) [B] of one sample of z, in nats."""
        keys = keys_of(rng, jnp.arange(len(padded.length)))
        found, z, q = terms(state.ema, padded, keys)
        return found - jnp.sum(bounds.kl_sampled(z, *q), -1)

    def prior(rng, n, truncation=None):
        return draw_latents(keys_of(rng, jnp.arange(n)), truncation)

    def drawn(state, z, key, temperature, begun=None):
        net = state.ema['network']

        def step(carry, past, key, shown, given):
            carry = advance(net, carry, told(net, past, z))
            return carry, emit(net, carry[0], z)

        begin, held = started(net, z), state.ema['constants']
        return draw(step, begin, held, key, len(z), temperature, begun)

    def complete(state, rng, begun, n, temperature=1.0):
        """Sequences [n] that go on from `begun`, Padded, by a z of what there is of it;
        or from nothing, by a z of the prior."""
        z = prior(purpose_key(rng, 'prior'), n)
        if begun is not None:
            constants = state.ema['constants']
            q = coded(state.ema['network'], steps.seen(emission, constants, begun))
            z = bounds.sample_gaussian(z, *q)
        return drawn(state, z, purpose_key(rng, 'draw'), temperature, begun)

    def posterior(state, padded, condition=None):
        """Mean and log variance [B, Z] of q(z | x)."""
        seen = steps.seen(emission, state.ema['constants'], padded)
        return coded(state.ema['network'], seen)

    def encode(state, padded, condition=None):
        """Means of the posterior."""
        return posterior(state, padded, condition)[0]

    def decode(state, z, condition=None):
        """Sequences of the most probable steps by z [n, Z]."""
        return drawn(state, jnp.asarray(z), jax.random.key(0), 0.0)

    return Method(
        objective='sketch_vae: -E_q[sum_t log p(x_t | x_<t, z)] + '
        f'{vae_terms.formula(method)}, nats a sequence (mean over the batch); '
        f'{emission.formula}',
        init=init,
        train_step=train_step,
        evaluate_step=evaluate_step,
        **steps.samplers(complete),
        prior=prior,
        encode=encode,
        decode=decode,
        posterior=posterior,
        log_weight=log_weight,
    )
