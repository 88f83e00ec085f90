"""Transformer over the discrete codes of pictures, one code after the other.

  log p(k | c) = sum_i log p(k_i | k_<i, c),   i over the map in rows from the top

of the codes k of a tokeniser (methods/vq_vae), on the words of a condition c: van den
Oord et al. 2017 and Esser et al. 2020 with the network of models/transformer.py. It
learns after the tokeniser, in one run; see methods/codes_prior.py.
"""

import jax
import jax.numpy as jnp
from jax import lax

from gan_vae import models
from gan_vae.devices.memory import recomputed
from gan_vae.errors import UserError
from gan_vae.keys import keys_of
from gan_vae.learning.settings import Learning
from gan_vae.methods import codes_prior
from gan_vae.methods.contract import Law, Method
from gan_vae.methods.transformer import Attention, Networks, Settings
from gan_vae.methods.vq_vae import method as vq
from gan_vae.models.transformer import Transformer


def make(
    settings: Settings, model: Networks, learning: Learning, spec, axis_name=None
) -> Method:
    """The Method of those settings, for images of shape `spec`."""
    tokeniser = vq.tokeniser(settings, model, learning, spec)
    condition = codes_prior.condition_of(settings, spec)
    network = network_of(model, learning, tokeniser, condition)
    logits = logits_of(network, learning.remat)
    return codes_prior.method(
        settings,
        learning,
        axis_name,
        name='transformer',
        tokeniser=tokeniser,
        condition=condition,
        init=initial(network),
        loss=loss_of(logits),
        draw=draw_of(network),
        score=score_of(logits),
        formula=f'-log p(k_i | k_<i{"" if not condition.words else ", condition"})',
    )


def network_of(model: Networks, learning: Learning, tokeniser, condition, **fields):
    """The network of a prior's logits."""
    return transformer(
        model,
        learning,
        codes=tokeniser.quantiser.size,
        shape=tokeniser.shape,
        words=condition.words,
        length=condition.length,
        states=condition.states,
        **fields,
    )


def transformer(model: Attention, learning: Learning, **fields) -> Transformer:
    """A network of those settings; fields: the others of it."""
    if model.width % model.heads:
        raise UserError(
            f'config.model.width={model.width} does not divide by '
            f'config.model.heads={model.heads}'
        )
    return Transformer(
        width=model.width,
        depth=model.depth,
        heads=model.heads,
        dropout=model.dropout,
        dtype=jnp.dtype(learning.dtype),
        **fields,
    )


def initial(network):
    """key -> params."""

    def init(key):
        words = jnp.zeros((1, network.length), jnp.int32)
        if network.states:
            words = jnp.zeros((1, network.length, network.states))
        codes = jnp.zeros((1, network.count), jnp.int32)
        return network.init(key, words, codes)['params']

    return init


def logits_of(network, remat: bool = False):
    """(params, words [B, P, ...] or None, codes [B, N], keys [B], still) -> [B, N, K];
    keys: of dropout, one an example, whatever the devices."""

    @recomputed(remat)
    def logits(params, words, codes, keys):
        return network.apply({'params': params}, words, codes, keys)

    def run(params, words, codes, keys, still):
        return logits(params, words, codes, None if still else keys)

    return run


def loss_of(logits):
    """(params, words, codes [B, h, w], keys, still) -> nats [B], means over codes."""

    def loss(params, words, codes, keys, still):
        codes = codes.reshape(len(codes), -1)
        return jnp.mean(nats_of(logits(params, words, codes, keys, still), codes), -1)

    return loss


def score_of(logits):
    """(params, codes [n, h, w], words) -> log p of each code by those before it."""

    def score(params, codes, words):
        flat = codes.reshape(len(codes), -1)
        nats = nats_of(logits(params, words, flat, None, True), flat)
        return -nats.reshape(codes.shape)

    return score


def nats_of(logits, codes):
    """-log p [..., N] of codes [..., N] by logits [..., N, K]."""
    log_prob = jax.nn.log_softmax(logits)
    return -jnp.take_along_axis(log_prob, codes[..., None], -1)[..., 0]


def draw_of(network):
    """(params, key, words, n, Law, given) -> codes int [n, h, w], one by one.

    A given code stays where its log p, by the words and the codes drawn before it, is
    at least its floor; else another is drawn there. Where there is guidance the network
    is run on twice the rows, with the condition and without it.
    """

    start, advance = (models.applied(network, name) for name in ('start', 'advance'))

    def draw(params, key, words, n, law: Law, given=None):
        guided = words is not None and law.guidance != 1
        if guided and words is not None:
            words = jnp.concatenate([words, jnp.zeros_like(words)])
        rows = 2 * n if guided else n
        cache = start(params, words, rows)
        keys = keys_of(key, jnp.arange(n))
        known, floor = given or (jnp.zeros((n, network.count), jnp.int32), jnp.inf)
        floor = jnp.broadcast_to(floor, known.shape).reshape(n, -1).T
        known = known.reshape(n, -1).T

        def step(carry, at):
            cache, before = carry
            place, fixed, least = at
            both = jnp.concatenate([before, before]) if guided else before
            logits, cache = advance(params, cache, words, both, place)
            stays = -nats_of(logits[:n], fixed) >= least
            if guided:
                logits = codes_prior.guided(logits[:n], logits[n:], law.guidance)
            logits = codes_prior.chosen(logits, law)
            now = jax.vmap(jax.random.fold_in, (0, None))(keys, place)
            code = jax.vmap(jax.random.categorical)(now, logits)
            code = jnp.where(stays, fixed, code).astype(jnp.int32)
            return (cache, code), code

        begin = jnp.full((n,), network.codes, jnp.int32)
        places = jnp.arange(network.count), known, floor
        _, codes = lax.scan(step, (cache, begin), places)
        return codes.T.reshape(n, *network.shape)

    return draw
