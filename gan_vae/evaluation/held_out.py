"""Averages of a method's evaluate_step over a split, each example once."""

from collections.abc import Iterator

import jax
import numpy as np

from gan_vae.data import kind_of
from gan_vae.data.source import Examples, padded_batches
from gan_vae.devices.hosts import rows_of_host
from gan_vae.devices.mesh import put
from gan_vae.learning.optimizers import averaging_words
from gan_vae.runs.program import Program


def evaluate(
    program: Program, state, examples: Examples, batch_size: int
) -> dict[str, float]:
    """{name: metric} of the sums and 'count' of `program.evaluate_step`.

    The last batch is padded under a mask, so that the batch size does not matter.
    """
    sums: dict = {}
    for batch in _batches(program, examples, batch_size):
        of_batch = program.evaluate_step(state, put(rows_of_host(batch), program.mesh))
        for name, value in jax.device_get(of_batch).items():
            sums[name] = sums.get(name, 0.0) + np.asarray(value, np.float64)
    return program.method.finish(sums)


def names(program: Program, state, examples: Examples, batch_size: int) -> list[str]:
    """The keys of `evaluate`, without computing; `state`: arrays or shapes."""
    batch = next(_batches(program, examples, batch_size))
    sums = jax.eval_shape(program.evaluate_step, state, batch)
    ones: dict = {name: np.ones(value.shape) for name, value in sums.items()}
    return list(program.method.finish(ones))


def _batches(program: Program, examples: Examples, size: int) -> Iterator[dict]:
    """Padded batches of at least `size`, shared evenly by the devices."""
    return padded_batches(examples, size + -size % program.mesh.size)


def set_name(config) -> str:
    """config.data.name, without the folders of the machine: folder:pictures."""
    prefix, colon, rest = config.data.name.partition(':')
    return prefix + colon + rest.rstrip('/').rpartition('/')[2]


def protocol(config, split: str, n: int, step: int, averaged: bool = True) -> str:
    """What a value was measured on; `averaged`: with which weights."""
    weights = 'the weights of that step'
    if averaged:
        weights = f'weights averaged with ema_decay={averaging_words(config.method)}'
    images = kind_of(config.data.name) == 'images'
    how = f'binarize={config.data.binarize}, ' if images else ''
    return (
        f'of the {split} split of {set_name(config)}, n={n}, {how}step {step}, '
        f'{weights}'
    )
