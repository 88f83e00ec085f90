"""Ranks points by the mean over their seeds, and says how much each key explains.

The share of a key is its main effect in the analysis of variance of the finished runs
(Hutter, Hoos & Leyton-Brown 2014, ICML, on the runs themselves):

    V_key = sum over levels l of n_l (m_l - m)^2 / sum over runs (y - m)^2.

A key of L levels takes (L - 1) / (n - 1) of n runs that are noise alone, on average. It
takes everything where each run has a level of its own (L = n), whatever the runs gave,
so that such a key has no share: it needs more seeds.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from gan_vae.sweep.plan import Metric, Point, Trial
from gan_vae.sweep.trial import Outcome

_BINS = 4  # of a key with more numbers than _LEVELS: quarters of the runs
_LEVELS = 6
_EQUAL = 1e-9  # relative difference of two means that only rounding made


class Ranked(NamedTuple):
    """A point, its trials, and their outcomes."""

    point: Point
    trials: list[Trial]
    outcomes: list[Outcome]
    mean: float | None  # None: not every seed has finished
    spread: float | None  # standard deviation over seeds (n - 1); None for one seed
    place: int | None = None  # 1 for the best; equal means share a place


def rank(
    groups: list[list[Trial]], states: Mapping[str, Outcome], metric: Metric
) -> list[Ranked]:
    """Sorts the points, best first; equal means have the same place (1, 2, 2, 4).

    Points of which a seed has not finished come last, without a place: the mean of the
    other seeds would flatter a point whose worst runs diverged.
    """
    results = []
    for group in groups:
        outcomes = [states.get(t.id, Outcome('waiting')) for t in group]
        finished = (o.value for o in outcomes if o.status == 'finished')
        values = [value for value in finished if value is not None]
        done = len(values) == len(group)
        mean = float(np.mean(values)) if done else None
        spread = float(np.std(values, ddof=1)) if done and len(values) > 1 else None
        results.append(Ranked(group[0].point, group, outcomes, mean, spread))
    sign = 1 if metric.direction == 'min' else -1
    results.sort(key=lambda r: math.inf if r.mean is None else sign * r.mean)
    for index, result in enumerate(results):
        if result.mean is None:
            break
        place, before = index + 1, results[index - 1]
        if index and math.isclose(result.mean, before.mean or 0.0, rel_tol=_EQUAL):
            place = before.place
        results[index] = result._replace(place=place)
    return results


def told_apart(r: Ranked, other: Ranked) -> bool | None:
    """Whether the means of two points differ by Welch's t-test at 5 %; None where one
    has a single seed or has not finished, so that nothing is known."""
    if r.spread is None or other.spread is None:
        return None
    if not r.spread and not other.spread:
        return r.mean != other.mean
    from scipy.stats import ttest_ind  # takes a second

    a, b = ([o.value for o in x.outcomes] for x in (r, other))
    _, p = np.asarray(ttest_ind(a, b, equal_var=False))
    return bool(p < 0.05)


def swept(points: list[Point]) -> list[str]:
    """The keys that take more than one value."""
    keys = dict.fromkeys(key for point in points for key in point)
    return [key for key in keys if len({repr(p.get(key)) for p in points}) > 1]


def compared(ranked: list[Ranked]) -> list[str]:
    """The keys of a table of points: those that differ, or all of one point."""
    points = [r.point for r in ranked]
    return swept(points) or list(dict.fromkeys(key for p in points for key in p))


class Effect(NamedTuple):
    """What a key explains of the variance between runs."""

    share: float | None  # in [0, 1]; None: no run shares its level with another
    chance: float  # what noise alone would give on average
    levels: int


def effects(ranked: list[Ranked]) -> dict[str, Effect]:
    """{key: Effect} over the runs of finished points; {} for fewer than three runs."""
    runs = [
        (r.point, o.value) for r in ranked if r.mean is not None for o in r.outcomes
    ]
    points = [point for point, _ in runs]
    values = np.array([value for _, value in runs])
    total = float(((values - values.mean()) ** 2).sum()) if len(runs) > 2 else 0.0
    if not total > 0:
        return {}
    table = {}
    for key in swept(points):
        labels = np.array(_levels([point.get(key) for point in points]))
        groups = [values[labels == label] for label in np.unique(labels)]
        between = sum(len(g) * (g.mean() - values.mean()) ** 2 for g in groups)
        share = float(between / total) if len(groups) < len(runs) else None
        table[key] = Effect(share, (len(groups) - 1) / (len(runs) - 1), len(groups))
    return table


def _levels(values: list) -> list[int]:
    """A number for each value: its own, or its quarter where numbers are many."""
    distinct = sorted(set(values), key=repr)
    numbers = all(isinstance(v, int | float) for v in values)
    if not numbers or len(distinct) <= _LEVELS:
        return [distinct.index(v) for v in values]
    edges = np.quantile(distinct, np.arange(1, _BINS) / _BINS)
    return list(np.searchsorted(edges, values))
