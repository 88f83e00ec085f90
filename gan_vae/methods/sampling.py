"""Samples of a trained model as uint8 pictures: the one sampler of all commands.

  x_i = G(t z_i),   z_i of the prior by the key (seed, i), cut off at +- truncation

A style-based generator has its styles w cut off instead, w' = m + truncation (w - m)
with m their mean (Karras et al. 2018, arXiv:1812.04948, appendix B).
Picture i is the same for any number of them, and for every command that draws it.
"""

from collections.abc import Callable, Iterable
from functools import partial

import jax
import numpy as np

from gan_vae import images
from gan_vae.errors import UserError, unknown
from gan_vae.learning.state import Weights
from gan_vae.methods.contract import Method, required

BATCH = 64
LARGEST = 100_000  # samples of one command


def draw(
    method: Method,
    weights: Weights,
    seed: int,
    num: int,
    labels: np.ndarray | int | None = None,
    truncation: float | None = None,
    temperature: float | None = None,
) -> np.ndarray:
    """`num` samples as uint8 [num, H, W, C]; picture i is the same for any `num`.

    labels: their conditions, as those of `conditions`, or one class for all.
    truncation: latents are drawn again until all their numbers are within +- this; of a
    style-based generator, the factor of the distance of styles to their mean.
    temperature: factor of the deviations of the latents.
    """
    check(seed, num, truncation, temperature)
    if labels is None:
        labels = conditions(method, seed, num)
    labels = _repeated(labels, num + -num % BATCH)  # the last batch is cut off again
    required(method, 'generate', 'a sample')
    if truncation is not None:
        required(method, 'latents.prior', '--truncation')

    def batch(start):
        key, label = _key(seed, start), _rows(labels, start, BATCH)
        x = _batch(method, truncation, temperature, weights, key, label)
        return images.to_uint8(x)

    return np.concatenate([batch(start) for start in range(0, num, BATCH)])[:num]


def conditions(method: Method, seed: int, num: int) -> np.ndarray | None:
    """Those of samples of which nothing is said: each class in turn, int32 [num], or
    captions that the model was trained on, int32 [num, length]; None without either.
    """
    if method.classes:
        return np.arange(num, dtype=np.int32) % method.classes
    if method.captions is None:
        return None
    starts = range(0, num, BATCH)
    rows = [method.captions.drawn(_key(seed, start), BATCH) for start in starts]
    return np.concatenate(rows)[:num]


def latents(
    method: Method,
    seed: int,
    num: int,
    truncation: float | None = None,
    temperature: float | None = None,
) -> np.ndarray:
    """The latents float32 [num, D] of `draw`; number i is the same for any `num`."""
    check(seed, num, truncation, temperature)
    required(method, 'latents.prior', 'a sample by its latent')
    keys = (_key(seed, start) for start in range(0, num, BATCH))
    batches = [_latents(method.latents.prior, truncation, key) for key in keys]
    z = np.concatenate(batches)[:num]
    return z if temperature is None else z * np.float32(temperature)


def latent(method: Method, seed: int, number: int) -> np.ndarray:
    """Row `number` of `latents`, float32 [D]."""
    row = number % BATCH
    z = _latents(method.latents.prior, None, _key(seed, number - row))
    return np.asarray(z[row])


def styles(
    method: Method,
    weights: Weights,
    z: np.ndarray,
    labels: np.ndarray | int | None = None,
    truncation: float | None = None,
) -> np.ndarray:
    """The styles float32 [n, S] of latents [n, D] of a style-based generator.

    labels, truncation: as in `draw`.
    """
    own = required(method, 'latents.styles', 'styles')
    labels = _repeated(labels, len(z))
    parts = [
        _styles(own.map, truncation, weights, z[start : start + BATCH], label)
        for start in range(0, len(z), BATCH)
        for label in [_rows(labels, start, BATCH)]
    ]
    return np.concatenate(parts)


def decode(
    method: Method,
    weights: Weights,
    z: np.ndarray,
    labels: np.ndarray | int | None = None,
    progress: Callable[[Iterable, str], Iterable] = lambda items, _: items,
) -> np.ndarray:
    """The pictures uint8 [n, H, W, C] of latents [n, D], n at least 1.

    labels: conditions, or a class for all, if the model has them. At most BATCH are
    decoded at a time, and n is made a power of two: few programs, and little waste.
    progress: of the batches, which may end early; then there are fewer pictures.
    """
    count = len(z)
    size = min(BATCH, 1 << (count - 1).bit_length())
    z = np.concatenate([z, np.zeros((-count % size, *z.shape[1:]), z.dtype)])
    labels = _repeated(labels, len(z))

    def batch(start):
        part = _rows(z, start, size), _rows(labels, start, size)
        return decode_batch(method.latents.decode, weights, *part)

    starts = progress(range(0, len(z), size), 'drawing')
    x = np.concatenate([batch(start) for start in starts])[:count]
    if not np.isfinite(x).all():
        raise UserError('latents so far out give no picture: a smaller number')
    return images.to_uint8(x)


def check(
    seed: int,
    num: int,
    truncation: float | None = None,
    temperature: float | None = None,
):
    """A UserError for numbers that no draw can have."""
    for name, value in (('truncation', truncation), ('temperature', temperature)):
        if value is not None and not 0 <= value < np.inf:
            raise UserError(f'--{name}={value}: must be finite and at least 0')
    if truncation is not None and temperature is not None:
        raise UserError(
            '--truncation and --temperature both narrow the prior: take one'
        )
    if not 1 <= num <= LARGEST:
        raise UserError(f'--num={num}: must be from 1 to {LARGEST}')
    if not 0 <= seed < 2**32:
        raise UserError(f'--seed={seed}: must be from 0 to 2**32 - 1')


def _key(seed: int, start: int):
    return jax.random.fold_in(jax.random.key(seed), start)


def _repeated(labels: np.ndarray | int | None, count: int) -> np.ndarray | None:
    """Conditions int32 [count] or [count, length], again from the first on."""
    if labels is None:
        return None
    labels = np.asarray(labels, np.int32)
    rows = labels[None] if labels.ndim == 0 else labels
    return rows[np.arange(count) % len(rows)]


def _rows(array: np.ndarray | None, start: int, count: int) -> np.ndarray | None:
    return None if array is None else array[start : start + count]


# Jits of the module, as each of a function made at each draw would compile anew.
@partial(jax.jit, static_argnums=(0, 1, 2))
def _batch(method, truncation, temperature, weights, key, label):
    if truncation is None:
        return method.generate(weights, key, BATCH, label, temperature)
    latents = method.latents
    if latents.styles is None:
        return latents.decode(weights, latents.prior(key, BATCH, truncation), label)
    z = latents.prior(key, BATCH)
    styles = latents.styles.map(weights, z, label, truncation)
    return latents.styles.decode(weights, styles, label)


@partial(jax.jit, static_argnums=(0, 1))
def _latents(prior, truncation, key):
    return prior(key, BATCH, truncation)


@partial(jax.jit, static_argnums=(0, 1))
def _styles(map_latents, truncation, weights, z, label):
    return map_latents(weights, z, label, truncation)


@partial(jax.jit, static_argnums=0)
def decode_batch(decode, weights, z, labels):
    """The pictures [B, H, W, C] in [-1, 1] of a batch of latents [B, D]."""
    return decode(weights, z, labels)


def class_id(names: tuple[str, ...], word: str) -> int:
    """The id of the class that `word` names; '#0' is the id 0 whatever names there are.

    A name comes first. A bare number is an id only where no name is a number: with
    classes named '1' and '2', 0 is refused and '1' is the name.
    """
    if not names:
        raise UserError(f'--class={word}: this model has no classes')
    if word in names:
        return names.index(word)
    number = word.removeprefix('#')
    if number.isdecimal():
        if word == number and (named := [n for n in names if n.isdecimal()]):
            raise UserError(
                f'--class={word}: no class has that name, and {named[0]!r} is a name: '
                f'--class=#{word} is the class of that id'
            )
        if int(number) < len(names):
            return int(number)
        raise UserError(
            f'--class={word}: ids are from #0 to #{len(names) - 1} ({names[-1]})'
        )
    raise unknown('--class', word, names)


def class_message(names: tuple[str, ...], word: str, label: int) -> list[str]:
    """One line that says which class was taken, where the word left that open."""
    if word == names[label] and not word.isdecimal():
        return []
    return [f'--class={word}: the class {names[label]!r}, id #{label}']
