"""Sliced Wasserstein distance: exact on a line; sees what it should, ignores order."""

import numpy as np
import pytest
from scipy import stats

from gan_vae.errors import UserError
from gan_vae.evaluation.metrics import swd as module
from gan_vae.evaluation.metrics.swd import swd


def pictures(n, height=32, width=32, channels=3, seed=0):
    """Soft blobs: uint8, with structure at every scale."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / max(height, width)
    centre = random.random((2, n, 1, 1))
    blob = np.exp(-20 * ((y - centre[0]) ** 2 + (x - centre[1]) ** 2))
    tint = random.uniform(60, 250, (n, 1, 1, channels))
    noise = random.normal(0, 3, (n, height, width, channels))
    return np.clip(blob[..., None] * tint + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize('n, m', [(20, 20), (20, 30), (7, 30), (1, 5)])
def test_distance_on_a_line_is_scipys(n, m):
    random = np.random.default_rng(0)
    a, b = random.standard_normal((3, n)), random.standard_normal((3, m)) + 0.3
    a[:, 0] = b[:, 0]  # a tie between the sets
    expected = [stats.wasserstein_distance(*pair) for pair in zip(a, b, strict=True)]
    np.testing.assert_allclose(module.wasserstein(a, b), expected, rtol=1e-12)


@pytest.mark.parametrize('shape', [(32, 32, 3), (33, 50, 1), (64, 64, 1)])
def test_pyramid_adds_up_and_ends_at_sixteen(shape):
    images = pictures(2, *shape).astype(np.float32)
    levels = module.pyramid(images)
    assert 16 <= min(levels[-1].shape[1:3]) < 32
    total = levels[-1]
    for level in levels[-2::-1]:
        total = level + module._up(total, *level.shape[1:3])
    np.testing.assert_allclose(total, images, atol=1e-3)


def test_blur_keeps_flat_pictures_flat():
    flat = np.full((1, 33, 50, 1), 77, np.uint8)
    *details, rest = module.pyramid(flat)
    np.testing.assert_array_equal(rest, 77)
    assert all((level == 0).all() for level in details)
    assert swd(flat, flat + 9)['swd'] == 0  # normalised: only structure counts


@pytest.mark.parametrize(
    'shape, levels', [((32, 32, 3), {'swd_32', 'swd_16'}), ((20, 41, 1), {'swd_20'})]
)
def test_zero_for_a_set_in_another_order(shape, levels):
    images = pictures(12, *shape)
    shuffled = images[np.random.default_rng(1).permutation(12)]
    found = swd(images, shuffled, directions=32)
    assert set(found) == levels | {'swd'}
    assert max(found.values()) < 1e-3
    other = pictures(9, *shape, seed=5)
    np.testing.assert_allclose(
        list(swd(images, other, directions=32).values()),
        list(swd(shuffled, other[::-1], directions=32).values()),
        rtol=1e-5,
    )


def test_contrast_is_normalised_away():
    images = pictures(6) // 2
    assert swd(images, 2 * images, directions=32)['swd'] < 1e-3
    assert swd(images, pictures(6, seed=1), directions=32)['swd'] > 50


def test_twice_each_picture_is_the_same_set():
    images, other = pictures(10), pictures(10, seed=1)
    once = swd(images, other, directions=32)
    twice = swd(np.repeat(images, 2, 0), other, directions=32)
    np.testing.assert_allclose(list(twice.values()), list(once.values()), rtol=1e-4)


def test_grows_with_damage_and_only_the_level_that_is_hurt():
    real, other = pictures(30), pictures(30, seed=1)
    noise = np.random.default_rng(0).normal(0, 1, real.shape)
    worse = [np.clip(other + s * noise, 0, 255).astype(np.uint8) for s in (0, 6, 30)]
    values = [swd(real, fake, directions=32) for fake in worse]
    assert values[0]['swd'] < values[1]['swd'] < values[2]['swd']
    mean = np.mean([values[2]['swd_32'], values[2]['swd_16']])
    np.testing.assert_allclose(values[2]['swd'], mean)
    # Which pixel has which neighbour is what patches know beyond colours.
    mixed = other.reshape(30, -1, 3)[:, np.random.default_rng(0).permutation(1024)]
    assert swd(real, mixed.reshape(other.shape), directions=32)['swd'] > 100


def test_pure_in_the_seed():
    a, b = pictures(4), pictures(4, seed=1)
    first, again, other = (swd(a, b, seed, directions=32) for seed in (3, 3, 4))
    assert first == again != other
    turned = swd(b, a, 3, directions=32)
    np.testing.assert_allclose(turned['swd'], first['swd'], rtol=1e-6)


@pytest.mark.parametrize(
    'a, b, message',
    [
        (pictures(2), pictures(2, 16, 16), 'must have 32x32x3'),
        (pictures(2, 6, 9), pictures(2, 6, 9), 'too small'),
        (pictures(2).astype(np.float32), pictures(2), 'give uint8'),
    ],
)
def test_mistakes_are_told_in_one_line(a, b, message):
    with pytest.raises(UserError, match=message):
        swd(a, b)
