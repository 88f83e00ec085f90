"""Residual network from picture to picture, and where its features are.

    conv7 C, conv3 2C and 4C of stride 2, residual blocks of 4C, transposed conv3 2C and
    C of stride 2, conv7, tanh

edges mirrored, each image normalised by itself without gain and bias, ReLU. Zhu et al.
2017, arXiv:1703.10593 (CycleGAN), who take 9 blocks for 256 pixels and 6 for 128. In
place of strides, `resnet_smooth` halves and doubles images by filters, as CUT does, so
that no grid of the strides is left in flat areas.
`features` are those that Park et al. 2020, arXiv:2007.15651 (CUT) compare: the pixels,
what the first layer and both of stride 2 make of them, and the middle block.
"""

from typing import Any

import jax.numpy as jnp
from flax import linen as nn

from gan_vae.models import resampling

NETWORKS = {
    'translator': {'resnet': ('ResNet', {}), 'resnet_smooth': ('SmoothResNet', {})}
}

_INIT = nn.initializers.normal(0.02)


class ResNet(nn.Module):
    """images [B, S, S, C] -> [B, S, S, channels] in [-1, 1]; S a multiple of 4."""

    channels: int = 3
    width: int = 64
    blocks: int = 6
    dtype: Any = None

    def setup(self):
        w, shared = self.width, {'kernel_init': _INIT, 'dtype': self.dtype}
        valid = {'padding': 'VALID', **shared}
        self.first = nn.Conv(w, (7, 7), **valid)
        self.downs = [self.half_layer(n * w, shared) for n in (2, 4)]
        self.inner = [nn.Conv(4 * w, (3, 3), **valid) for _ in range(2 * self.blocks)]
        self.ups = [self.double_layer(n * w, shared) for n in (2, 1)]
        self.last = nn.Conv(self.channels, (7, 7), **valid)

    def half_layer(self, channels: int, shared: dict) -> nn.Module:
        around = ((1, 1), (1, 1))
        return nn.Conv(channels, (3, 3), strides=2, padding=around, **shared)

    def double_layer(self, channels: int, shared: dict) -> nn.Module:
        around = ((1, 2), (1, 2))  # a pixel is at the middle of the four that it makes
        return nn.ConvTranspose(channels, (3, 3), (2, 2), padding=around, **shared)

    def halved(self, layer, h):
        """Features [B, h/2, w/2, C] of features [B, h, w, I]."""
        return nn.relu(_normed(layer(h)))

    def doubled(self, layer, h):
        """Features [B, 2h, 2w, C] of features [B, h, w, I]."""
        return nn.relu(_normed(layer(h)))

    def encode(self, x, blocks: int) -> list:
        """The maps of the first layers, and of so many blocks."""
        h = nn.relu(_normed(self.first(_mirrored(x, 3))))
        maps = [x, h]
        for layer in self.downs:
            h = self.halved(layer, h)
            maps.append(h)
        for number in range(blocks):
            r = nn.relu(_normed(self.inner[2 * number](_mirrored(h, 1))))
            h = h + _normed(self.inner[2 * number + 1](_mirrored(r, 1)))
            maps.append(h)
        return maps

    def features(self, x) -> list:
        """Maps [B, h, w, C] of images, from the pixels to the middle block."""
        maps = self.encode(x, self.blocks // 2)
        return [*maps[:4], maps[-1]]

    def __call__(self, x):
        h = self.encode(x, self.blocks)[-1]
        for layer in self.ups:
            h = self.doubled(layer, h)
        return nn.tanh(self.last(_mirrored(h, 3)).astype(jnp.float32))


class SmoothResNet(ResNet):
    """A ResNet with as many parameters that halves and doubles by filters."""

    def half_layer(self, channels: int, shared: dict) -> nn.Module:
        return nn.Conv(channels, (3, 3), padding='VALID', **shared)

    double_layer = half_layer

    def halved(self, layer, h):
        h = nn.relu(_normed(layer(_mirrored(h, 1))))
        return resampling.down(_mirrored(h, 2))[:, 1:-1, 1:-1]

    def doubled(self, layer, h):
        h = resampling.up(_mirrored(h, 1))[:, 1:-1, 1:-1]
        return nn.relu(_normed(layer(h)))


def _mirrored(x, most: int):
    return jnp.pad(x, ((0, 0), (most, most), (most, most), (0, 0)), 'reflect')


def _normed(x):
    """Each channel of each image with mean 0 and variance 1."""
    wide = x.astype(jnp.float32)
    mean = jnp.mean(wide, (1, 2), keepdims=True)
    variance = jnp.var(wide, (1, 2), keepdims=True)
    return ((wide - mean) / jnp.sqrt(variance + 1e-5)).astype(x.dtype)
