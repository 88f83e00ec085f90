"""Measures within classes, and the classes of samples that they need.

    intra_d(real, fake) = mean_c d({x in real, of class c}, {x in fake, of class c})

over all classes, each with the same weight. It sees what a distance between whole sets
cannot: a good picture of the wrong class. With the Fréchet distance on Inception it is
the Intra-FID of Miyato & Koyama 2018, arXiv:1802.05637.
"""

from collections.abc import Sequence

import numpy as np

from gan_vae.data.source import Examples
from gan_vae.errors import UserError, counted, nearest
from gan_vae.evaluation.comparison import LEAST, Comparison, Values

# A class must have a baseline, which is between two disjoint parts of the reference.
LEAST_REAL, LEAST_FAKE = 2 * LEAST, LEAST


def mean(parts: list[Comparison]) -> Comparison:
    """Of classes: means of what each gave, sums of the numbers of pictures."""
    quarters = [part.quarters for part in parts]
    baselines = zip(*(part.baselines for part in parts), strict=True)
    return Comparison(
        values=mean_values([part.values for part in parts]),
        baselines=[mean_values(pair) for pair in baselines],
        quarters=[mean_values(quarter) for quarter in zip(*quarters, strict=True)]
        if all(quarters)
        else [],
        n_real=sum(part.n_real for part in parts),
        n_fake=sum(part.n_fake for part in parts),
        baseline_n=sum(part.baseline_n for part in parts),
    )


def mean_values(values: Sequence[Values]) -> Values:
    """The mean of dictionaries with the same names."""
    return {name: float(np.mean([v[name] for v in values])) for name in values[0]}


def table(parts: dict[str, Comparison], key: str, lower: bool) -> dict | None:
    """{class: {'value', 'null', 'n_real', 'n_fake'}} for a card, the worst first.

    lower: whether lower values are better.
    """
    rows = {
        name: {
            'value': float(part.values[key]),
            'null': float(np.mean([values[key] for values in part.baselines]))
            if part.baselines
            else None,
            'n_real': part.n_real,
            'n_fake': part.n_fake,
        }
        for name, part in parts.items()
    }
    worst_first = sorted(rows, key=lambda name: rows[name]['value'], reverse=lower)
    return {name: rows[name] for name in worst_first} or None


def check_reference(reference: Examples, name: str, metrics: list[str]):
    """A UserError unless each picture of the reference has one of 2 classes or more."""
    labels, count = reference.labels, len(reference.class_names)
    if labels is None or count < 2 or not _within(labels, count):
        raise UserError(
            f'{", ".join(metrics)}: the reference {name} does not have two classes or '
            'more: take one with labels, or a folder with a subfolder for each class'
        )


def checked(labels, count: int, reference: Examples, metrics: list[str]) -> np.ndarray:
    """Labels of samples, indices of the reference's class_names, as int32 [count]."""
    if labels is None:
        raise UserError(
            f'{", ".join(metrics)}: the samples have no classes: give their labels'
        )
    labels, classes = np.asarray(labels), len(reference.class_names)
    if labels.shape != (count,) or labels.dtype.kind not in 'iu':
        raise UserError(
            f'labels of {labels.dtype} {labels.shape} for {counted(count, "sample")}: '
            f'give an integer for each, from 0 to {classes - 1}'
        )
    if not _within(labels, classes):
        raise UserError(
            f'labels of samples from {labels.min()} to {labels.max()}: give indices of '
            f"the reference's {classes} classes, from 0 to {classes - 1}"
        )
    return labels.astype(np.int32)


def numbered(samples: Examples, reference: Examples, place: str) -> Examples:
    """`samples`, whose labels are indices of the reference's classes, with names."""
    names, count = reference.class_names, len(samples.class_names)
    if count > len(names):
        raise UserError(
            f'{place}: a class {count - 1}, and the reference has {len(names)} classes'
        )
    return samples._replace(class_names=tuple(names))


def matched(
    samples: Examples, reference: Examples, places: tuple[str, str], metrics: list[str]
) -> np.ndarray:
    """Labels of `samples` as indices of the reference's class_names, by the names.

    `places`: what the two are called in a UserError, raised where either has no
    classes, or the samples have one that the reference lacks.
    """
    names, known = samples.class_names, list(reference.class_names)
    if samples.labels is None or not names or not _within(samples.labels, len(names)):
        raise UserError(
            f'{", ".join(metrics)}: the samples {places[0]} have no classes: put each '
            'picture in a subfolder named as its class in the reference'
        )
    check_reference(reference, places[1], metrics)
    index = np.zeros(len(names), np.int32)
    for label in np.unique(samples.labels):
        if names[label] not in known:
            hint = nearest(names[label], known)
            raise UserError(
                f'{places[0]}: {places[1]} has no class {names[label]!r}{hint}; it '
                f'has: {_listed(known, 100)}'
            )
        index[label] = known.index(names[label])
    return index[samples.labels]


def rows(reference: Examples, labels: np.ndarray) -> dict[str, tuple]:
    """{class: (rows of the reference, rows of the samples)} of every class of either.

    A UserError names the classes with fewer than LEAST_REAL or LEAST_FAKE pictures.
    """
    classes, few = {}, []
    for label, name in enumerate(reference.class_names):
        real, fake = (np.flatnonzero(of == label) for of in (reference.labels, labels))
        if not len(real) + len(fake):
            continue
        if len(real) < LEAST_REAL or len(fake) < LEAST_FAKE:
            few.append(f'{name} ({len(real)} and {len(fake)})')
        classes[name] = real, fake
    if few:
        raise UserError(
            f'measures within classes need {LEAST_REAL} pictures of the reference and '
            f'{LEAST_FAKE} samples of each class: too few of {_listed(few)}; take more '
            'pictures, or leave the intra_ measures out'
        )
    return classes


def _within(labels, classes: int) -> bool:
    return len(labels) > 0 and 0 <= np.min(labels) <= np.max(labels) < classes


def _listed(names: list[str], most: int = 8) -> str:
    more = f' and {len(names) - most} more' if len(names) > most else ''
    return ', '.join(names[:most]) + more
