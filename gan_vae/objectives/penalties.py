"""Penalties on the gradient of a discriminator in its images.

  one-centred    lambda E (|grad D(y)| - 1)^2      WGAN-GP, DRAGAN: where y is differs
  zero-centred   gamma/2 E |grad D(y)|^2           R1: y real; R2: y generated
  of power 6     lambda E |grad D(y)|^6            MA-GP: y real, with its condition

`logits(images [B, ...]) -> [B]`, or [B, P] of patches, whose mean is D(y); |.| over all
axes of an image, E over the batch. In a discriminator with BatchNorm, D(y) depends on
the whole batch and so does its gradient: the formulas are of a network without it.
Gulrajani et al. 2017, arXiv:1704.00028; Kodali et al. 2017, arXiv:1705.07215; Mescheder
et al. 2018, arXiv:1801.04406.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp

Logits = Callable[[jax.Array], jax.Array]


def wgan_gp(
    logits: Logits, real: jax.Array, fake: jax.Array, mix: jax.Array, weight: float
) -> jax.Array:
    """lambda E (|grad D(y)| - 1)^2 at y = a x + (1 - a) G(z), a = `mix` [B] in [0, 1].

    Gulrajani et al. 2017, arXiv:1704.00028, equation 3: one a for each image.
    """
    mix = mix.reshape(-1, *[1] * (real.ndim - 1))
    return _one_centred(logits, mix * real + (1 - mix) * fake, weight)


def dragan(
    logits: Logits, real: jax.Array, noise: jax.Array, weight: float
) -> jax.Array:
    """lambda E (|grad D(x + noise)| - 1)^2, `noise` like the real images.

    Kodali et al. 2017, arXiv:1705.07215, equation 3 with k = 1.
    """
    return _one_centred(logits, real + noise, weight)


def dragan_noise(uniform: jax.Array, mix: jax.Array, real: jax.Array) -> jax.Array:
    """a/2 std(x) u: u = `uniform` like the images in [0, 1], a = `mix` [B] in [0, 1].

    As the authors draw it, except that the deviation is each image's own, where they
    take one of the batch: so it is the same on any number of devices.
    """
    axes = tuple(range(1, real.ndim))
    mix = mix.reshape(-1, *[1] * len(axes))
    return 0.5 * mix * jnp.std(real, axis=axes, keepdims=True) * uniform


def r1(logits: Logits, real: jax.Array, gamma: float) -> jax.Array:
    """R1 = gamma / 2 * E_x |grad_x D(x)|^2, at real images (not augmented).

    Sum over pixels, mean over the batch. Mescheder et al. 2018, arXiv:1801.04406,
    equation 9.
    """
    return 0.5 * gamma * jnp.mean(_squared_norm(logits, real))


def ma_gp(logits: Logits, real: jax.Array, weight: float) -> jax.Array:
    """lambda E |grad_x D(x, c)|^6, x with its own condition c: the matching-aware
    penalty of Tao et al. 2020, arXiv:2008.05865, who have lambda = 2.

    Theirs adds the gradient in a frozen c. A c that is learned could escape that by its
    own scale, and so it is left out.
    """
    return weight * jnp.mean(_squared_norm(logits, real) ** 3)


def r2(logits: Logits, fake: jax.Array, gamma: float) -> jax.Array:
    """R2: as R1, at generated images. The same, equation 10."""
    return r1(logits, fake, gamma)


def _one_centred(logits: Logits, images: jax.Array, weight: float):
    squared = _squared_norm(logits, images)
    # sqrt has no gradient at 0: there, take the subgradient 0, as at a new zero critic
    zero = squared == 0
    norm = jnp.where(zero, 0.0, jnp.sqrt(jnp.where(zero, 1.0, squared)))
    return weight * jnp.mean(jnp.square(norm - 1))


def _squared_norm(logits: Logits, images: jax.Array):
    """|grad D|^2 [B] at each image."""

    def total(x: jax.Array) -> jax.Array:
        each = logits(x)
        return jnp.sum(each) / (each.size // each.shape[0])

    gradient = jax.grad(total)(images)
    return jnp.sum(jnp.square(gradient), axis=tuple(range(1, images.ndim)))
