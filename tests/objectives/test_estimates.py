"""First estimates by filters, against scipy's transforms and sparse solver."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import fft

from gan_vae.art import filters
from gan_vae.objectives import damage, estimates

RANDOM = np.random.default_rng(0)
NOISE = 25 / damage.UNIT


def scene(height=40, width=48):
    """float32 [H, W, 3] in [-1, 1]: slopes, an edge, a thin line."""
    y, x = np.mgrid[:height, :width]
    picture = np.stack([x / width, y / height, 0.3 + 0.2 * np.sin(x / 5)], -1)
    picture[10:25, 12:30] = (0.9, 0.2, 0.3)
    picture[::11, :, 1] = 0.9
    return np.float32(2 * picture - 1)


def test_noise_is_taken_away_by_every_block():
    """Each block of 8 x 8 x 3 by itself, and their weighted mean."""
    y = scene(13, 18) + np.float32(NOISE * RANDOM.normal(size=(13, 18, 3)))
    padded = np.pad(y, [(8, 8), (8, 8), (0, 0)], 'symmetric')
    total, weights = np.zeros_like(padded), np.zeros_like(padded)
    for top in range(padded.shape[0] - 7):
        for left in range(padded.shape[1] - 7):
            at = np.s_[top : top + 8, left : left + 8]
            numbers = fft.dctn(padded[at], norm='ortho')
            kept = np.abs(numbers) > estimates.THRESHOLD * NOISE
            kept[0, 0] = True
            total[at] += fft.idctn(numbers * kept, norm='ortho') / kept.sum()
            weights[at] += 1 / kept.sum()
    wanted = (total / weights)[8:-8, 8:-8]
    np.testing.assert_allclose(estimates.denoised(y, NOISE), wanted, atol=1e-5)


@pytest.mark.parametrize('radius, deviation', [(0.8, 0.05), (2.0, 0.01)])
def test_what_is_left_of_a_blur_is_as_large_as_the_noise(radius, deviation):
    x, kernel = jnp.array(scene()), damage.gaussian(radius)
    y = damage.blurred(x, radius)
    y += deviation * jax.random.normal(jax.random.key(0), y.shape)
    sharp = estimates.deblurred(y, kernel, deviation)
    again = damage.blurred(sharp, radius)
    inside = np.s_[9:-9, 9:-9]  # edges are repeated there, and mirrored here
    left = float(jnp.sqrt(jnp.mean((again - y)[inside] ** 2)))
    assert 0.85 * deviation < left < 1.15 * deviation
    error = [float(jnp.mean((a - x)[inside] ** 2)) for a in (sharp, y)]
    assert error[0] < error[1]


@pytest.mark.parametrize('hole', ['box', 'pixels'])
def test_a_hole_is_filled_as_a_sparse_solver_fills_it(hole):
    x, mask = scene(), np.ones((40, 48, 1), np.float32)
    if hole == 'box':
        mask[8:28, 10:34] = 0
    else:
        mask[RANDOM.random((40, 48)) < 0.7] = 0
    found = np.asarray(estimates.filled(x * mask, mask))
    np.testing.assert_allclose(found, filters.filled(x, mask[..., 0] == 0), atol=0.02)
    np.testing.assert_array_equal(found[mask[..., 0] > 0], x[mask[..., 0] > 0])


def test_a_picture_alone_has_the_estimate_that_it_has_in_a_batch():
    x = scene()
    noisy = np.clip(x + np.float32(NOISE * RANDOM.normal(size=x.shape)), -1, 1)
    whole, hole = np.ones((40, 48, 1), np.float32), np.ones((40, 48, 1), np.float32)
    hole[10:20, 10:20] = 0
    blurred = np.asarray(damage.blurred(jnp.array(x), 1.0))
    cases = [
        (noisy, whole, damage.told(noise=25)),
        (noisy, whole, damage.told()),
        (blurred, whole, damage.told(blur=1.0)),
        (x * hole, hole, damage.told()),
        (x, whole, damage.told(quality=30)),
    ]
    together = estimates.of(*(np.stack(a) for a in zip(*cases, strict=True)))
    for case, of_batch in zip(cases, together, strict=True):
        apart = np.abs(filters.estimate(*case) - of_batch)
        assert apart.mean() < 2e-3 and apart.max() < 0.05
    np.testing.assert_allclose(together[-1], x, atol=1e-6)  # nothing is known of noise
    error = [float(np.mean((a - x) ** 2)) for a in (*together[:2], noisy)]
    assert max(error[:2]) < error[2] / 3
    jitted = jax.jit(estimates.of)(*(np.stack(a) for a in zip(*cases, strict=True)))
    np.testing.assert_allclose(jitted, together, atol=1e-3)
