"""A Source: random access to a set of examples; `batch(step)` is pure in (seed, step).

The order of epoch e is a permutation drawn from (seed, e); batch `step` holds the
positions [step * B, (step + 1) * B) of epoch 0, epoch 1, ... laid end to end. So every
epoch shows each example once, a resumed run needs nothing but its step, and each of
many hosts takes its own rows of the same global batch.
"""

import hashlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from gan_vae.data.texts import Text
from gan_vae.errors import UserError

Batch = dict[str, np.ndarray]  # rows of each array of an Examples, or of Sequences


class Spec(NamedTuple):
    """What a network must know about the data."""

    height: int
    width: int
    channels: int
    class_names: tuple[str, ...] = ()
    size: int = 0  # images in the set
    text: Text | None = None
    kind = 'images'

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.height, self.width, self.channels


class Examples(NamedTuple):
    """A set: images uint8 [N, H, W, C] (array or memory map) and what goes with them.

    `captions` holds N strings or none; `factors` {name: [N]} for procedural sets, and
    `factor_values` {name: words} for those whose numbers are indices of words.
    """

    images: np.ndarray
    labels: np.ndarray | None = None  # int32 [N], indices of class_names
    class_names: tuple[str, ...] = ()
    captions: tuple[str, ...] = ()
    factors: dict[str, np.ndarray] | None = None
    factor_values: dict[str, tuple[str, ...]] = {}
    note: str = ''  # what the reader of the set has to tell, e.g. files it skipped
    # (examples, number) -> its captions in other words, for sets that have several
    reworded: Callable[['Examples', int], tuple[str, ...]] | None = None
    text: Text | None = None  # of config.data.text
    tokens: np.ndarray | None = None  # uint16 [N, wordings, text.length]
    kind = 'images'

    @property
    def spec(self) -> Spec:
        height, width, channels = self.images.shape[1:]
        count = len(self.images)
        return Spec(height, width, channels, self.class_names, count, self.text)

    @property
    def size(self) -> int:
        return len(self.images)

    def take(self, rows: np.ndarray) -> 'Examples':
        """The examples at `rows`, an index array."""
        factors = self.factors
        return self._replace(
            images=self.images[rows],
            labels=None if self.labels is None else self.labels[rows],
            captions=tuple(self.captions[i] for i in rows) if self.captions else (),
            factors=factors and {name: v[rows] for name, v in factors.items()},
            tokens=None if self.tokens is None else self.tokens[rows],
        )

    def gather(self, rows: np.ndarray, global_rows: np.ndarray | None = None) -> Batch:
        """The batch of `rows`: image uint8 [b, H, W, C], index and label [b], and text
        int32 [b, wordings, length].

        `global_rows`: those of the batch over all hosts.
        """
        batch = {'image': np.asarray(self.images[rows]), 'index': rows.astype(np.int32)}
        if self.labels is not None:
            batch['label'] = self.labels[rows]
        if self.tokens is not None:
            batch['text'] = self.tokens[rows].astype(np.int32)
        return batch

    def cut(self, steps: int) -> 'Examples':
        """Pieces of at most `steps`: images have none."""
        return self

    def arrange(self, order: np.ndarray, batch_size: int, start: int) -> np.ndarray:
        """The order of an epoch, of a random one; its first example is number `start`
        of the run."""
        return order

    def fingerprint(self) -> str:
        """A hash of the size, the labels and up to 1,000 of the images."""
        digest = hashlib.sha256(f'{self.images.shape}'.encode())
        rows = np.unique(np.linspace(0, self.size - 1, 1000).astype(int))
        digest.update(np.ascontiguousarray(self.images[rows]).data)
        if self.labels is not None:
            digest.update(np.ascontiguousarray(self.labels).data)
        if self.tokens is not None:
            digest.update(self.tokens.tobytes())
        return digest.hexdigest()


class Source:
    """Batches of `examples`: dicts of NumPy arrays, this host's rows only.

    What `examples.gather` gives of b = batch_size / host_count rows, among it `index`
    int32 [b], the rows of `examples`.
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
        self.size = examples.size
        self._batch = batch_size
        rows = batch_size // host_count
        self._rows = slice(host * rows, (host + 1) * rows)
        self._orders: dict[int, np.ndarray] = {}

    def order(self, epoch: int) -> np.ndarray:
        """The permutation of one epoch, int64 [size]."""
        if epoch not in self._orders:
            seeds = np.random.SeedSequence((self.seed, epoch))
            order = np.random.Generator(np.random.Philox(seeds)).permutation(self.size)
            order = self.examples.arrange(order, self._batch, epoch * self.size)
            near = {e: o for e, o in self._orders.items() if abs(e - epoch) <= 1}
            self._orders = near | {epoch: order}
        return self._orders[epoch]

    def indices(self, step: int) -> np.ndarray:
        """The rows of batch `step`, those of all hosts."""
        positions = np.arange(step * self._batch, (step + 1) * self._batch)
        epochs, offsets = np.divmod(positions, self.size)
        parts = [self.order(e)[offsets[epochs == e]] for e in np.unique(epochs)]
        return np.concatenate(parts)

    def batch(self, step: int) -> dict[str, np.ndarray]:
        """This host's share of global batch `step`."""
        rows = self.indices(step)
        return self.examples.gather(rows[self._rows], global_rows=rows)


def padded_batches(examples: Examples, batch_size: int) -> Iterator[Batch]:
    """Each example once, in order; the last batch repeats row 0 under `mask` 0."""
    for start in range(0, examples.size, batch_size):
        rows = np.arange(start, start + batch_size)
        mask = rows < examples.size
        batch = examples.gather(np.where(mask, rows, 0))
        yield batch | {'mask': mask.astype(np.float32)}


def paired(first: Examples, second: Examples) -> Examples:
    """Those that have the same caption in both: the channels of the first, then those
    of the second."""
    rows = [{name: n for n, name in enumerate(e.captions)} for e in (first, second)]
    names = [name for name in first.captions if name in rows[1]]
    images = [
        each.images[[row[name] for name in names]]
        for each, row in zip((first, second), rows, strict=True)
    ]
    return Examples(np.concatenate(images, -1), captions=tuple(names))
