"""Transformer of text, one character after the other.

  log p(x) = sum_t log p(x_t | x_<t)

with the network of models/transformer.py, in nats. A whole text ends with a symbol of
its own. Characters that the training set has once or never are one symbol, UNKNOWN,
which is scored and never drawn.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from gan_vae import models
from gan_vae.data import writing
from gan_vae.data.sequences import BUCKET, Padded
from gan_vae.errors import UserError
from gan_vae.keys import keys_of, purpose_key
from gan_vae.learning.settings import Learning
from gan_vae.methods import codes_prior, contract, minimisation
from gan_vae.methods.contract import Density, Law, Method
from gan_vae.methods.text_transformer import Networks, Settings
from gan_vae.methods.transformer import method as transformer

NAME = 'network'  # its entry of the parameters


def make(
    settings: Settings, model: Networks, learning: Learning, spec, axis_name=None
) -> Method:
    """The Method of those settings, for texts as long as `spec` says."""
    if spec.kind != 'text':
        raise UserError(
            f'config.method.name=text_transformer is of text, and the data of '
            f'{spec.kind}: config.data.name=text:FILE or poems'
        )
    points = np.array(writing.alphabet(spec.text))
    letters = np.array([p == writing.UNKNOWN or chr(p).isalnum() for p in points])
    length, likeliest = spec.text.length, (settings.top_k, settings.top_p)
    network = transformer.transformer(
        model, learning, codes=len(points), shape=(1, length)
    )
    logits_of = transformer.logits_of(network, learning.remat)

    def nats(params, padded: Padded, keys, still: bool):
        """(-log p, symbols, whether it counts) of each place, [B, T] all."""
        values = jnp.asarray(padded.values)[..., 0]
        if values.shape[1] > length + -length % BUCKET:
            raise UserError(
                f'texts of up to {values.shape[1]} characters, and this model knows '
                f'{length}: a smaller config.data.segment_steps'
            )
        codes = symbols(values[:, :length], points)
        mask = jnp.arange(codes.shape[1]) < jnp.asarray(padded.length)[:, None]
        logits = logits_of(params[NAME], None, codes, keys, still)
        return transformer.nats_of(logits, codes), codes, mask.astype(jnp.float32)

    def loss(state, params, rows):
        each, _, mask = nats(params, rows.examples, rows.keys, False)
        total = jnp.mean(jnp.sum(each * mask, -1))
        mean = total / jnp.mean(jnp.sum(mask, -1))
        # over a constant, so that devices and parts of a batch change nothing
        return total / length, {'log_prob': -mean}

    def values(state, rows):
        each, codes, mask = nats(state.ema, rows.examples, rows.keys, True)
        of_letters = mask * jnp.asarray(letters)[codes]
        return {
            'log_prob': -jnp.sum(each * mask, -1),
            'log_prob_letters': -jnp.sum(each * of_letters, -1),
            'letters': jnp.sum(of_letters, -1),
        }

    def finish(sums):
        """Of a character; and of a letter, which is no mark and no end of a line."""
        mean = sums['log_prob'] / sums['count']
        of_letters = sums['log_prob_letters'] / max(sums['letters'], 1)
        return {
            'log_prob': float(mean),
            'bits': float(-mean / np.log(2)),
            'perplexity': float(np.exp(-mean)),
            'perplexity_letters': float(np.exp(-of_letters)),
        }

    def elbo(weights, key, padded):
        each, _, mask = nats(weights.averaged, padded, None, True)
        return -jnp.sum(each * mask, -1)

    def continuation(weights, key, prompt, n, temperature=1.0):
        """Texts [n] that go on from a prompt, Padded, or from nothing."""
        law = Law(1.0, temperature, *likeliest)
        given = jnp.zeros((n, length)), jnp.zeros(n, jnp.int32)
        if prompt is not None:
            longest = min(length, prompt.values.shape[1])
            text = jnp.asarray(prompt.values)[:, :longest, 0]
            given = given[0].at[:, :longest].set(text), jnp.asarray(prompt.length)
        drawn, steps = draw(
            network,
            weights.averaged[NAME],
            key,
            symbols(given[0], points),
            given[1],
            law,
        )
        letters_drawn: Any = jnp.asarray(points, jnp.int32)[drawn][..., None]
        return Padded(letters_drawn, steps)

    def generate(weights, key, n, condition=None, temperature=None):
        contract.refuse_condition(condition)
        temperature = 1.0 if temperature is None else temperature
        return continuation(weights, key, None, n, temperature)

    def init(key):
        codes = jnp.zeros((1, length), jnp.int32)
        return {NAME: network.init(purpose_key(key, NAME), None, codes)['params']}

    return minimisation.method(
        settings,
        learning,
        axis_name,
        objective=f'text_transformer: -sum_t log p(x_t | x_<t) / {length}, nats, mean '
        f'over the batch; {len(points):,} symbols',
        params=init,
        loss=loss,
        values=values,
        finish=finish,
        generate=generate,
        density=Density(elbo=elbo),
        text=spec.text,
        continuation=continuation,
    )


def symbols(values, points: np.ndarray):
    """int32 numbers of code points, UNKNOWN where a model does not know one."""
    values, table = values.astype(jnp.int32), jnp.asarray(points, jnp.int32)
    at = jnp.clip(jnp.searchsorted(table, values), 0, len(points) - 1)
    return jnp.where(table[at] == values, at, writing.UNKNOWN).astype(jnp.int32)


def draw(network, params, key, given, known, law: Law) -> tuple[Any, Any]:
    """(symbols int [n, N], lengths [n]) that go on from the first `known` [n] of given
    [n, N], until END."""
    n, keys = len(known), keys_of(key, jnp.arange(len(known)))

    start, advance = (models.applied(network, name) for name in ('start', 'advance'))

    def step(carry, at):
        cache, before, going, length = carry
        place, fixed = at
        logits, cache = advance(params, cache, None, before, place)
        logits = logits.at[:, writing.UNKNOWN].set(-jnp.inf)
        logits = codes_prior.chosen(logits, law)
        now = jax.vmap(jax.random.fold_in, (0, None))(keys, place)
        code = jax.vmap(jax.random.categorical)(now, logits)
        code = jnp.where(place < known, fixed, code).astype(jnp.int32)
        going = going & (code != writing.END)
        length = length + going
        return (cache, code, going, length), jnp.where(going, code, writing.END)

    begin = jnp.full((n,), network.codes, jnp.int32)
    carry = start(params, None, n), begin, jnp.ones(n, bool), jnp.zeros(n, jnp.int32)
    (_, _, _, length), codes = lax.scan(
        step, carry, (jnp.arange(network.count), given.T)
    )
    return codes.T, length
