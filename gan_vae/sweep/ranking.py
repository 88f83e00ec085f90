"""Points ranked by the mean over their seeds, and how much each key explains.

The share of a key is its main effect in the analysis of variance of the points' means
(Hutter, Hoos & Leyton-Brown 2014, ICML, on the finished points themselves):

    V_key = sum over levels l of n_l (m_l - m)^2 / sum over points (y - m)^2.

Of noise alone, a key of L levels takes (L - 1) / (n - 1) on average: shown beside it.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from gan_vae.sweep.plan import Metric, Point, Trial
from gan_vae.sweep.trial import Outcome

_BINS = 4  # of a key with more numbers than _LEVELS: quarters of the points
_LEVELS = 6


class Ranked(NamedTuple):
    """A point, its trials, and what they gave."""

    point: Point
    trials: list[Trial]
    outcomes: list[Outcome]
    mean: float | None  # None: not every seed has finished
    spread: float | None  # standard deviation over seeds (n - 1); None for one seed


def rank(
    groups: list[list[Trial]], states: Mapping[str, Outcome], metric: Metric
) -> list[Ranked]:
    """Best first; points of which a seed has not finished come last, unranked.

    The mean of the seeds that did finish would flatter a point whose others diverged.
    """
    found = []
    for group in groups:
        outcomes = [states.get(t.id, Outcome('waiting')) for t in group]
        values = [o.value for o in outcomes if o.status == 'finished']
        mean = float(np.mean(values)) if len(values) == len(group) else None
        several = mean is not None and len(values) > 1
        spread = float(np.std(values, ddof=1)) if several else None
        found.append(Ranked(group[0].point, group, outcomes, mean, spread))
    sign = 1 if metric.direction == 'min' else -1
    return sorted(found, key=lambda r: math.inf if r.mean is None else sign * r.mean)


def swept(points: list[Point]) -> list[str]:
    """The keys that take more than one value."""
    keys = dict.fromkeys(key for point in points for key in point)
    return [key for key in keys if len({repr(p.get(key)) for p in points}) > 1]


class Effect(NamedTuple):
    """What a key explains of the variance between points."""

    share: float  # in [0, 1]
    chance: float  # what noise alone would give on average
    levels: int


def effects(ranked: list[Ranked]) -> dict[str, Effect]:
    """{key: Effect} over the points that have a mean; {} for fewer than three."""
    done = [r for r in ranked if r.mean is not None]
    means = np.array([r.mean for r in done])
    total = float(((means - means.mean()) ** 2).sum()) if len(done) > 2 else 0.0
    if not total > 0:
        return {}
    found = {}
    for key in swept([r.point for r in done]):
        labels = np.array(_levels([r.point.get(key) for r in done]))
        groups = [means[labels == label] for label in np.unique(labels)]
        between = sum(len(g) * (g.mean() - means.mean()) ** 2 for g in groups)
        chance = (len(groups) - 1) / (len(done) - 1)
        found[key] = Effect(float(between / total), chance, len(groups))
    return found


def _levels(values: list) -> list[int]:
    """A number for each value: its own, or its quarter where numbers are many."""
    distinct = sorted(set(values), key=repr)
    numbers = all(isinstance(v, int | float) for v in values)
    if not numbers or len(distinct) <= _LEVELS:
        return [distinct.index(v) for v in values]
    order = np.argsort(np.argsort(values, kind='stable'), kind='stable')
    return list(order * _BINS // len(values))
