"""The examples of a run as its model sees them."""

from collections.abc import Iterable, Iterator
from typing import Any

import jax
import numpy as np

from gan_vae import data
from gan_vae.data import augment
from gan_vae.data.settings import Settings
from gan_vae.keys import keys_of
from gan_vae.methods.contract import Method
from gan_vae.methods.sampling import BATCH

Batch = tuple[jax.Array, Any]  # images, and labels or None


def seen(settings: Settings, split: str, num: int, seed: int) -> Iterator[Batch]:
    """Batches of the first images of a split, at most `num`, as a model sees them.

    Each with its labels, None of a set without.
    """
    examples = data.examples(settings, split)
    plain, key = augment.make(False, 0, settings.binarize), jax.random.key(seed)
    count = min(num, examples.size)
    for start in range(0, count, BATCH):
        rows = np.arange(start, min(start + BATCH, count))
        batch = examples.gather(rows)
        yield plain(keys_of(key, rows), batch['image']), batch.get('label')


def of_method(method: Method, batches: Iterable[Batch]) -> Iterator[Batch]:
    """`seen` without the labels that a method has no use for."""
    return ((x, label if method.classes else None) for x, label in batches)
