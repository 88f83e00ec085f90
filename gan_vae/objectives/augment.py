"""Differentiable augmentation of what a discriminator sees: T(x), T(G(z)).

DiffAugment (Zhao et al. 2020, arXiv:2006.10738): colour (brightness U(-.5, .5), then
saturation times U(0, 2), then contrast times U(.5, 1.5)), translation by up to 1/8 of
the image with zeros from outside, cutout of a square of half its side, or of a fifth
(Sauer et al. 2021, arXiv:2111.01007). For consistency regularisation (Zhang et al.
2019, arXiv:1910.12027): a mirror, and a shift by up to 1/8 with the image mirrored at
its edges. Gradients go through; each image draws from its own key.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp


def make(policy: str) -> Callable[[jax.Array, jax.Array], jax.Array]:
    """'color,translation,cutout' or part of it -> augment(keys [B], images)."""
    names = [name.strip() for name in policy.split(',') if name.strip()]
    if not names:
        return lambda keys, x: x

    def one(key: jax.Array, x: jax.Array):
        for number, name in enumerate(names):
            x = AUGMENTATIONS[name](jax.random.fold_in(key, number), x)
        return x

    return jax.vmap(one)


def color(key: jax.Array, x: jax.Array):
    """Brightness, saturation and contrast of one image [H, W, C]."""
    brightness, saturation, contrast = jax.random.uniform(key, (3,))
    x = x + (brightness - 0.5)
    grey = jnp.mean(x, axis=-1, keepdims=True)
    x = grey + 2 * saturation * (x - grey)
    mean = jnp.mean(x)
    return mean + (0.5 + contrast) * (x - mean)


def translation(key: jax.Array, x: jax.Array):
    """Moves one image [H, W, C] by whole pixels; zeros come in from outside."""
    return _moved(key, x, 'constant')


def shift(key: jax.Array, x: jax.Array):
    """As translation, with the image mirrored at its edges."""
    return _moved(key, x, 'reflect')


def flip(key: jax.Array, x: jax.Array):
    """Mirrors one image in two [H, W, C]."""
    return jnp.where(jax.random.bernoulli(key), x[:, ::-1], x)


def _moved(key: jax.Array, x: jax.Array, outside: str):
    most = [round(side / 8) for side in x.shape[:2]]
    padded = jnp.pad(x, ((most[0],) * 2, (most[1],) * 2, (0, 0)), mode=outside)
    high = 2 * jnp.array(most) + 1
    start = jax.random.randint(key, (2,), 0, high)
    return jax.lax.dynamic_slice(padded, (*start, 0), x.shape)


def cutout(key: jax.Array, x: jax.Array, share: float = 0.5):
    """Zeros a square of half the side of one image [H, W, C], cut off at the edges."""
    height, width = x.shape[:2]
    size = round(height * share), round(width * share)
    # centres as in the paper's code: any pixel, plus the one past the edge if even
    high = jnp.array([height + (1 - size[0] % 2), width + (1 - size[1] % 2)])
    centre = jax.random.randint(key, (2,), 0, high)

    def outside(length: int, size: int, middle: jax.Array):
        offset = jnp.arange(length) - middle + size // 2
        return (offset < 0) | (offset >= size)

    keep = outside(height, size[0], centre[0])[:, None] | outside(
        width, size[1], centre[1]
    )
    return x * keep[..., None]


def small_cutout(key: jax.Array, x: jax.Array) -> jax.Array:
    """As cutout, of a fifth of the side: that of Projected GAN."""
    return cutout(key, x, share=0.2)


AUGMENTATIONS = {
    'color': color,
    'translation': translation,
    'cutout': cutout,
    'small_cutout': small_cutout,
    'flip': flip,
    'shift': shift,
}
