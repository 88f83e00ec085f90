"""Logits of patches of an image, and what its class adds to each.

A map [B, H, W, C] gives a logit for each of its windows. By class e(y).m is added, with
m the mean of the map in the window: the projection of Miyato & Koyama 2018,
arXiv:1802.05637, where they sum over all places.
"""

from functools import partial

import jax.numpy as jnp
from flax import linen as nn

from gan_vae.models import layers


def _patches(x, k, _):
    """'VALID' convolution to few channels: a product, then a sum of shifted maps."""
    h, w = (n - size + 1 for n, size in zip(x.shape[1:3], k.shape[:2], strict=True))
    parts = jnp.einsum('bhwi,yxio->yxbhwo', x, k)
    return sum(
        parts[i, j, :, i : i + h, j : j + w]
        for i in range(k.shape[0])
        for j in range(k.shape[1])
    )


class Patches(layers._Layer):
    """[B, H, W, I] -> [B, H - h + 1, W - w + 1, features]."""

    function = staticmethod(_patches)


class Projection(nn.Module):
    """e(y).m of windows of 4 by 4.

    [B, H, W, C], condition int [B] -> [B, H - 3, W - 3], float32.
    """

    classes: int
    train: bool

    @nn.compact
    def __call__(self, x, condition):
        embed = partial(layers.Embed, spectral=True, train=self.train)
        e = embed(self.classes, x.shape[-1], nn.initializers.normal(0.02))(condition)
        p = jnp.einsum('bhwc,bc->bhw', x, e.astype(x.dtype))[..., None]
        p = nn.avg_pool(p, window_shape=(4, 4), padding='VALID')
        return p[..., 0].astype(jnp.float32)
