"""On device, from a batch to what a method sees: images as float32 in [-1, 1],
sequences as float32 in their own units.

Each random choice is drawn from its example's own key, so that a picture meets the same
fate on any number of devices.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from gan_vae.data.settings import Settings
from gan_vae.images import from_uint8
from gan_vae.keys import keys_of

Batch = dict[str, Any]
Change = Callable[[jax.Array, Any], jax.Array]  # (keys [B], examples)
Prepare = Callable[[jax.Array, Batch], Batch]


def of(settings: Settings, kind: str) -> tuple[Prepare, Prepare]:
    """(keys [B], batch) -> batch as a method sees it: in training, and otherwise.

    `settings`: config.data; `kind`: images, rolls or strokes.
    """
    part = 'image' if kind == 'images' else 'sequence'
    if kind == 'images':
        light = make(settings.flip, settings.shift, settings.binarize)
        plain = make(False, 0, settings.binarize)
    elif kind == 'text':
        light = plain = lambda keys, values: values
    elif kind == 'rolls':
        light, plain = rolls(settings.transpose), rolls(0)
    else:
        light, plain = strokes(settings.stretch), strokes(0)

    def prepared(change: Change):
        return lambda keys, batch: batch | {part: change(keys, batch[part])}

    return prepared(light), prepared(plain)


def rolls(semitones: int) -> Change:
    """apply(keys [B], rolls [B, T, 88]): transposed by up to so many semitones."""

    def one(key: jax.Array, roll: jax.Array):
        roll = roll.astype(jnp.float32)
        if not semitones:
            return roll
        padded = jnp.pad(roll, ((0, 0), (semitones, semitones)))
        start = jax.random.randint(key, (), 0, 2 * semitones + 1)
        return jax.lax.dynamic_slice(padded, (0, start), roll.shape)

    return jax.vmap(one)


def strokes(most: float) -> Change:
    """apply(keys [B], strokes [B, T, 3]): both directions longer or shorter by up to
    the share `most`, and noise of one unit on whole offsets: so they have a density.

    Ha & Eck 2017, arXiv:1704.03477 (there 0.1); each step draws its own noise, so that
    padding changes none.
    """

    def one(key: jax.Array, values: jax.Array):
        keys = keys_of(key, jnp.arange(len(values)))
        noise = jax.vmap(
            lambda k: jax.random.uniform(k, (2,), minval=-0.5, maxval=0.5)
        )(keys)
        factor = jax.random.uniform(key, (2,), minval=1 - most, maxval=1 + most)
        ways = factor * values[:, :2] + noise
        return jnp.concatenate([ways, values[:, 2:]], -1)

    return jax.vmap(one)


def make(flip: bool, shift: int, binarize: str) -> Change:
    """Returns apply(keys [B], images uint8 [B, H, W, C]) -> float32 in [-1, 1].

    `flip`: mirror half of the images; `shift`: move by up to so many pixels, edges
    repeated; `binarize`: 'none' | 'dynamic' (x ~ Bernoulli(grey)) | 'threshold'.
    """
    stages = []
    if flip:
        stages.append(_flip)
    if shift:
        stages.append(lambda key, x: _shift(key, x, shift))
    stages.append(BINARIZE[binarize])

    def one(key: jax.Array, image: jax.Array):
        x = from_uint8(image)
        for number, stage in enumerate(stages):
            x = stage(jax.random.fold_in(key, number), x)
        return x

    return jax.vmap(one)


def _flip(key: jax.Array, x: jax.Array):
    return jnp.where(jax.random.bernoulli(key), x[:, ::-1], x)


def _shift(key: jax.Array, x: jax.Array, most: int):
    padded = jnp.pad(x, ((most, most), (most, most), (0, 0)), mode='edge')
    start = jax.random.randint(key, (2,), 0, 2 * most + 1)
    return jax.lax.dynamic_slice(padded, (*start, 0), x.shape)


def _dynamic(key: jax.Array, x: jax.Array):
    return jnp.where(jax.random.uniform(key, x.shape) < (x + 1) / 2, 1.0, -1.0)


BINARIZE = {
    'none': lambda key, x: x,
    'dynamic': _dynamic,
    'threshold': lambda key, x: jnp.where(x >= 0, 1.0, -1.0),
}
