"""Sliced Wasserstein distance between patches of two sets of pictures (SWD).

    SWD = 1000 mean_u W_1(u.P, u.Q),    W_1(a, b) = int_0^1 |F_a^-1(t) - F_b^-1(t)| dt

for unit directions u, at each level of a Laplacian pyramid: P and Q are 7x7 patches of
reals and fakes, each set normalised to mean 0 and deviation 1 by channel. Levels halve
until the next would be below 16 pixels; the last is the blurred picture itself.

Karras et al. 2018, arXiv:1710.10196. It needs no network. One thing differs: the places
of the patches are drawn once per level and serve all pictures of both sets (the paper
draws them anew for each), so that the order of the pictures cannot matter.
"""

import numpy as np
from scipy import ndimage

from gan_vae import arrays
from gan_vae.errors import UserError
from gan_vae.evaluation.metrics import LOWER, SampleMetric

_TAPS = np.array([1, 4, 6, 4, 1], np.float32) / 16
_SIDE = 7  # of a patch
_COARSEST = 16  # pixels of the shorter side


def _blur(images, gain=1):
    for axis in (1, 2):
        images = ndimage.correlate1d(images, gain * _TAPS, axis, mode='mirror')
    return images


def _up(images, height, width):
    zeros = np.zeros((len(images), height, width, images.shape[3]), np.float32)
    zeros[:, ::2, ::2] = images
    return _blur(zeros, gain=2)  # a quarter of the pixels are not 0


def pyramid(images) -> list[np.ndarray]:
    """Laplacian pyramid of images [n, H, W, C], finest first; float32.

    Odd sides halve upwards. Each level plus the upsampled rest gives the picture back.
    """
    levels, images = [], np.asarray(images, np.float32)
    while (min(images.shape[1:3]) + 1) // 2 >= _COARSEST:
        half = _blur(images)[:, ::2, ::2]
        levels.append(images - _up(half, *images.shape[1:3]))
        images = half
    return [*levels, images]


def _patches(images, places):
    """Normalised patches [n p, 49 C] at places [p, 2] of images [n, H, W, C]."""
    channels = images.shape[3]
    parts = [images[:, y : y + _SIDE, x : x + _SIDE] for y, x in places]
    parts = np.stack(parts, axis=1).reshape(-1, _SIDE**2, channels)
    parts -= parts.mean((0, 1), np.float64).astype(np.float32)
    deviation = np.sqrt(np.square(parts).mean((0, 1), np.float64))
    # A flat channel stays at 0: there is nothing to normalise but rounding.
    scale = np.where(deviation > 1e-4, 1 / np.maximum(deviation, 1e-4), 0)
    parts *= scale.astype(np.float32)
    return parts.reshape(len(parts), -1)


def wasserstein(a, b) -> np.ndarray:
    """W_1 between rows of a [k, n] and b [k, m]: [k] float64, exact for any n, m."""
    a, b = np.sort(a), np.sort(b)
    n, m = a.shape[1], b.shape[1]
    if n == m:
        return np.abs(a - b).mean(1, np.float64)
    # Both quantile functions are constant between these multiples of 1 / (n m).
    edges = np.union1d(np.arange(n) * m, np.arange(m) * n)
    weights = np.diff(edges, append=n * m) / (n * m)
    return np.abs(a[:, edges // m] - b[:, edges // n]) @ weights


def swd(
    real, fake, seed: int = 0, patches: int = 128, directions: int = 128
) -> dict[str, float]:
    """{'swd_<shorter side>': each level, 'swd': their mean}, times 1000.

    Uint8 images [n, H, W, C] and [m, H, W, C]; n and m may differ, as quantiles are
    compared. `patches` places a level (all places where there are no more), drawn from
    the seed as the directions are. The order of pictures changes rounding only. Memory:
    400 C bytes for each patch of each picture. A UserError for sets of different
    pictures, anything but uint8, or pictures below 7 pixels.
    """
    real = arrays.pictures(real, 'pictures of the reference')
    shape = real.shape[1:]
    fake = arrays.pictures(fake, 'samples', shape)
    if min(shape[:2]) < _SIDE:
        raise UserError(f'SWD takes {_SIDE}x{_SIDE} patches: {shape} is too small')
    values = {}
    levels = zip(pyramid(real), pyramid(fake), strict=True)
    for index, (of_real, of_fake) in enumerate(levels):
        random = np.random.default_rng([seed, index])
        height, width = of_real.shape[1:3]
        every = np.argwhere(np.ones((height - _SIDE + 1, width - _SIDE + 1)))
        count = min(patches, len(every))
        places = random.choice(every, count, replace=False)
        of_real, of_fake = _patches(of_real, places), _patches(of_fake, places)
        toward = random.standard_normal((directions, of_real.shape[1]))
        toward /= np.linalg.norm(toward, axis=1, keepdims=True)
        # Few directions at a time: the projections of all patches are sorted at once.
        groups = np.split(toward.astype(np.float32), range(32, directions, 32))
        each = [wasserstein(u @ of_real.T, u @ of_fake.T) for u in groups]
        values[f'swd_{min(height, width)}'] = 1e3 * float(np.concatenate(each).mean())
    return {**values, 'swd': float(np.mean(list(values.values())))}


METRIC = SampleMetric(
    needs='images',
    compute=lambda real, fake, held_out, seed, **options: swd(
        real, fake, seed, **options
    ),
    gives={'swd': LOWER},
    options={'patches': 128, 'directions': 128},
    equal_sizes=True,
)
