"""Transformer over masked codes of pictures: many codes in each of a few passes.

  min -log p(k_i | k_visible, c)   over masked places i,  a share cos(pi r / 2), r ~ U

Sampling begins with all codes masked. Each pass draws all that are masked and keeps the
surest, so that cos(pi t / 2T) of them are masked after pass t of T. Codes that are
given, anywhere in the map, stay. The loss is no bound of log p(k). Chang et al. 2022,
arXiv:2202.04200 (MaskGIT).
"""

import math

import jax
import jax.numpy as jnp
from jax import lax

from gan_vae.keys import keys_of
from gan_vae.learning.settings import Learning
from gan_vae.methods import codes_prior
from gan_vae.methods.contract import Law, Method
from gan_vae.methods.masked_transformer import Networks, Settings
from gan_vae.methods.transformer import method as transformer
from gan_vae.methods.vq_vae import method as vq


def make(
    settings: Settings, model: Networks, learning: Learning, spec, axis_name=None
) -> Method:
    """The Method of those settings, for images of shape `spec`."""
    tokeniser = vq.tokeniser(settings, model, learning, spec)
    condition = codes_prior.condition_of(settings, spec)
    network = transformer.network_of(model, learning, tokeniser, condition, masked=True)
    return codes_prior.method(
        settings,
        learning,
        axis_name,
        name='masked_transformer',
        tokeniser=tokeniser,
        condition=condition,
        init=transformer.initial(network),
        loss=loss_of(network, learning.remat),
        draw=draw_of(network, settings.decode_steps, settings.choice_temperature),
        formula='-log p(masked k_i | the others'
        f'{", condition" if condition.words else ""}) of random masks, samples in '
        f'{settings.decode_steps} passes',
        metric='masked_code_bits',
        any_order=True,
    )


def masks(keys, count: int):
    """bool [B, count]: for each key at least one random place that is masked."""

    def one(key):
        ratio, order = jax.random.split(key)
        share = jnp.cos(math.pi / 2 * jax.random.uniform(ratio))
        number = jnp.maximum(1, jnp.ceil(share * count))
        return jax.random.permutation(order, count) < number

    return jax.vmap(one)(keys)


def loss_of(network, remat: bool = False):
    """(params, words, codes [B, h, w], keys, still) -> nats [B], means over what is
    masked."""
    logits = transformer.logits_of(network, remat)

    def loss(params, words, codes, keys, still):
        codes = codes.reshape(len(codes), -1)
        hidden = masks(keys, network.count)
        seen = jnp.where(hidden, network.codes, codes)
        nats = transformer.nats_of(logits(params, words, seen, keys, still), codes)
        return jnp.sum(nats * hidden, -1) / jnp.sum(hidden, -1)

    return loss


def draw_of(network, passes: int, choice_temperature: float):
    """(params, key, words, n, Law, given) -> codes int [n, h, w]; the scale of the
    guidance grows from 1 to its value (Chang et al. 2023, arXiv:2301.00704)."""

    def draw(params, key, words, n, law: Law, given=None):
        keys, count = keys_of(key, jnp.arange(n)), network.count
        codes = jnp.full((n, count), network.codes)
        if given is not None:
            known, floor = (a.reshape(n, count) for a in given)
            codes = jnp.where(floor == -jnp.inf, known, codes)
        missing = jnp.sum(codes == network.codes, -1)

        def logits_of(codes, t):
            logits = network.apply({'params': params}, words, codes)
            if words is None or law.guidance is None or law.guidance == 1:
                return logits
            without = network.apply({'params': params}, 0 * words, codes)
            scale = 1 + (law.guidance - 1) * (t + 1) / passes
            return codes_prior.guided(logits, without, scale)

        def one(codes, t):
            logits = logits_of(codes, t)
            now = jax.vmap(jax.random.fold_in, (0, None))(keys, t)
            draws, noise = jnp.moveaxis(jax.vmap(jax.random.split)(now), 1, 0)
            likely = codes_prior.chosen(logits, law)
            drawn = jax.vmap(jax.random.categorical)(draws, likely)
            hidden = codes == network.codes
            # by the law that was learned: that of one code alone tells none apart
            sure = -transformer.nats_of(logits, drawn)
            gumbel = jax.vmap(lambda k: jax.random.gumbel(k, (count,)))(noise)
            sure += choice_temperature * (1 - (t + 1) / passes) * gumbel
            rank = jnp.argsort(jnp.argsort(jnp.where(hidden, sure, jnp.inf), -1), -1)
            left = jnp.floor(missing * jnp.cos(math.pi / 2 * (t + 1) / passes) + 1e-3)
            again = hidden & (rank < left[:, None])
            codes = jnp.where(hidden, drawn, codes)
            return jnp.where(again, network.codes, codes), None

        codes, _ = lax.scan(one, codes, jnp.arange(passes))
        return codes.reshape(n, *network.shape)

    return draw
