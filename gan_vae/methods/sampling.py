"""Samples of a trained model as uint8 pictures, the same for any number of them."""

from functools import partial

import jax
import numpy as np

from gan_vae import images
from gan_vae.errors import UserError, unknown
from gan_vae.learning.state import Weights
from gan_vae.methods.contract import Method

BATCH = 64


def draw(
    method: Method,
    state: Weights,
    seed: int,
    num: int,
    labels: np.ndarray | int | None = None,
    truncation: float | None = None,
    temperature: float | None = None,
) -> np.ndarray:
    """`num` samples as uint8 [num, H, W, C]; picture i is the same for any `num`.

    labels: their classes, int [num] or one for all; by default each class in turn.
    truncation: latents are drawn again until all their numbers are within +- this.
    temperature: factor of the deviations of the latents.
    """
    check(seed, num, truncation, temperature)
    if truncation is not None and temperature is not None:
        raise UserError(
            '--truncation and --temperature both narrow the prior: take one'
        )
    if method.classes and labels is None:
        labels = np.arange(num) % method.classes
    if labels is not None:  # whole batches, the last of which is cut off again
        labels = np.resize(labels, num + -num % BATCH).astype(np.int32)

    made = [
        images.to_uint8(
            _batch(
                method,
                truncation,
                temperature,
                state,
                jax.random.fold_in(jax.random.key(seed), start),
                None if labels is None else labels[start : start + BATCH],
            )
        )
        for start in range(0, num, BATCH)
    ]
    return np.concatenate(made)[:num]


def decoded(
    method: Method, state: Weights, z: np.ndarray, label: int | None = None
) -> np.ndarray:
    """The pictures of latents [num, D], of one class if given: uint8 [num, H, W, C]."""
    decode, num = jax.jit(method.latents.decode), len(z)
    z = np.concatenate([z, np.zeros((-num % BATCH, z.shape[1]), z.dtype)])
    labels = None if label is None else np.full(BATCH, label)
    made = [
        images.to_uint8(decode(state, z[start : start + BATCH], labels))
        for start in range(0, num, BATCH)
    ]
    return np.concatenate(made)[:num]


def check(
    seed: int,
    num: int,
    truncation: float | None = None,
    temperature: float | None = None,
):
    """A UserError for what there cannot be."""
    if truncation is not None and not truncation >= 0:
        raise UserError(f'--truncation={truncation}: must be at least 0')
    if temperature is not None and not 0 <= temperature < np.inf:
        raise UserError(f'--temperature={temperature}: must be at least 0')
    if not 1 <= num <= 100_000:
        raise UserError(f'--num={num}: must be from 1 to 100000')
    if not 0 <= seed < 2**32:
        raise UserError(f'--seed={seed}: must be from 0 to 2**32 - 1')


# A jit of the module, as of a function made at each draw each would compile anew.
@partial(jax.jit, static_argnums=(0, 1, 2))
def _batch(method, truncation, temperature, state, key, label):
    if truncation is None:
        return method.generate(state, key, BATCH, label, temperature)
    latents = method.latents
    return latents.decode(state, latents.prior(key, BATCH, truncation), label)


def class_id(names: tuple[str, ...], asked: str) -> int:
    """The id of a class by its name, or by its id as text."""
    if not names:
        raise UserError(f'--class={asked}: this model has no classes')
    if asked in names:
        return names.index(asked)
    if asked.isdecimal() and int(asked) < len(names):
        return int(asked)
    raise unknown('--class', asked, names)
