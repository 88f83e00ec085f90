"""The pixels themselves as features: the yardstick that any network should beat.

It answers to layout and colour, and hardly to blur or noise.
"""

import jax.numpy as jnp

from gan_vae.extractors import Extractor

EXTRACTOR = {}


def load() -> Extractor:
    """Features [n, H W C], the pixels in 0..1 in row-major order."""
    return Extractor('pixels', '', 0, 'none', {}, apply)


def apply(params, images) -> dict:
    """uint8 [n, H, W, C] -> {'features': float32 [n, H W C]}."""
    del params
    flat = jnp.reshape(jnp.asarray(images, jnp.float32), (len(images), -1))
    return {'features': flat / 255}
