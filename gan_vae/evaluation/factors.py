"""A classifier of the factors of a set: which parts and colours a picture shows.

One network (extractors/classifier.py) with the logits of all factors, trained on the
labelled train split of the set. It tells what a direction of a latent space changes.
"""

from typing import NamedTuple

import numpy as np
from flax import traverse_util

from gan_vae.data.source import Examples
from gan_vae.data.vector_art.factors import NONE
from gan_vae.errors import UserError, unknown
from gan_vae.extractors import classifier
from gan_vae.extractors.features import digest, stored
from gan_vae.learning import state

# Wider than that of classes, and moved less: a mouth is a few pixels.
RECIPE = classifier.RECIPE | {
    'widths': (64, 128, 256),
    'features': 512,
    'dropout': 0.2,
    'shift': 1,
    'steps': 3000,
}
MOST = 64  # values of a factor, beyond which it is taken for a continuous one


class Factors(NamedTuple):
    """A classifier of factors, and what they are."""

    names: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]  # of each factor
    accuracy: tuple[float, ...]  # of each, on pictures held out that do not lack it
    params: dict

    def of(self, images: np.ndarray) -> np.ndarray:
        """The likeliest values int [n, k], indices of `values`, of uint8 pictures."""
        sizes = tuple(map(len, self.values))
        return classifier.predict_several(self.params, sizes, images)

    def log_probs(self, images: np.ndarray) -> list[np.ndarray]:
        """log p [n, size] of the values of each factor, of uint8 pictures."""
        sizes = tuple(map(len, self.values))
        return classifier.log_probs_several(self.params, sizes, images)


def values_of(examples: Examples) -> dict[str, tuple[str, ...]]:
    """{factor: its values} of a set; a UserError for a set without factors of a few
    values."""
    values = {
        name: examples.factor_values.get(name) or tuple(map(str, np.unique(table)))
        for name, table in (examples.factors or {}).items()
    }
    values = {name: words for name, words in values.items() if 2 <= len(words) <= MOST}
    if not values:
        raise UserError(
            'this set has no factors: take one that has, as art or shapes, see '
            'docs/guides/data.md'
        )
    return values


def check(name: str, examples: Examples):
    """A UserError for a set without that factor."""
    if name not in (known := values_of(examples)):
        raise unknown('factor', name, known)


def load(examples: Examples, held_out: Examples) -> Factors:
    """Trains on `examples` at first, then reads $GAN_VAE_CACHE.

    held_out: pictures by which `accuracy` is measured. A UserError as `values_of`.
    """
    values = values_of(examples)
    names = tuple(values)
    sizes = tuple(len(values[n]) for n in names)
    labels = _indices(examples, names, values)

    def trained():
        params = classifier.fit_several(examples.images, sizes, labels, RECIPE)
        return state.named_leaves(params)

    key = [[digest(examples.images), digest(labels)], RECIPE, sizes]
    leaves = dict(stored('factors', key, trained))
    params = traverse_util.unflatten_dict(leaves, sep='/')
    words = tuple(values[n] for n in names)
    known, shown = Factors(names, words, (), params), _indices(held_out, names, values)
    lacking = [w.index(NONE) if NONE in w else -1 for w in words]
    has = shown != np.array(lacking)
    right = np.sum((known.of(held_out.images) == shown) & has, 0) / has.sum(0)
    return known._replace(accuracy=tuple(map(float, right)))


def indices(examples: Examples, known: Factors) -> np.ndarray:
    """The factors int [n, k] of a set, as those that a classifier knows."""
    names = known.names
    return _indices(examples, names, dict(zip(names, known.values, strict=True)))


def _indices(examples: Examples, names, values) -> np.ndarray:
    """The factors int [n, k] as indices of their values."""
    columns = []
    for name in names:
        column = np.asarray((examples.factors or {})[name])
        if name not in examples.factor_values:
            column = np.searchsorted(np.unique(column), column)
        columns.append(column)
    return np.stack(columns, -1).astype(np.int32)
