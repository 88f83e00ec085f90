"""Recurrent network: each step of a sequence from all before it, without latents.

  log p(x) = sum_t log p(x_t | h_t),  h_t = LSTM(h_{t-1}, x_{t-1})

The loss is -log p in nats a sequence, averaged over the batch; all T steps count, the
first from zeros. The baseline of Boulanger-Lewandowski et al. 2012, arXiv:1206.6392,
and, of strokes, Graves 2013, arXiv:1308.0850 (there with three layers).
"""

from functools import partial

import jax.numpy as jnp
from jax import lax

from gan_vae.data.sequences import Padded
from gan_vae.learning import descent
from gan_vae.learning.settings import Learning
from gan_vae.learning.state import TrainState
from gan_vae.methods import steps
from gan_vae.methods.contract import Density, Method
from gan_vae.methods.recurrent import Networks, Settings
from gan_vae.models import recurrent


def make(
    settings: Settings, model: Networks, learning: Learning, spec, axis_name=None
) -> Method:
    """The Method of those settings, for sequences of the kind of `spec`."""
    emission = steps.emission(spec, settings.mixtures)
    draw = partial(steps.draw, emission, settings.sample_steps)
    hidden = model.hidden
    network = recurrent.Recurrent(hidden, model.width, emission.outputs)
    minimiser = descent.minimiser(settings, learning, axis_name)
    advance, emit = (steps.applied(network, name) for name in ('advance', 'emit'))
    read = steps.applied(network, 'read')

    def init(key) -> TrainState:
        return steps.initial(key, network, emission, spec, minimiser)

    def log_prob_of(params, padded: Padded):
        """log p [B] of whole sequences, in nats."""
        batch_steps = steps.scaled(emission, params['constants'], padded)
        drive = read(params['network'], steps.before(batch_steps.inputs))

        def one(carry, drive):
            carry = advance(params['network'], carry, drive)
            return carry, carry[0]

        begin = recurrent.start(drive.shape[:1], hidden)
        _, h = lax.scan(one, begin, steps.along(drive))
        outputs = emit(params['network'], steps.along(h))
        each = emission.log_prob(outputs, batch_steps.x) * batch_steps.mask
        return jnp.sum(each, -1) + steps.units(params['constants'], batch_steps.mask)

    def train_step(state, batch):
        padded = Padded(batch['sequence'], batch['length'])

        def objective(params, padded):
            log_prob = jnp.mean(log_prob_of(params, padded))
            count = jnp.mean(1.0 * padded.length)
            return -log_prob, {'loss': -log_prob, 'log_prob': log_prob, 'length': count}

        state, metrics = minimiser.step(state, padded, objective)
        return state, steps.per_step(metrics, ('log_prob',))

    def evaluate_step(state, batch):
        """Sums of nats over the steps of all sequences: their mean is of a step."""
        padded = Padded(batch['sequence'], batch['length'])
        log_prob = log_prob_of(state.ema, padded)
        return steps.sums({'log_prob': log_prob}, batch)

    def continuation(weights, key, prompt, n, temperature=1.0):
        """Sequences [n] that go on from a prompt, Padded, or from nothing."""
        params = weights.averaged['network']

        def step(carry, past, key, inputs, given):
            carry = advance(params, carry, read(params, past))
            return carry, emit(params, carry[0])

        begin = recurrent.start((n,), hidden)
        of_set = weights.averaged['constants']
        return draw(step, begin, of_set, key, n, temperature, prompt)

    def elbo(weights, key, padded):
        """log p [B], in nats: exact, no bound."""
        return log_prob_of(weights.averaged, padded)

    return Method(
        objective='recurrent: -sum_t log p(x_t | x_<t), nats a sequence (mean over the '
        f'batch); {emission.formula}',
        init=init,
        train_step=train_step,
        evaluate_step=evaluate_step,
        generate=steps.generator_of(continuation),
        density=Density(elbo=elbo),
        continuation=continuation,
    )
