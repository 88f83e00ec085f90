"""Very deep VAE: residual blocks up to one pixel, groups of latents back down.

  q(z | x) = prod_l q(z_l | z_<l, x),   p(z) = prod_l p(z_l | z_<l)

up to l = L groups of Gaussians [R_l, R_l, latent_dim], from coarse to fine. With x_l
what the groups above l made, h_R the encoder's last activations of R x R pixels and
b the blocks below,

  q_l = b([x_l, h_R]);  p_l, r = b(x_l);  x = b(x_l + r + W z_l),  z_l from q_l or p_l

Child 2021, arXiv:2011.10650. The parameters of its CIFAR-10 network: 39 million.
"""

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax

from gan_vae.errors import UserError

NETWORKS = {'hierarchy': {'vdvae': ('VDVAE', {})}}

# Of nn.Conv: those of models/layers are no faster where channels are few, and of the
# hundreds here a program is made in four times the time.
BIAS_TO = 64  # pixels: above, a resolution begins without a picture of its own


class Above(NamedTuple):
    """Where a group begins: what is above it, and what that says of its latents."""

    x: jax.Array  # [B, R, R, width]
    mean: jax.Array  # of the prior [B, R, R, latent_dim]
    log_variance: jax.Array
    residual: jax.Array  # [B, R, R, width]


def encoder_blocks(text: str, image_size: int) -> list[tuple[int, int]]:
    """'32x11,32d2,16x6' -> [(resolution, factor of the pooling after it)].

    RxN: N blocks at R x R pixels; RdK: one, then means over K x K. UserError where the
    blocks do not follow from each other, beginning at the image.
    """
    key, blocks, now = 'config.model.encoder_blocks', [], image_size
    for item in text.split(','):
        res, kind, n = _item(key, text, item, 'xd')
        if res != now:
            raise UserError(
                f'{key}={text!r}: {item} where there are {now}x{now} pixels'
            )
        if kind == 'x':
            blocks += [(res, 1)] * n
        elif res % n:
            raise UserError(f'{key}={text!r}: {item}: {res} does not divide by {n}')
        else:
            blocks.append((res, n))
            now = res // n
    return blocks


def decoder_blocks(text: str, image_size: int, seen=None) -> list[tuple[int, int]]:
    """'1x1,4m1,4x2' -> [(resolution, that from which the group repeats pixels)].

    RxN: N groups at R x R pixels; RmM: one, on M x M pixels repeated. The second number
    is R within a resolution, and 0 for the first group. UserError where groups do not
    follow from each other, do not end at the image, or have a resolution that is none
    of `seen`, the encoder's.
    """
    key, blocks, now = 'config.model.decoder_blocks', [], 0
    for item in text.split(','):
        res, kind, n = _item(key, text, item, 'xm')
        if seen is not None and res not in seen:
            raise UserError(
                f'{key}={text!r}: {item}: config.model.encoder_blocks has no '
                f'{res}x{res} pixels, but {", ".join(map(str, sorted(seen)))}'
            )
        if kind == 'x':
            if now not in (0, res):
                raise UserError(
                    f'{key}={text!r}: {item} where there are {now}x{now} pixels: '
                    f'write {res}m{now} first'
                )
            blocks += [(res, res if number or now else 0) for number in range(n)]
        elif n != now or res % n or res == n:
            raise UserError(
                f'{key}={text!r}: {item} cannot repeat the {now}x{now} pixels there are'
            )
        else:
            blocks.append((res, n))
        now = res
    if now != image_size:
        raise UserError(
            f'{key}={text!r} ends at {now} pixels, and config.data.image_size is '
            f'{image_size}'
        )
    return blocks


def _item(key, text, item, kinds):
    for kind in kinds:
        res, _, n = item.strip().partition(kind)
        if res.isdecimal() and n.isdecimal() and int(res) and int(n):
            return int(res), kind, int(n)
    raise UserError(
        f'{key}={text!r}: {item!r} is not like ' + ' or '.join(f'8{k}2' for k in kinds)
    )


def _uniform(scale: float = 1.0):
    """U(-a, a) with a = sqrt(scale / inputs)."""
    return nn.initializers.variance_scaling(scale / 3, 'fan_in', 'uniform')


def _gelu(x):
    """x Phi(x), by erf: that of flax is by erfc, which costs half as much again."""
    return 0.5 * x * (1 + lax.erf(x * math.sqrt(0.5)))


class Block(nn.Module):
    """x [B, R, R, I] -> [B, R, R, features] of four convolutions, of GELU each.

    `middle` channels between them; 3x3 where there are pixels for it. `last`: factor of
    the last one's variance at the beginning.
    """

    features: int
    middle: int
    last: float = 1.0
    dtype: Any = None

    @nn.compact
    def __call__(self, x):
        size = (3, 3) if x.shape[1] > 2 else (1, 1)
        last = _uniform(self.last) if self.last else nn.initializers.zeros_init()
        for number, (features, kernel) in enumerate(
            [
                (self.middle, (1, 1)),
                (self.middle, size),
                (self.middle, size),
                (self.features, (1, 1)),
            ]
        ):
            init = last if number == 3 else _uniform()
            x = _gelu(x)
            x = nn.Conv(features, kernel, kernel_init=init, dtype=self.dtype)(x)
        return x


class Encoder(nn.Module):
    """images [B, S, S, C] -> {resolution: [B, R, R, width]}, the last at each."""

    blocks: tuple
    width: int
    middle: int
    dtype: Any = None

    @nn.compact
    def __call__(self, x):
        # pictures in [-1, 1] have a deviation of about a half
        conv = nn.Conv(self.width, (3, 3), kernel_init=_uniform(), dtype=self.dtype)
        x = conv(2 * x)
        features = {x.shape[1]: x}
        for _, pool in self.blocks:
            share = 1 / len(self.blocks)
            x = x + Block(self.width, self.middle, share, self.dtype)(x)
            if pool > 1:
                x = nn.avg_pool(x, (pool, pool), (pool, pool))
            features[x.shape[1]] = x
        return features


class Group(nn.Module):
    """One group of latents, of [R, R, latent_dim]."""

    resolution: int
    source: int
    share: float  # 1 / groups
    width: int
    middle: int
    latent_dim: int
    dtype: Any = None

    def setup(self):
        numbers, dtype = 2 * self.latent_dim, self.dtype
        self.posterior_block = Block(numbers, self.middle, dtype=dtype)
        self.prior_block = Block(numbers + self.width, self.middle, 0.0, dtype)
        init = _uniform(self.share)
        self.z_proj = nn.Conv(self.width, (1, 1), kernel_init=init, dtype=dtype)
        self.block = Block(self.width, self.middle, self.share, dtype)
        if self.source != self.resolution <= BIAS_TO:
            shape = self.resolution, self.resolution, self.width
            self.bias = self.param('bias', nn.initializers.zeros_init(), shape)

    def enter(self, x) -> Above:
        """Of what the group above made; of the batch's size if there is none."""
        r, d = self.resolution, self.latent_dim
        if not self.source:
            x = jnp.zeros((x, r, r, self.width), self.dtype)
        elif self.source < r:
            times = r // self.source
            x = jnp.repeat(jnp.repeat(x, times, 1), times, 2)
        if self.source != r <= BIAS_TO:
            x = x + self.bias.astype(x.dtype)
        found = self.prior_block(x)
        return Above(x, *_gaussian(found[..., : 2 * d]), found[..., 2 * d :])

    def posterior(self, above: Above, activations):
        """Mean and log variance [B, R, R, latent_dim]."""
        both = jnp.concatenate([above.x, activations], -1)
        return _gaussian(self.posterior_block(both))

    def leave(self, above: Above, z):
        x = above.x + above.residual + self.z_proj(z)
        return x + self.block(x)


def _gaussian(x):
    """Mean and log variance of outputs that are a mean and a log deviation."""
    mean, log_deviation = jnp.split(x.astype(jnp.float32), 2, -1)
    return mean, 2 * log_deviation


class Head(nn.Module):
    """x [B, S, S, width] -> what the likelihood takes [B, S, S, outputs], float32."""

    outputs: int
    dtype: Any = None

    @nn.compact
    def __call__(self, x):
        gain = self.param('gain', nn.initializers.ones_init(), (x.shape[-1],))
        bias = self.param('bias', nn.initializers.zeros_init(), (x.shape[-1],))
        x = x * gain.astype(x.dtype) + bias.astype(x.dtype)
        init, dtype = _uniform(), self.dtype
        x = nn.Conv(self.outputs, (1, 1), kernel_init=init, dtype=dtype)(x)
        return x.astype(jnp.float32)


class VDVAE(nn.Module):
    """A hierarchy walked group by group; Gaussians are (mean, log variance)."""

    outputs: int = 3
    image_size: int = 32
    width: int = 64
    latent_dim: int = 16  # channels of each group's latents
    encoder_blocks: str = '32x2,32d2,16x2,16d2,8x2,8d8,1x1'
    decoder_blocks: str = '1x1,8m1,8x2,16m8,16x2,32m16,32x1'
    dtype: Any = None

    def setup(self):
        down = encoder_blocks(self.encoder_blocks, self.image_size)
        middle = max(1, self.width // 4)
        self.encoder = Encoder(tuple(down), self.width, middle, self.dtype)
        self.groups = [
            Group(
                *where,
                1 / len(self.layout),
                self.width,
                middle,
                self.latent_dim,
                self.dtype,
            )
            for where in self.layout
        ]
        self.head = Head(self.outputs, self.dtype)

    @property
    def layout(self) -> list[tuple[int, int]]:
        """`decoder_blocks` of this network."""
        size = self.image_size
        down = encoder_blocks(self.encoder_blocks, size)
        seen = {size} | {r // k for r, k in down}
        return decoder_blocks(self.decoder_blocks, size, seen)

    def features(self, images):
        """What the posteriors need of images [B, S, S, C]: {resolution: array}."""
        return self.encoder(images)

    def start(self, n: int) -> Above:
        """Above the first group, for n examples."""
        return self.groups[0].enter(n)

    def posterior(self, number: int, above: Above, features):
        """q(z_l | z_<l, x), [B, R, R, latent_dim]; the prior is in `above`."""
        return self.groups[number].posterior(above, features[above.x.shape[1]])

    def descend(self, number: int, above: Above, z):
        """Above the next group; after the last, [B, S, S, width]."""
        x = self.groups[number].leave(above, z)
        after = number + 1
        return self.groups[after].enter(x) if after < len(self.groups) else x

    def out(self, x):
        """What the likelihood takes [B, S, S, outputs], float32, from the last x."""
        return self.head(x)

    def __call__(self, images):
        """Outputs, and the posteriors of the groups, with z at their means."""
        features, x, found = self.features(images), self.start(images.shape[0]), []
        for number in range(len(self.layout)):
            found.append(self.posterior(number, x, features))
            x = self.descend(number, x, found[-1][0])
        return self.out(x), found
