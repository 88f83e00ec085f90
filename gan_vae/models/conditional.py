"""Layers through which a class, or the rest of the batch, is seen.

Conditional BatchNorm: gain(y) x + bias(y) of the normalised x. By class, a row of two
tables (Dumoulin et al. 2016, arXiv:1610.07629; de Vries et al. 2017, arXiv:1707.00683).
By vector, gain = 1 + A c and bias = B c (Brock et al. 2018, arXiv:1809.11096), with c a
class embedding shared by all layers beside a chunk of z.

Minibatch standard deviation (Karras et al. 2017, arXiv:1710.10196): one more channel,

    s = mean over places and channels of sqrt(var over the group + 1e-8).
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax.numpy as jnp
from flax import linen as nn
from jax import lax

from gan_vae.errors import UserError
from gan_vae.models import layers


class BatchNorm(nn.Module):
    """flax's, but for the gain and bias [B, C] of each image of x [B, H, W, C].

    All statistics follow from the sums of each image, and so do all gradients: neither
    x nor dy is read once for the batch and once more for the image.
    """

    use_running_average: bool
    momentum: float = 0.99
    epsilon: float = 1e-5
    axis_name: str | None = None
    dtype: Any = None

    @nn.compact
    def __call__(self, x, gain, bias):
        channels = x.shape[-1:]
        running_mean = self.variable('batch_stats', 'mean', jnp.zeros, channels)
        running_var = self.variable('batch_stats', 'var', jnp.ones, channels)
        wide = x.astype(jnp.float32)
        if self.use_running_average:
            mean, var = running_mean.value, running_var.value
        else:
            of_images = jnp.mean(wide, (1, 2)), jnp.mean(jnp.square(wide), (1, 2))
            mean, square = (jnp.mean(m, 0) for m in of_images)
            if self.axis_name and not self.is_initializing():
                mean, square = lax.pmean((mean, square), self.axis_name)
            var = jnp.maximum(0, square - jnp.square(mean))
            if not self.is_initializing():
                for running, now in (running_mean, mean), (running_var, var):
                    running.value += (1 - self.momentum) * (now - running.value)
        gain = gain * lax.rsqrt(var + self.epsilon)
        bias = bias - gain * mean
        y = wide * gain[:, None, None] + bias[:, None, None]
        return y.astype(self.dtype or x.dtype)


class ClassBatchNorm(nn.Module):
    """x [B, H, W, C], label int [B]: BatchNorm with a gain and a bias for each class.

    `norm` makes the `BatchNorm`. The tables start at 1 and 0.
    """

    classes: int
    norm: Callable

    @nn.compact
    def __call__(self, x, label):
        table = partial(layers.Embed, self.classes, x.shape[-1])
        gain = table(nn.initializers.ones, name='gain')(label)
        bias = table(nn.initializers.zeros, name='bias')(label)
        return self.norm()(x, gain, bias)


class VectorBatchNorm(nn.Module):
    """x [B, H, W, C], c [B, D]: BatchNorm of gain 1 + A c and bias B c.

    `norm` makes the `BatchNorm`, `dense` the maps A and B.
    """

    norm: Callable
    dense: Callable = layers.Dense

    @nn.compact
    def __call__(self, x, c):
        gain = 1 + self.dense(x.shape[-1], use_bias=False, name='gain')(c)
        bias = self.dense(x.shape[-1], use_bias=False, name='bias')(c)
        return self.norm()(x, gain, bias)


def minibatch_stddev(x, group: int, axis_name: str | None = None):
    """x [B, H, W, C] -> [B, H, W, C + 1], with s of each row's group.

    Groups are of every n-th row of the global batch, n the number of groups, which lies
    in order over the devices of `axis_name`: each device has a part of each group, or
    several whole devices have one row of each, and the number of devices changes
    nothing. UserError where groups do not fit.
    """
    rows, *shape = x.shape
    devices = 1 if axis_name is None else lax.axis_size(axis_name)
    groups = rows * devices // group
    if groups * group != rows * devices or (rows % groups and groups % rows):
        raise UserError(
            f'minibatch stddev: {rows} images on each of {devices} device(s) do not '
            f'make groups of {group}: change config.data.batch_size or the devices'
        )
    spread = max(1, groups // rows)  # devices over which a row of all groups lies
    parts = x.reshape(-1, min(groups, rows), *shape).astype(jnp.float32)

    def mean(x):
        x = jnp.mean(x, axis=0)
        if devices == spread:
            return x
        of = [list(range(i, devices, spread)) for i in range(spread)]
        return lax.pmean(x, axis_name, axis_index_groups=of)

    deviation = jnp.sqrt(mean(jnp.square(parts - mean(parts))) + 1e-8)
    s = jnp.mean(deviation, axis=(1, 2, 3)).astype(x.dtype)
    s = jnp.tile(s, parts.shape[0])[:, None, None, None]
    return jnp.concatenate([x, jnp.broadcast_to(s, (*x.shape[:3], 1))], axis=-1)
