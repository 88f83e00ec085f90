"""Sets of sequences of different lengths: piano rolls, strokes of drawings, and texts.

A batch holds sequences of about one length, padded with zeros to a multiple of BUCKET:
what is computed in vain is little, and a step is compiled for a few lengths only.
"""

import hashlib
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gan_vae.data import writing
from gan_vae.data.source import Batch
from gan_vae.data.texts import Text
from gan_vae.errors import UserError

if TYPE_CHECKING:
    import jax

BUCKET = 32  # steps
WINDOW = 8  # batches whose sequences are sorted by length together
FEATURES = {'rolls': 88, 'strokes': 3, 'text': 1}  # numbers in a step, by kind


class Padded(NamedTuple):
    """Sequences as a model takes and gives them: values [B, T, D], of which the first
    `length` [B] steps count."""

    values: 'np.ndarray | jax.Array'
    length: 'np.ndarray | jax.Array'

    def each(self) -> list[np.ndarray]:
        """An array [T_i, D] for each sequence."""
        return [np.asarray(v[:n]) for v, n in zip(*self, strict=True)]


class SequenceSpec(NamedTuple):
    """What a network must know about the data.

    `mean` and `scale` [features]: of the steps of the set; None where a run is opened
    without its data, as they are in its state.
    """

    kind: str  # one of FEATURES
    features: int  # numbers in a step
    mean: tuple[float, ...] | None = None
    scale: tuple[float, ...] | None = None
    text: Text | None = None  # of kind text: its characters


class Sequences(NamedTuple):
    """A set: `values` holds an array [T_i, features] for each sequence.

    rolls: uint8 [T, 88], 1 where a key of the piano (from A0) sounds. strokes: float32
    [T, 3], the way to the next point (x to the right, y down) and whether the pen is
    lifted there. text: int32 [T, 1], code points of characters.
    """

    kind: str
    values: tuple[np.ndarray, ...]
    note: str = ''  # what the reader of the set has to tell

    @property
    def size(self) -> int:
        return len(self.values)

    @property
    def lengths(self) -> np.ndarray:
        return np.array([len(v) for v in self.values], np.int32)

    @property
    def spec(self) -> SequenceSpec:
        if self.kind == 'text':
            text = writing.text_of(self.values)
            return SequenceSpec(self.kind, 1, (0.0,), (1.0,), text)
        steps = np.concatenate(self.values).astype(np.float64)
        mean, scale = steps.mean(0), np.ones(steps.shape[1])
        if self.kind == 'strokes':  # one scale for both directions; lifts as they are
            mean[:], scale[:2] = 0, max(np.sqrt(np.square(steps[:, :2]).mean()), 1e-6)
        width = steps.shape[1]
        return SequenceSpec(
            self.kind, width, tuple(mean.tolist()), tuple(scale.tolist())
        )

    def take(self, rows: np.ndarray) -> 'Sequences':
        """The sequences at `rows`, an index array."""
        return self._replace(values=tuple(self.values[i] for i in rows))

    def cut(self, steps: int) -> 'Sequences':
        """All in pieces of at most `steps`, each a sequence of its own; 0: as it is.

        A piece of one step is left out.
        """
        if not steps:
            return self
        if steps < 2:
            raise UserError(f'config.data.segment_steps={steps}: must be 0 or above 1')
        pieces = (
            v[start : start + steps]
            for v in self.values
            for start in range(0, len(v), steps)
            if len(v) - start > 1
        )
        return self._replace(values=tuple(pieces))

    def gather(self, rows: np.ndarray, global_rows: np.ndarray | None = None) -> Batch:
        """The batch of `rows`: sequence [b, T, D], length and index [b].

        T: of the longest of `global_rows`, those of the batch over all hosts, up to the
        next multiple of BUCKET.
        """
        values = [self.values[i] for i in rows]
        longest = max(
            len(self.values[i]) for i in (rows if global_rows is None else global_rows)
        )
        shape = len(rows), longest + -longest % BUCKET, values[0].shape[1]
        padded = np.zeros(shape, values[0].dtype)
        for place, value in zip(padded, values, strict=True):
            place[: len(value)] = value
        return {
            'sequence': padded,
            'length': np.array([len(v) for v in values], np.int32),
            'index': np.asarray(rows, np.int32),
        }

    def arrange(self, order: np.ndarray, batch_size: int, start: int) -> np.ndarray:
        """The order of an epoch, of a random one: batches of about one length.

        Windows of WINDOW batches are sorted by length, and their batches then take the
        order in which their first sequences stood. `start`: the number in the run of
        the epoch's first example, as a batch may have begun in the epoch before.
        """
        lengths, place = self.lengths, np.argsort(order)
        head = -start % batch_size
        parts = [order[:head]]
        for begin in range(head, len(order), WINDOW * batch_size):
            window = order[begin : begin + WINDOW * batch_size]
            window = window[np.argsort(lengths[window], kind='stable')]
            cuts = range(batch_size, len(window), batch_size)
            batches = np.split(window, list(cuts))
            last = [batches.pop()] if len(batches[-1]) < batch_size else []
            parts += sorted(batches, key=lambda rows: place[rows[0]]) + last
        return np.concatenate(parts)

    def fingerprint(self) -> str:
        """A hash of all steps and where they end."""
        digest = hashlib.sha256(f'{self.kind} {self.lengths.tolist()}'.encode())
        for value in self.values:
            digest.update(np.ascontiguousarray(value).data)
        return digest.hexdigest()
