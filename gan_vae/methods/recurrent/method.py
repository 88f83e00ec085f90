"""Recurrent network: each step of a sequence from all before it, without latents.

  log p(x) = sum_t log p(x_t | h_t),  h_t = LSTM(h_{t-1}, x_{t-1})

The loss is -log p in nats a sequence, averaged over the batch; all T steps count, the
first from zeros. The baseline of Boulanger-Lewandowski et al. 2012, arXiv:1206.6392,
and, of strokes, Graves 2013, arXiv:1308.0850 (there with three layers).
"""

from functools import partial

import jax.numpy as jnp

from gan_vae import models
from gan_vae.data.sequences import Padded
from gan_vae.learning.settings import Learning
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
    network = recurrent.Recurrent(model.hidden, model.width, emission.outputs)
    names = 'read', 'advance', 'emit'
    read, advance, emit = (models.applied(network, name) for name in names)
    begin = partial(recurrent.start, hidden=model.hidden)

    def log_prob(params, padded: Padded):
        """log p [B] of whole sequences, in nats."""
        net, at_steps = params['network'], steps.scaled(emission, params, padded)
        drive = read(net, steps.before(at_steps.inputs))

        def one(carry, drive):
            carry = advance(net, carry, drive)
            return carry, carry[0]

        _, h = steps.scan(one, begin(drive.shape[:1]), drive)
        return steps.log_prob(emission, params, at_steps, emit(net, h))

    def loss(state, params, rows):
        mean = jnp.mean(log_prob(params, rows.examples))
        return -mean, {'log_prob': mean}

    def continuation(weights, key, prompt, n, temperature=1.0):
        """Sequences [n] that go on from a prompt, Padded, or from nothing."""
        net = weights.averaged['network']

        def step(carry, past, key, inputs, is_prompt):
            carry = advance(net, carry, read(net, past))
            return carry, emit(net, carry[0])

        return draw(step, begin((n,)), weights.averaged, key, n, temperature, prompt)

    return steps.method(
        settings,
        learning,
        axis_name,
        network=network,
        emission=emission,
        spec=spec,
        objective='recurrent: -sum_t log p(x_t | x_<t)',
        loss=loss,
        values=lambda state, rows: {'log_prob': log_prob(state.ema, rows.examples)},
        density=Density(  # exact, no bound
            elbo=lambda weights, key, padded: log_prob(weights.averaged, padded)
        ),
        continuation=continuation,
    )
