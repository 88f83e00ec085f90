"""Does a model give away which pictures it was trained on? Three attacks.

  nearest          distance to the nearest of SAMPLES samples (Chen et al. 2020,
                   GAN-Leaks, arXiv:1909.03935)
  reconstruction   mean squared error of the reconstruction (Hilprecht et al. 2019,
                   doi:10.2478/popets-2019-0067)
  likelihood       -log p of the codes, means over them, by the caption or the class

Each is measured of pictures of the training and of the held-out split. The AUC is the
probability that the member of a pair is the smaller: 0.5 is no leak, 1 tells all. Its
interval is of 1,000 bootstraps. `tpr` is the share of members below all but 1 % of the
others: what an attack finds that hardly ever errs (Carlini et al. 2022,
arXiv:2112.03570); 0.01 is no leak.
"""

import hashlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from gan_vae.errors import UserError
from gan_vae.evaluation.metrics import ModelMetric

MOST = 1000  # pictures of each split, at random
SAMPLES = 2000
BOOTSTRAPS, BLOCK = 1000, 256
ATTACKS = {
    'nearest': f'the distance to the nearest of {SAMPLES:,} samples, pixels',
    'reconstruction': 'the error of the reconstruction, pixels',
    'likelihood': '-log p of the codes',
}


class Leak(NamedTuple):
    """What an attack finds."""

    auc: float
    low: float  # of its 95 % interval
    high: float
    tpr: float | None  # at 1 % of false alarms; None of fewer than 100 others


def leak(members: np.ndarray, others: np.ndarray, seed: int = 0) -> Leak:
    """Of the numbers [n] of members and [m] of others, smaller ones of members."""
    random = np.random.Generator(np.random.Philox(seed))
    found = [
        auc(random.choice(members, len(members)), random.choice(others, len(others)))
        for _ in range(BOOTSTRAPS)
    ]
    low, high = np.quantile(found, [0.025, 0.975])
    allowed, tpr = len(others) // 100, None
    if allowed:
        limit = np.partition(others, allowed)[allowed]
        tpr = float(np.mean(members < limit))
    return Leak(auc(members, others), float(low), float(high), tpr)


def auc(members: np.ndarray, others: np.ndarray) -> float:
    """The share of pairs in which the member is the smaller, ties as halves."""
    from scipy.stats import rankdata

    n, m = len(members), len(others)
    ranks = rankdata(np.concatenate([members, others]))
    return float(1 - (ranks[:n].sum() / n - (n + 1) / 2) / m)


def nearest(pictures: np.ndarray, samples: np.ndarray) -> np.ndarray:
    """Distances [n] of uint8 pictures to the nearest of the samples, pixels of 0..1."""

    def flat(a: np.ndarray) -> np.ndarray:
        return a.reshape(len(a), -1).astype(np.float32) / 255 - 0.5

    x = flat(pictures)
    found = np.full(len(x), np.inf, np.float32)
    for start in range(0, len(samples), BLOCK):
        y = flat(samples[start : start + BLOCK])
        found = np.minimum(found, np.min((y**2).sum(1) - 2 * x @ y.T, 1))
    return np.sqrt(np.maximum(found + (x**2).sum(1), 0))


def attacks(model: Any) -> Iterator[str]:
    """Those of ATTACKS that there are on a TrainedModel."""
    if model.capability('generate'):
        yield 'nearest'
    if model.capability('reconstruct') or (
        model.capability('latents.encode') and model.capability('latents.decode')
    ):
        yield 'reconstruction'
    if model.capability('code_prior.score'):
        yield 'likelihood'


def numbers(model: Any, attack: str) -> np.ndarray:
    """[n] of the examples of a TrainedModel: the smaller, the more likely a member."""
    from gan_vae import images
    from gan_vae.data import texts
    from gan_vae.methods import sampling

    method, examples = model.program.method, model.examples
    if attack == 'nearest':
        samples = sampling.draw(method, model.weights, 0, SAMPLES)
        seen = [images.to_uint8(x) for _, x, _ in model.batches()]
        return nearest(np.concatenate(seen), samples)
    if attack == 'reconstruction':
        return np.concatenate(
            [
                np.mean((np.float32(x) - again) ** 2, (1, 2, 3)) / 255**2
                for x, again in model.reconstructions()
            ]
        )
    words = None
    if method.captions:
        text = method.captions.text
        words = texts.encode(text, texts.captions_of(examples, text.kind)[0])
    found, start = [], 0
    for _, x, label in model.batches():
        given = None if label is None else np.asarray(label)[:, None] + 1
        if words is not None:
            given = words[start : start + len(x)]
        start += len(x)
        codes = method.codes.encode(model.weights, x)
        score = method.code_prior.score(model.weights, codes, given)
        found.append(-np.asarray(score).mean((1, 2)))
    return np.concatenate(found)


def check(config: Any):
    """A UserError where the held-out split is that which is trained on."""
    if config.data.split == config.data.eval_split:
        raise UserError(
            'metric membership: config.data.split and config.data.eval_split are the '
            'same pictures: set another eval_split'
        )


def compute(model: Any) -> dict[str, tuple[float, str]]:
    from gan_vae import data
    from gan_vae.data.source import Examples

    settings = model.config.data
    captions = model.program.method.captions
    text = captions and captions.text
    train, others = data.examples(settings, settings.split, text), model.examples
    assert isinstance(train, Examples)  # a metric of models of sequences says so
    known = {hashlib.sha256(x.tobytes()).digest() for x in train.images}
    new = [hashlib.sha256(x.tobytes()).digest() not in known for x in others.images]
    if not any(new):
        raise UserError(
            'metric membership: all held-out pictures were trained on: give a --split '
            'of others'
        )
    splits = [train, others.take(np.flatnonzero(new))]
    few = []
    for examples in splits:
        order = np.random.Generator(np.random.Philox(0)).permutation(examples.size)
        few.append(model._replace(examples=examples.take(np.sort(order[:MOST]))))
    results = {}
    for attack in attacks(model):
        members, strangers = (numbers(one, attack) for one in few)
        found = leak(members, strangers)
        how = (
            f'AUC of {few[0].examples.size} training and {few[1].examples.size} '
            f'held-out pictures by {ATTACKS[attack]}; 95 % {found.low:.3f} to '
            f'{found.high:.3f}; 0.5 is no leak'
        )
        results[f'{{name}}_{attack}'] = found.auc, how
        if found.tpr is not None:
            told = f'of members found at 1 % of false alarms, by {ATTACKS[attack]}'
            results[f'{{name}}_{attack}_tpr'] = found.tpr, told
    return results


METRIC = ModelMetric(
    needs=('generate', 'reconstruct', 'latents.encode', 'code_prior.score'),
    compute=compute,
    gives={},  # which attacks there are depends on the method
    check=check,
)
