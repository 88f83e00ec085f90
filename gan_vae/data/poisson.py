"""Batches by Poisson sampling, as the accounting of private training assumes.

  each example is in batch t with probability q = B / N, by itself

A batch of a fixed size holds them, the rest is padding. Whether it can is a matter of
the tail of a binomial distribution: the size is such that a batch is too large with a
probability of at most TAIL. Abadi et al. 2016, arXiv:1607.00133, section 3.1.
"""

import numpy as np

from gan_vae.data.source import Examples, Source
from gan_vae.errors import RunError

TAIL = 1e-16  # in a million batches, 1e-10: nothing beside delta


def capacity(examples: int, expected: int, unit: int = 1) -> int:
    """The rows of a batch of `expected` in expectation, a multiple of `unit`."""
    from scipy.stats import binom

    most = int(binom.isf(TAIL, examples, expected / examples))
    return -(-min(most, examples) // unit) * unit


class Poisson(Source):
    """A Source of `batches` Poisson batches a step, row r of a step one of batch
    r mod batches.

    `weight` float32 of a row is M / B of an example, M the rows and B the expected
    ones, and 0 of padding: so the mean of weighted rows is their sum over B.
    """

    def __init__(
        self,
        examples: Examples,
        expected: int,
        batches: int = 1,
        unit: int = 1,
        seed: int = 0,
        host: int = 0,
        host_count: int = 1,
    ):
        self.expected, self.batches = expected, batches
        self.capacity = capacity(examples.size, expected, unit)
        super().__init__(examples, self.capacity * batches, seed, host, host_count)

    def drawn(self, step: int) -> np.ndarray:
        """bool [batches, size]: which examples are in the batches of a step."""
        seeds = np.random.SeedSequence((self.seed, step))
        random = np.random.Generator(np.random.Philox(seeds))
        rate = self.expected / self.size
        return random.random((self.batches, self.size)) < rate

    def batch(self, step: int) -> dict[str, np.ndarray]:
        """This host's share of the batches of `step`."""
        rows = np.zeros((self.capacity, self.batches), np.int64)
        weight = np.zeros((self.capacity, self.batches), np.float32)
        for number, drawn in enumerate(self.drawn(step)):
            found = np.flatnonzero(drawn)
            if len(found) > self.capacity:  # by chance less often than hardware fails
                raise RunError(
                    f'the batch of step {step} does not fit: change the seed'
                )
            rows[: len(found), number] = found
            weight[: len(found), number] = self.capacity / self.expected
        every = rows.ravel()
        batch = self.examples.gather(every[self._rows], global_rows=every)
        return batch | {'weight': weight.ravel()[self._rows]}
