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
from gan_vae.learning.state import TrainState
from gan_vae.methods import steps
from gan_vae.methods.contract import Method
from gan_vae.models import recurrent


def make(config, spec, axis_name=None) -> Method:
    """The Method of config.method, config.model and config.optimizer."""
    method, model = config.method, config.model
    emission = steps.emission(config, spec)
    draw = partial(steps.drawn, emission, method.sample_steps)
    hidden = model.hidden
    network = recurrent.Recurrent(hidden, model.width, emission.outputs)
    descending = descent.make(config, axis_name)
    advance, emit = (steps.applied(network, name) for name in ('advance', 'emit'))
    read = steps.applied(network, 'read')

    def init(rng) -> TrainState:
        return steps.initial(rng, network, emission, spec, descending)

    def told(params, padded: Padded):
        """log p [B] of whole sequences, in nats."""
        seen = steps.seen(emission, params['constants'], padded)
        drive = read(params['network'], steps.before(seen.inputs))

        def one(carry, drive):
            carry = advance(params['network'], carry, drive)
            return carry, carry[0]

        begin = recurrent.start(drive.shape[:1], hidden)
        _, h = lax.scan(one, begin, steps.along(drive))
        outputs = emit(params['network'], steps.along(h))
        each = emission.log_prob(outputs, seen.x) * seen.mask
        return jnp.sum(each, -1) + steps.units(params['constants'], seen.mask)

    def train_step(state, batch):
        padded = Padded(batch['sequence'], batch['length'])

        def objective(params, padded):
            log_prob = jnp.mean(told(params, padded))
            count = jnp.mean(1.0 * padded.length)
            return -log_prob, {'loss': -log_prob, 'log_prob': log_prob, 'length': count}

        state, metrics = descending.step(state, padded, objective)
        return state, steps.per_step(metrics, ('log_prob',))

    def evaluate_step(state, batch):
        """Sums of nats over the steps of all sequences: their mean is of a step."""
        padded = Padded(batch['sequence'], batch['length'])
        log_prob = told(state.ema, padded)
        return steps.sums({'log_prob': log_prob}, batch, axis_name)

    def complete(state, rng, begun, n, temperature=1.0):
        """Sequences [n] that go on from `begun`, Padded, or from nothing."""
        params = state.ema['network']

        def step(carry, past, key, shown, given):
            carry = advance(params, carry, read(params, past))
            return carry, emit(params, carry[0])

        begin, held = recurrent.start((n,), hidden), state.ema['constants']
        return draw(step, begin, held, rng, n, temperature, begun)

    return Method(
        objective=f'recurrent: -sum_t log p(x_t | x_<t), nats a sequence (mean over '
        f'the batch); {emission.formula}',
        init=init,
        train_step=train_step,
        evaluate_step=evaluate_step,
        **steps.samplers(complete),
        log_prob=lambda state, rng, padded: told(state.ema, padded),
    )
