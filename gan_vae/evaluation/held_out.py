"""Averages of a method's evaluate_step over a whole split, each example once."""

from collections import Counter
from collections.abc import Callable

import jax

from gan_vae.data.source import Examples, padded_batches


def evaluate(
    step: Callable, put: Callable, state, examples: Examples, batch_size: int
) -> dict[str, float]:
    """{name: mean per example}; `step(state, batch)` gives sums and their 'count'.

    The last batch is padded under a mask, so that the batch size does not matter.
    """
    sums: Counter = Counter()
    for batch in padded_batches(examples, batch_size):
        for name, value in jax.device_get(step(state, put(batch))).items():
            sums[name] += float(value)
    count = sums.pop('count')
    return {name: value / count for name, value in sums.items()}


def protocol(config, split: str, n: int, step: int) -> str:
    """What a value of `evaluate` was measured on."""
    return (
        f'mean over the {split} split of {config.data.name}, n={n}, '
        f'binarize={config.data.binarize}, step {step}, weights averaged with '
        f'ema_decay={config.method.ema_decay}'
    )
