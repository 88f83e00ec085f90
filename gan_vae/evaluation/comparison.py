"""A metric between two sets: its value, its baseline and the spread of both.

The baseline (the `null` of a Card) is the same metric between two disjoint parts of the
reference: as many random pictures as there are samples (at most half), against the
rest, so that both sides are about as large as the value's. Its spread is over random
parts; that of the value is the standard error that four disjoint quarters of the
samples show.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from gan_vae.errors import counted
from gan_vae.evaluation.card import Card
from gan_vae.evaluation.metrics import SampleMetric

BASELINES = 3  # pairs of real sets
LEAST = 20  # pictures on either side of a baseline

Values = dict[str, float]


class Comparison(NamedTuple):
    """{key: value} of the samples, of pairs of real sets, of quarters of samples."""

    values: Values
    baselines: list[Values]
    quarters: list[Values]
    n_real: int
    n_fake: int
    baseline_n: int


def random_rows(size: int, n: int, seed: int) -> np.ndarray:
    """int [n]: rows of `size` without replacement."""
    order = np.random.Generator(np.random.Philox(seed)).permutation(size)
    return order[:n]


def compare(
    metric: SampleMetric, real, fake, held_out, seed: int, remember: Callable
) -> Comparison:
    """All that cards need of a metric.

    real, fake, held_out: arrays [n, ...] of what the metric needs. remember(n, make):
    make(), or what it gave before for a baseline of n pictures.
    """
    most = len(fake) if metric.equal_sizes else metric.most_real or len(real)
    used = real[random_rows(len(real), most, seed)] if most < len(real) else real
    n_real, n_fake, baseline_n = len(used), len(fake), min(len(fake), len(real) // 2)
    baselines, quarters = [], []
    own_law = metric.needs_held_out
    if baseline_n >= LEAST and not own_law:
        baselines = remember(
            baseline_n, lambda: _baselines(metric, real, baseline_n, seed)
        )
    if n_fake >= 2 * LEAST and not own_law:
        against = used[random_rows(n_real, baseline_n, seed)]
        quarters = [
            metric.compute(against, fake[i::4], held_out, seed) for i in range(4)
        ]
    values = metric.compute(used, fake, held_out, seed)
    return Comparison(values, baselines, quarters, n_real, n_fake, baseline_n)


def _baselines(metric: SampleMetric, real, n: int, seed: int) -> list[Values]:
    """The metric of n reference pictures against the rest, or as many of it as the
    metric takes."""
    baselines = []
    for pair in range(BASELINES):
        rows = random_rows(len(real), len(real), seed + 1 + pair)
        rest = rows[n:][: n if metric.equal_sizes else metric.most_real or None]
        baselines.append(metric.compute(real[rest], real[rows[:n]], None, seed))
    return baselines


def flags(
    metric: SampleMetric, whole: Comparison, parts: dict, dimension: int
) -> tuple[str, ...]:
    """Why a value may mean little; `parts`: {class: Comparison}, or {}."""
    texts, parts = [], parts or {'': whole}
    absent = [name for name, part in parts.items() if not part.n_fake]
    if absent:
        texts.append(f'no samples of {", ".join(absent)}')
    if not whole.baselines and not metric.needs_held_out:
        few = (
            f'{LEAST} samples' if whole.n_fake < LEAST else f'{2 * LEAST} real pictures'
        )
        texts.append(f'no baseline: it takes {few} or more')
    fewest = min(min(part.n_real, part.n_fake) for part in parts.values())
    if metric.biased_below_dimension and fewest <= dimension:
        where = '' if '' in parts else f' ({fewest} in the smallest class)'
        texts.append(
            f'fewer pictures than the {dimension} dimensions{where}: mostly bias, '
            'compare with the baseline'
        )
    if whole.baseline_n < whole.n_fake and whole.baselines:
        texts.append(f'the baseline is of {counted(whole.baseline_n, "picture")} only')
    return tuple(texts)


def card(part: Comparison, key: str, known: float | None, **fields) -> Card:
    """The Card of one of the values. known: a baseline that needs no measurement;
    fields: the other fields of the card."""
    baselines = [pair[key] for pair in part.baselines]
    quarters = [quarter[key] for quarter in part.quarters]
    return Card(
        value=float(part.values[key]),
        spread=float(np.std(quarters, ddof=1) / 2) if quarters else None,
        null=float(np.mean(baselines)) if baselines else known,
        null_spread=float(np.std(baselines, ddof=1)) if len(baselines) > 1 else None,
        null_n=part.baseline_n if baselines else 0,
        n_real=part.n_real,
        n_fake=part.n_fake,
        **fields,
    )
