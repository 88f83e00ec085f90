"""Measures of a model with an encoder on held-out images: bounds, latents, pairs.

iwae_K     the bound of K importance samples in nats, and bits/dim where it is one
latents    active units, KL, mutual information, and the alarm for collapse
pairs      PSNR (dB) and SSIM of reconstructions, means over images
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import jax
import numpy as np

from gan_vae import images as images_lib
from gan_vae.data.source import Examples, gather
from gan_vae.errors import UserError
from gan_vae.evaluation import importance, latents, pairs
from gan_vae.training.program import Program
from gan_vae.training.state import keys_of, purpose_key

BATCH = 100


class Held(NamedTuple):
    """A trained model and the images that it is measured on."""

    config: object
    program: Program
    state: object
    examples: Examples

    def batches(self) -> Iterator[tuple[int, np.ndarray, jax.Array]]:
        """(number, uint8 images, what the model sees of them)."""
        noise = purpose_key(self.state.rng, 'data')
        for number, start in enumerate(range(0, len(self.examples.images), BATCH)):
            rows = np.arange(start, min(start + BATCH, len(self.examples.images)))
            raw = gather(self.examples, rows)['image']
            yield number, raw, self.program.preprocess(keys_of(noise, rows), raw)


def is_one(name: str) -> bool:
    """Whether a metric's name belongs here."""
    return name in ('latents', 'pairs') or name.partition('_')[0] == 'iwae'


def check(name: str, method) -> None:
    """A UserError where the name is wrong or the method lacks what it needs."""
    head, _, count = name.partition('_')
    if head == 'iwae' and not (count.isdecimal() and 1 <= int(count) <= 100_000):
        raise UserError(f'metric {name!r}: write iwae_K with a number, as iwae_64')
    needs = {'iwae': 'log_weight', 'latents': 'posterior', 'pairs': 'encode'}[head]
    if getattr(method, needs) is None:
        raise UserError(f'metric {name!r}: this method has no {needs}')


def measure(name: str, held: Held) -> dict[str, tuple[float, str]]:
    """{result: (value, what it was measured with)} of one metric."""
    head, _, count = name.partition('_')
    return _iwae(held, int(count)) if head == 'iwae' else _MEASURES[head](held)


def _iwae(held: Held, k: int) -> dict[str, tuple[float, str]]:
    config, method = held.config, held.program.method
    likelihood, binarize = config.method.likelihood, config.data.binarize
    weigh: Callable = method.log_weight
    how = f'K={k} draws of z'
    if likelihood == 'gaussian':
        weigh = importance.dequantised(weigh)
        how += ', uniform dequantisation'
    key = purpose_key(held.state.rng, 'iwae')
    bounds = [
        importance.iwae_bound(weigh, held.state, jax.random.fold_in(key, number), x, k)
        for number, _, x in held.batches()
    ]
    nats = float(np.concatenate(bounds).mean())
    found = {f'iwae_{k}': (nats, f'nats per example, {how}')}
    if likelihood != 'bernoulli' or binarize != 'none':
        shape = held.examples.images.shape[1:]
        bits = importance.bits_per_dim(nats, shape, likelihood, binarize)
        found['bits_per_dim'] = (bits, f'of {likelihood}, {how}')
    return found


def _latents(held: Held) -> dict[str, tuple[float, str]]:
    posterior = jax.jit(held.program.method.posterior)
    found = latents.collapsed(posterior(held.state, x) for _, _, x in held.batches())
    units = {
        'active_units': 'variance of the posterior mean above 0.01',
        'low_kl_share': 'share of units with KL below 0.01 nats',
        'mutual_information_at_most': 'nats',
        'collapsed': '1: the posterior says nothing of the image',
    }
    return {name: (float(found[name]), unit) for name, unit in units.items()}


def _pairs(held: Held) -> dict[str, tuple[float, str]]:
    method = held.program.method
    again = jax.jit(lambda state, x: method.decode(state, method.encode(state, x)))
    decibels, similarity = [], []
    for _, _, x in held.batches():
        made = images_lib.to_uint8(again(held.state, x))
        seen = images_lib.to_uint8(x)  # binarised where the model sees that
        decibels.append(pairs.psnr(seen, made))
        similarity.append(pairs.ssim(seen, made))
    return {
        'psnr': (float(np.concatenate(decibels).mean()), 'dB, mean over images'),
        'ssim': (float(np.concatenate(similarity).mean()), 'mean over images'),
    }


_MEASURES = {'latents': _latents, 'pairs': _pairs}
