"""Measures of a model rather than of its samples, on held-out examples.

iwae_K        the bound of K importance samples in nats, and bits/dim where it is one;
              of sequences in nats a step
fivo_K        the bound of K particles, resampled when few of them count, in nats a step
latents       active units, KL, mutual information, and the alarm for collapse
pairs         PSNR (dB) and SSIM of reconstructions, means over images
distance_X    distance of reconstructions in the maps of the extractor X
mig, dci, sap disentanglement of posterior means, of sets with known factors
ppl_X         perceptual path length of the decoder or generator, in the maps of X
"""

import importlib.util
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import jax
import numpy as np

from gan_vae import data, extractors
from gan_vae import images as images_lib
from gan_vae.data.source import Examples
from gan_vae.errors import UserError, unknown
from gan_vae.evaluation import (
    disentanglement,
    feature_distance,
    importance,
    latents,
    pairs,
    path_length,
)
from gan_vae.keys import keys_of, purpose_key
from gan_vae.methods.contract import capability, required
from gan_vae.objectives.likelihoods import GAUSSIANS
from gan_vae.runs.program import Program

BATCH = 100
PATHS = 1000  # of a path length,
EPSILON = 1e-3  # and its step: float32 pictures do not resolve 1e-4
WITH_MAPS = ('random', 'vgg_hed')
PER_STEP = 'nats a step, mean over all steps of all sequences'
BINS = 10  # that a continuous factor is cut into


class Held(NamedTuple):
    """A trained model and the images that it is measured on."""

    config: object
    program: Program
    state: object
    examples: Examples

    def batches(self) -> Iterator[tuple[int, jax.Array, np.ndarray | None]]:
        """(number, what the model sees of examples, their classes if it has some)."""
        noise = purpose_key(self.state.key, 'data')
        for number, start in enumerate(range(0, self.examples.count, BATCH)):
            rows = np.arange(start, min(start + BATCH, self.examples.count))
            found = self.program.preprocess(
                keys_of(noise, rows), self.examples.gather(rows)
            )
            label = found['label'] if self.program.method.classes else None
            yield number, data.content(found), label


def is_one(name: str) -> bool:
    """Whether a metric's name belongs here."""
    return name.partition('_')[0] in _MEASURES


def check(name: str, method) -> None:
    """A UserError where the name is wrong or the method lacks what it needs."""
    head, _, rest = name.partition('_')
    bound = head in ('iwae', 'fivo')
    if bound and not (rest.isdecimal() and 1 <= int(rest) <= 100_000):
        raise UserError(f'metric {name!r}: write {head}_K with a number, as {head}_64')
    if head in ('distance', 'ppl') and rest not in WITH_MAPS:
        raise unknown(f'extractor with maps in metric {name!r}:', rest, WITH_MAPS)
    if head in ('latents', 'pairs', 'mig', 'dci', 'sap') and rest:
        raise UserError(f'metric {name!r}: {head} takes nothing after its name')
    if head in ('dci', 'sap') and importlib.util.find_spec('sklearn') is None:
        raise UserError(f'metric {name!r} needs: pip install "gan_vae[metrics]"')
    if method.continuation and head not in ('iwae', 'fivo', 'latents'):
        raise UserError(f'metric {name!r} is of images: sequences have iwae_K, fivo_K')
    needs = _MEASURES[head][0]
    bound = 'density.particle_bound'
    if head == 'iwae' and capability(method, bound):
        needs = bound
    required(method, needs, f'metric {name!r}')


def names(name: str) -> list[str]:
    """What the results of one metric are called, for config.train.best_metric."""
    return [given or name for given in _MEASURES[name.partition('_')[0]][2]]


def measure(name: str, held: Held) -> dict[str, tuple[float, str]]:
    """{result: (value, what it was measured with)} of one metric."""
    head, _, rest = name.partition('_')
    function = _MEASURES[head][1]
    return function(held, rest) if rest else function(held)


def _fivo(held: Held, count: str) -> dict[str, tuple[float, str]]:
    how = f'{count} particles, resampled below an effective half of them; {PER_STEP}'
    return {f'fivo_{count}': (_of_steps(held, int(count), 0.5), how)}


def _of_steps(held: Held, k: int, threshold: float) -> float:
    """The mean over all steps of all sequences of a bound by k particles, in nats."""
    method, key = held.program.method, purpose_key(held.state.key, 'iwae')
    total, count = 0.0, 0
    for number, x, _ in held.batches():
        rng = jax.random.fold_in(key, number)
        if bound := capability(method, 'density.particle_bound'):
            keys = keys_of(rng, np.arange(len(x.length)))
            found = _bound(bound, held.state, keys, x, k, threshold)
        else:
            found = importance.iwae_bound(
                method.density.log_weight, held.state, rng, x, k
            )
        total += float(np.sum(np.asarray(found), dtype=np.float64))
        count += int(np.sum(x.length))
    return total / count


def _iwae(held: Held, count: str) -> dict[str, tuple[float, str]]:
    k = int(count)
    if held.examples.kind != 'images':
        how = f'K={k} draws of all z, none resampled; {PER_STEP}'
        return {f'iwae_{k}': (_of_steps(held, k, 0.0), how)}
    config, method = held.config, held.program.method
    likelihood, binarize = config.method.likelihood, config.data.binarize
    weigh: Callable = method.density.log_weight
    how = f'K={k} draws of z'
    if likelihood in GAUSSIANS:
        weigh = importance.dequantised(weigh)
        how += ', uniform dequantisation'
    key = purpose_key(held.state.key, 'iwae')
    bounds = [
        importance.iwae_bound(weigh, held.state, jax.random.fold_in(key, number), x, k)
        for number, x, _ in held.batches()
    ]
    nats = float(np.concatenate(bounds).mean())
    found = {f'iwae_{k}': (nats, f'nats per example, {how}')}
    if likelihood != 'continuous_bernoulli':
        shape = held.examples.images.shape[1:]
        bits = importance.bits_per_dim(nats, shape, likelihood, binarize)
        found['bits_per_dim'] = (bits, f'of {likelihood}, {how}')
    return found


def _latents(held: Held) -> dict[str, tuple[float, str]]:
    posterior = jax.jit(held.program.method.latents.posterior)
    found = latents.collapsed(posterior(held.state, *xs) for _, *xs in held.batches())
    units = {
        'active_units': 'variance of the posterior mean above 0.01',
        'low_kl_share': 'share of units with KL below 0.01 nats',
        'mutual_information_at_most': 'nats',
        'collapsed': '1: the posterior says nothing of what it saw',
    }
    return {name: (float(found[name]), unit) for name, unit in units.items()}


def _reconstructions(held: Held) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(seen, made) in uint8, binarised where that is what the model sees."""
    method = held.program.method
    for _, x, label in held.batches():
        made = _again(
            method.latents.encode, method.latents.decode, held.state, x, label
        )
        yield images_lib.to_uint8(x), images_lib.to_uint8(made)


# Jits of the module, as of a function made at each evaluation each would compile anew.
@partial(jax.jit, static_argnums=(0, 1))
def _again(encode, decode, state, x, label):
    return decode(state, encode(state, x, label), label)


@partial(jax.jit, static_argnums=(0, 4, 5))
def _bound(bound, state, keys, x, particles, threshold):
    return bound(state, keys, x, particles, threshold)


@partial(jax.jit, static_argnums=0)
def _apart(about: extractors.Extractor, params, a, b):
    """Distances by an extractor, whose params come apart."""
    return feature_distance.distance(about._replace(params=params), a, b)


def _between(extractor: extractors.Extractor) -> Callable:
    return partial(_apart, extractor._replace(params=None), extractor.params)


def _pairs(held: Held) -> dict[str, tuple[float, str]]:
    both = [(pairs.psnr(*ab), pairs.ssim(*ab)) for ab in _reconstructions(held)]
    decibels, similarity = (np.concatenate(part) for part in zip(*both, strict=True))
    return {
        'psnr': (float(decibels.mean()), 'dB, mean over images'),
        'ssim': (float(similarity.mean()), 'mean over images'),
    }


def _distance(held: Held, name: str) -> dict[str, tuple[float, str]]:
    extractor = extractors.load(name)
    between = _between(extractor)
    found = np.concatenate([between(*ab) for ab in _reconstructions(held)])
    how = f'of reconstructions, {_about(extractor)}'
    return {feature_distance.metric_name(extractor): (float(found.mean()), how)}


def _ppl(held: Held, name: str) -> dict[str, tuple[float, str]]:
    """At random points of arcs of the prior. Karras et al. 2019, arXiv:1812.04948."""
    extractor, method = extractors.load(name), held.program.method
    rng = np.random.default_rng(0)
    decode = jax.jit(method.latents.decode)
    size, lengths = method.latents.size, []
    for _ in range(0, PATHS, BATCH):
        z0, z1 = rng.standard_normal((2, BATCH, size))
        lengths.append(
            path_length.path_length(
                lambda z: 127.5 * (decode(held.state, z.astype(np.float32)) + 1),
                _between(extractor),
                z0,
                z1,
                rng.random(BATCH),
                epsilon=EPSILON,
                interpolate=path_length.slerp,
            )
        )
    value = path_length.mean_path_length(np.concatenate(lengths))
    how = f'{PATHS} arcs of the prior, epsilon {EPSILON}, {_about(extractor)}'
    return {f'ppl_{name}': (value, how)}


def _about(extractor: extractors.Extractor) -> str:
    return f'{extractor.name} {extractor.weights_sha256[:8]}'


def _codes(held: Held) -> tuple[np.ndarray, np.ndarray]:
    """Posterior means [n, D], and factors int [n, F], continuous ones in BINS bins."""
    if not held.examples.factors:
        raise UserError(
            f'{held.config.data.name} has no known factors: measure disentanglement on '
            'toy_shapes'
        )
    encode = jax.jit(held.program.method.latents.encode)
    codes = np.concatenate([encode(held.state, *xs) for _, *xs in held.batches()])
    factors = [
        v
        if np.issubdtype(v.dtype, np.integer)
        else np.digitize(v, np.histogram_bin_edges(v, BINS)[1:-1])
        for v in held.examples.factors.values()
    ]
    return codes, np.stack(factors, -1).astype(np.int64)


def _mig(held: Held) -> dict[str, tuple[float, str]]:
    value = disentanglement.mig(*_codes(held))
    return {'mig': (value, f'posterior means, factors in {BINS} bins')}


def _halves(held: Held):
    codes, factors = _codes(held)
    cut = 2 * len(codes) // 3
    return codes[:cut], factors[:cut], codes[cut:], factors[cut:]


def _dci(held: Held) -> dict[str, tuple[float, str]]:
    found = disentanglement.dci(*_halves(held))
    how = f'posterior means, boosted trees on two thirds, factors in {BINS} bins'
    return {f'dci_{name}': (value, how) for name, value in found.items()}


def _sap(held: Held) -> dict[str, tuple[float, str]]:
    value = disentanglement.sap(*_halves(held))
    how = f'posterior means, linear classifiers on two thirds, factors in {BINS} bins'
    return {'sap': (value, how)}


_LATENTS = ('active_units', 'low_kl_share', 'mutual_information_at_most', 'collapsed')
_DCI = ('dci_disentanglement', 'dci_completeness', 'dci_informativeness')
# what each needs of a Method, how it is taken, and what it gives ('': its own name)
_MEASURES = {
    'iwae': ('density.log_weight', _iwae, ('',)),
    'fivo': ('density.particle_bound', _fivo, ('',)),
    'latents': ('latents.posterior', _latents, _LATENTS),
    'pairs': ('latents.encode', _pairs, ('psnr', 'ssim')),
    'distance': ('latents.encode', _distance, ('',)),
    'mig': ('latents.encode', _mig, ('',)),
    'dci': ('latents.encode', _dci, _DCI),
    'sap': ('latents.encode', _sap, ('',)),
    'ppl': ('latents.decode', _ppl, ('',)),
}
