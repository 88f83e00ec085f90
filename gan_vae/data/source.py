"""A Source: random access to a set of images; `batch(step)` is pure in (seed, step).

The order of epoch e is a permutation drawn from (seed, e); batch `step` holds the
positions [step * B, (step + 1) * B) of epoch 0, epoch 1, ... laid end to end. So every
epoch shows each example once, a resumed run needs nothing but its step, and each of
many hosts takes its own rows of the same global batch.
"""

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from gan_vae.errors import UserError


class Spec(NamedTuple):
    """What a network must know about the data."""

    height: int
    width: int
    channels: int
    class_names: tuple[str, ...] = ()
    count: int = 0  # images in the set

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.height, self.width, self.channels


class Examples(NamedTuple):
    """A set: images uint8 [N, H, W, C] (array or memory map) and what goes with them.

    `captions` holds N strings or none; `factors` {name: [N]} for procedural sets.
    """

    images: np.ndarray
    labels: np.ndarray | None = None  # int32 [N], indices of class_names
    class_names: tuple[str, ...] = ()
    captions: tuple[str, ...] = ()
    factors: dict[str, np.ndarray] | None = None
    note: str = ''  # what the reader of the set has to tell, e.g. files it skipped

    @property
    def spec(self) -> Spec:
        return Spec(*self.images.shape[1:], self.class_names, len(self.images))

    def take(self, rows: np.ndarray) -> 'Examples':
        """The examples at `rows`, an index array."""
        factors = self.factors
        return self._replace(
            images=self.images[rows],
            labels=None if self.labels is None else self.labels[rows],
            captions=tuple(self.captions[i] for i in rows) if self.captions else (),
            factors=factors and {name: v[rows] for name, v in factors.items()},
        )


def fingerprint(examples: Examples) -> str:
    """A hash of a set's size, labels and up to 1,000 of its images."""
    size = len(examples.images)
    digest = hashlib.sha256(f'{examples.images.shape}'.encode())
    rows = np.unique(np.linspace(0, size - 1, 1000).astype(int))
    digest.update(np.ascontiguousarray(examples.images[rows]))
    if examples.labels is not None:
        digest.update(np.ascontiguousarray(examples.labels))
    return digest.hexdigest()


class Source:
    """Batches of `examples`: dicts of NumPy arrays, this host's rows only.

    `image` uint8 [b, H, W, C], `index` int32 [b] (rows of `examples`) and, where the
    set has them, `label` int32 [b]; b = batch_size / host_count.
    """

    def __init__(
        self,
        examples: Examples,
        batch_size: int,
        seed: int = 0,
        host: int = 0,
        host_count: int = 1,
    ):
        if batch_size % host_count:
            raise UserError(
                f'a global batch of {batch_size} does not divide by {host_count} hosts'
            )
        self.examples, self.seed = examples, seed
        self.spec = examples.spec
        self.size = len(examples.images)
        self._batch = batch_size
        rows = batch_size // host_count
        self._rows = slice(host * rows, (host + 1) * rows)
        self._orders: dict[int, np.ndarray] = {}

    def order(self, epoch: int) -> np.ndarray:
        """The permutation of one epoch, int64 [size]."""
        if epoch not in self._orders:
            seeds = np.random.SeedSequence((self.seed, epoch))
            permutation = np.random.Generator(np.random.Philox(seeds)).permutation
            kept = {e: o for e, o in self._orders.items() if abs(e - epoch) <= 1}
            self._orders = kept | {epoch: permutation(self.size)}
        return self._orders[epoch]

    def indices(self, step: int) -> np.ndarray:
        """The rows of this host's share of batch `step`."""
        positions = np.arange(step * self._batch, (step + 1) * self._batch)[self._rows]
        epochs, offsets = np.divmod(positions, self.size)
        parts = [self.order(e)[offsets[epochs == e]] for e in np.unique(epochs)]
        return np.concatenate(parts)

    def batch(self, step: int) -> dict[str, np.ndarray]:
        """This host's share of global batch `step`."""
        return gather(self.examples, self.indices(step))


def gather(examples: Examples, rows: np.ndarray) -> dict[str, np.ndarray]:
    """One batch of the given rows."""
    batch = {'image': np.asarray(examples.images[rows]), 'index': rows.astype(np.int32)}
    if examples.labels is not None:
        batch['label'] = examples.labels[rows]
    return batch


def padded_batches(examples: Examples, batch_size: int) -> Iterator[dict]:
    """Each example once, in order; the last batch repeats row 0 under `mask` 0."""
    size = len(examples.images)
    for start in range(0, size, batch_size):
        rows = np.arange(start, start + batch_size)
        mask = rows < size
        yield gather(examples, np.where(mask, rows, 0)) | {
            'mask': mask.astype(np.float32)
        }
