"""What a measure gives for two sets: its value, its null and what quarters show."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from gan_vae.evaluation.card import Card

NULLS = 3  # pairs of real sets
LEAST = 20  # pictures on either side of a null


class Found(NamedTuple):
    """{name: value} of the samples, of pairs of real sets, of quarters of samples."""

    values: dict[str, float]
    nulls: list[dict[str, float]]
    quarters: list[dict[str, float]]
    n_real: int
    n_fake: int
    null_n: int


def some(size: int, n: int, seed: int) -> np.ndarray:
    """n of `size` rows without replacement."""
    order = np.random.Generator(np.random.Philox(seed)).permutation(size)
    return order[:n]


def compute(how, real, fake, held, seed: int) -> dict[str, float]:
    """The values of a Metric, of as many of `real` as it takes."""
    return how.compute(_taken(how, real, len(fake), seed), fake, held, seed)


def find(how, real, fake, held, seed: int, once: Callable) -> Found:
    """All that cards need of a Metric; `once(n, make)` remembers the nulls of n."""
    part = _taken(how, real, len(fake), seed)
    n_real, n_fake, null_n = len(part), len(fake), min(len(fake), len(real) // 2)
    nulls, quarters = [], []
    if null_n >= LEAST and not how.paired:  # a paired one has its own law
        nulls = once(null_n, lambda: _nulls(how, real, null_n, seed))
    if n_fake >= 40 and not how.paired:
        against = part[some(n_real, null_n, seed)]
        quarters = [how.compute(against, fake[i::4], held, seed) for i in range(4)]
    values = how.compute(part, fake, held, seed)
    return Found(values, nulls, quarters, n_real, n_fake, null_n)


def _taken(how, real, n_fake: int, seed: int):
    most = n_fake if how.equal else how.most or len(real)
    return real[some(len(real), most, seed)] if most < len(real) else real


def _nulls(how, real, n: int, seed: int) -> list[dict[str, float]]:
    """The measure of n reference pictures against the rest, or as many of it as the
    metric takes."""
    found = []
    for pair in range(NULLS):
        rows = some(len(real), len(real), seed + 1 + pair)
        rest = rows[n:][: n if how.equal else how.most or None]
        found.append(how.compute(real[rest], real[rows[:n]], None, seed))
    return found


def flags(how, found: Found, parts: dict, dimension: int) -> tuple[str, ...]:
    """Why a value may mean little; `parts`: {class: Found}, or {'': found}."""
    said = []
    absent = [name for name, part in parts.items() if not part.n_fake]
    if absent:
        said.append(f'no samples of {", ".join(absent)}')
    if not found.nulls and not how.paired:
        said.append(f'no null: it takes {LEAST} pictures on either side')
    fewest = min(min(part.n_real, part.n_fake) for part in parts.values())
    if how.by_dimension and fewest <= dimension:
        where = f' ({fewest} in the smallest class)' if how.within else ''
        said.append(
            f'fewer pictures than the {dimension} dimensions{where}: mostly bias, '
            'compare with the null'
        )
    if found.null_n < found.n_fake and found.nulls:
        said.append(f'the null is of {found.null_n} pictures only')
    return tuple(said)


def card(found: Found, key: str, known_null: float | None, **about) -> Card:
    """The Card of one of the values; `about`: its other fields."""
    null = [pair[key] for pair in found.nulls]
    quarters = [quarter[key] for quarter in found.quarters]
    return Card(
        value=float(found.values[key]),
        spread=float(np.std(quarters, ddof=1) / 2) if quarters else None,
        null=float(np.mean(null)) if null else known_null,
        null_spread=float(np.std(null, ddof=1)) if len(null) > 1 else None,
        null_n=found.null_n if null else 0,
        n_real=found.n_real,
        n_fake=found.n_fake,
        **about,
    )
