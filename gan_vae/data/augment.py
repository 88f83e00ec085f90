"""On device, from a batch's uint8 images to what a method sees: float32 in [-1, 1].

Each random choice is drawn from its example's own key, so that a picture meets the same
fate on any number of devices.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from gan_vae.images import from_uint8


def make(flip: bool, shift: int, binarize: str) -> Callable:
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

    def one(key, image):
        x = from_uint8(image)
        for number, stage in enumerate(stages):
            x = stage(jax.random.fold_in(key, number), x)
        return x

    return jax.vmap(one)


def _flip(key, x):
    return jnp.where(jax.random.bernoulli(key), x[:, ::-1], x)


def _shift(key, x, most: int):
    padded = jnp.pad(x, ((most, most), (most, most), (0, 0)), mode='edge')
    start = jax.random.randint(key, (2,), 0, 2 * most + 1)
    return jax.lax.dynamic_slice(padded, (*start, 0), x.shape)


def _dynamic(key, x):
    return jnp.where(jax.random.uniform(key, x.shape) < (x + 1) / 2, 1.0, -1.0)


BINARIZE = {
    'none': lambda key, x: x,
    'dynamic': _dynamic,
    'threshold': lambda key, x: jnp.where(x >= 0, 1.0, -1.0),
}
