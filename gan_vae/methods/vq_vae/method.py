"""Autoencoder with discrete codes: pictures as a map of symbols, and back.

  min_{E, D}  |x - x^|^2 + w |x - x^| + v d(x, x^) + codebook loss,   x^ = D(q(E(x)))

means over values, d a distance of features (extractors/perceptual.py), q the quantiser
(objectives/quantisers.py) with gradients straight through: van den Oord et al. 2017,
arXiv:1711.00937. It has no prior: samples are of codes that are drawn alike and apart,
and show what the decoder makes of any code.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from gan_vae import models
from gan_vae.devices.memory import recomputed
from gan_vae.errors import UserError
from gan_vae.extractors import perceptual
from gan_vae.keys import keys_of, purpose_key
from gan_vae.learning.settings import Learning
from gan_vae.methods import contract, minimisation
from gan_vae.methods.contract import Method
from gan_vae.methods.vq_vae import Codes, Networks, Settings
from gan_vae.objectives import quantisers

NAME = 'tokeniser'  # its entry of the parameters


@dataclass(frozen=True)
class Tokeniser:
    """Pure functions of params {'encoder', 'decoder', 'quantiser'}."""

    init: Callable  # key -> params
    vectors: Callable  # (encoder's params, images) -> [B, R, R, d]
    images: Callable  # (decoder's params, codes [B, R, R, d]) -> images
    quantiser: quantisers.Quantiser
    shape: tuple[int, int]  # of the map
    absolute_weight: float
    feature_weight: float
    features: Callable | None  # (images, images) -> distances [B]

    def encode(self, params, images):
        """int32 [B, R, R] of images [B, S, S, C]."""
        z = self.vectors(params['encoder'], images)
        return self.quantiser.quantise(params['quantiser'], z).number

    def decode(self, params, index):
        """Images [B, S, S, C] of codes int [B, R, R]."""
        codes = self.quantiser.look_up(params['quantiser'], index)
        return self.images(params['decoder'], codes)

    def reconstruct(self, params, x) -> tuple[jax.Array, quantisers.Quantised]:
        """(x again, what its vectors became)."""
        z = self.vectors(params['encoder'], x)
        quantised = self.quantiser.quantise(params['quantiser'], z)
        return self.images(params['decoder'], quantised.codes), quantised

    def loss(self, params, x) -> tuple[jax.Array, dict]:
        """(the mean over rows, its terms)."""
        return self.terms(x, *self.reconstruct(params, x))

    def terms(self, x, again, quantised) -> tuple[jax.Array, dict]:
        """The same of what `reconstruct` gives."""
        squared = jnp.mean(jnp.square(x - again))
        total, metrics = squared + quantised.loss, {'squared_error': squared}
        if self.quantiser.name != 'fsq':
            metrics['codebook'] = quantised.loss
        if quantised.near is not None:
            metrics['near'] = quantised.near
        if self.absolute_weight:
            absolute = jnp.mean(jnp.abs(x - again))
            total += self.absolute_weight * absolute
            metrics['absolute_error'] = absolute
        if self.features is not None:
            apart = jnp.mean(self.features(x, again))
            total += self.feature_weight * apart
            metrics['feature_distance'] = apart
        return total, metrics

    def follow(self, state, metrics: dict) -> tuple:
        """(state, metrics to log) after an update: a codebook of averages moves."""
        near = metrics.get('near')
        if near is None or self.quantiser.follow is None:
            return state, metrics
        own = state.params[NAME]
        own = own | {'quantiser': self.quantiser.follow(own['quantiser'], near)}
        rest = {name: value for name, value in metrics.items() if name != 'near'}
        return state.replace(params=state.params | {NAME: own}), rest

    @property
    def objective(self) -> str:
        """The loss in symbols."""
        more = f' + {w:g} |x - x^|' if (w := self.absolute_weight) else ''
        if v := self.feature_weight:
            more += f' + {v:g} d(x, x^)'
        if self.quantiser.name != 'fsq':
            more += ' + codebook'
        return f'|x - x^|^2{more}, mean over values in [-1, 1]'

    def values(self, params, x) -> dict[str, jax.Array]:
        """Of each image [B]: squared error, and `psnr` in dB of uint8 pictures."""
        again = jnp.clip(self.reconstruct(params, x)[0], -1, 1)
        error = jnp.mean(jnp.square(x - again), (1, 2, 3))
        return {'squared_error': error, 'psnr': contract.psnr(x, again)}


def tokeniser(settings: Codes, model: Networks, learning: Learning, spec) -> Tokeniser:
    """The Tokeniser of those settings, for images of shape `spec`."""
    factor = 1 << model.halvings
    if spec.height % factor or spec.height == factor:
        raise UserError(
            f'config.model.halvings={model.halvings}: images of '
            f'{spec.height} pixels do not divide into a map by {factor}'
        )
    side = spec.height // factor
    quantiser = quantisers.make(
        settings.quantiser,
        settings.levels,
        settings.codes,
        settings.code_dim,
        settings.commitment,
        settings.code_decay,
        settings.restart,
    )
    fields = {
        'halvings': model.halvings,
        'code_width': model.code_width,
        'code_blocks': model.code_blocks,
        'dtype': jnp.dtype(learning.dtype),
    }
    encoder = models.make(
        'code_encoder', model.encoder, outputs=quantiser.dim, **fields
    )
    decoder = models.make(
        'code_decoder', model.decoder, outputs=spec.channels, **fields
    )

    def init(key):
        x = jnp.zeros((1, *spec.shape))
        codes = jnp.zeros((1, side, side, quantiser.dim))
        return {
            'encoder': encoder.init(purpose_key(key, 'encoder'), x)['params'],
            'decoder': decoder.init(purpose_key(key, 'decoder'), codes)['params'],
            'quantiser': quantiser.init(purpose_key(key, 'quantiser')),
        }

    recompute = recomputed(learning.remat)
    return Tokeniser(
        init=init,
        vectors=recompute(lambda params, x: encoder.apply({'params': params}, x)),
        images=recompute(lambda params, z: decoder.apply({'params': params}, z)),
        quantiser=quantiser,
        shape=(side, side),
        absolute_weight=settings.absolute_weight,
        feature_weight=settings.feature_weight,
        features=perceptual.of_weight(settings, spec.height),
    )


def counts(codes, mask, size: int):
    """[N, K]: how often each code is at each place of maps int [B, h, w], under a mask
    [B]."""
    flat = codes.reshape(len(codes), -1)
    places = jnp.broadcast_to(jnp.arange(flat.shape[1]), flat.shape)
    weights = jnp.broadcast_to(mask[:, None], flat.shape)
    return jnp.zeros((flat.shape[1], size)).at[places, flat].add(weights)


def finish(sums) -> dict[str, float]:
    """Means of an evaluation, and what its `counts` [N, K] say: the share of the codes
    that are used, their perplexity, and the bits of a code by two simple laws, of all
    codes and of those at each place."""
    table = np.asarray(sums['counts'])
    rest = {name: value for name, value in sums.items() if name != 'counts'}
    used, perplexity = quantisers.usage(table.sum(0))
    places = [np.log2(quantisers.usage(row)[1]) for row in table]
    return contract.mean_of_sums(rest) | {
        'codes_used': used,
        'code_perplexity': perplexity,
        'code_bits_unigram': float(np.log2(perplexity)),
        'code_bits_by_place': float(np.mean(places)),
    }


def codes_of(own: Tokeniser) -> contract.Codes:
    """Pictures <-> codes, by averaged weights."""
    return contract.Codes(
        shape=own.shape,
        size=own.quantiser.size,
        encode=lambda weights, x: own.encode(weights.averaged[NAME], x),
        decode=lambda weights, index: own.decode(weights.averaged[NAME], index),
    )


def again(own: Tokeniser, weights, x):
    """x by its codes: `Method.reconstruct`."""
    return own.reconstruct(weights.averaged[NAME], x)[0]


def make(
    settings: Settings, model: Networks, learning: Learning, spec, axis_name=None
) -> Method:
    """The Method of those settings, for images of shape `spec`."""
    own = tokeniser(settings, model, learning, spec)

    def generate(weights, key, n, condition=None, temperature=None):
        """What is made of codes that are drawn alike and apart."""
        contract.refuse_condition(condition)
        if temperature is not None:
            raise UserError('a vq_vae has no prior, and so no temperature')
        keys, size = keys_of(key, jnp.arange(n)), own.quantiser.size
        index = jax.vmap(lambda k: jax.random.randint(k, own.shape, 0, size))(keys)
        return own.decode(weights.averaged[NAME], index)

    def evaluate_step(state, batch):
        sums = method.evaluate_step(state, batch)
        codes = own.encode(state.ema[NAME], batch['image'])
        return sums | {'counts': counts(codes, batch['mask'], own.quantiser.size)}

    method = minimisation.method(
        settings,
        learning,
        axis_name,
        objective=f'vq_vae: {own.objective}; {own.quantiser.name}, '
        f'{own.quantiser.size:,} codes',
        params=lambda key: {NAME: own.init(key)},
        loss=lambda state, params, rows: own.loss(params[NAME], rows.examples),
        follow=own.follow,
        values=lambda state, rows: own.values(state.ema[NAME], rows.examples),
        generate=generate,
        reconstruct=partial(again, own),
        codes=codes_of(own),
        finish=finish,
    )
    return replace(method, evaluate_step=evaluate_step)
