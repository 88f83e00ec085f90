"""DiffAugment: ranges, identity, gradients, each image its own draw."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_vae.objectives import augment

KEYS = jax.random.split(jax.random.key(0), 2000)


def images(size=16, n=2000):
    return jnp.broadcast_to(
        jax.random.uniform(jax.random.key(1), (size, size, 3)), (n, size, size, 3)
    )


def test_no_policy_is_identity():
    x = images(n=3)
    np.testing.assert_array_equal(augment.make('')(KEYS[:3], x), x)


def test_brightness_is_the_shift_of_the_mean():
    x = images()
    means = augment.make('color')(KEYS, x).mean((1, 2, 3)) - x[0].mean()
    assert -0.5 <= means.min() < -0.48 and 0.48 < means.max() <= 0.5


def test_contrast_scales_the_deviation():
    grey = jnp.broadcast_to(
        images()[..., :1], images().shape
    )  # saturation does nothing
    out = augment.make('color')(KEYS, grey)
    ratio = out.std((1, 2, 3)) / grey[0].std()
    assert 0.499 < ratio.min() < 0.51 and 1.49 < ratio.max() < 1.501


def test_translation_covers_the_eighth_with_zeros():
    x = images()
    out = np.asarray(augment.make('translation')(KEYS, x))
    padded = np.pad(np.asarray(x[0]), ((2, 2), (2, 2), (0, 0)))
    counts = [
        sum((o == padded[i : i + 16, j : j + 16]).all() for o in out)
        for i in range(5)
        for j in range(5)
    ]
    assert sum(counts) == 2000 and min(counts) > 40


def test_consistencys_shift_mirrors_edges_and_its_flip_takes_half():
    x = images(n=400)
    padded = np.pad(np.asarray(x[0]), ((2, 2), (2, 2), (0, 0)), mode='reflect')
    places = [padded[i : i + 16, j : j + 16] for i in range(5) for j in range(5)]
    moved = np.asarray(augment.make('shift')(KEYS[:400], x))
    assert all(any((m == p).all() for p in places) for m in moved)
    flipped = np.asarray(augment.make('flip')(KEYS[:400], x))
    same = (flipped == np.asarray(x)).all((1, 2, 3))
    assert 160 < same.sum() < 240
    np.testing.assert_array_equal(flipped[~same], np.asarray(x)[~same][:, :, ::-1])


def test_cutout_zeros_half_a_side_around_any_centre():
    out = np.asarray(augment.make('cutout')(KEYS, images() + 1.0))
    holes = (out == 0).all(-1)
    assert holes.sum((1, 2)).max() == 8 * 8
    assert holes.any(1).sum(1).min() >= 4 and holes.mean(0).min() > 0.05
    kept = out[~holes]
    assert (kept >= 1).all()


def test_a_small_cutout_is_of_a_fifth():
    out = np.asarray(augment.make('small_cutout')(KEYS[:500], images(20, 500) + 1.0))
    assert (out == 0).all(-1).sum((1, 2)).max() == 4 * 4


def test_gradient_goes_through_every_stage():
    transform = augment.make('color,translation,cutout')
    x = images(n=8)
    gradient = jax.grad(lambda x: jnp.sum(transform(KEYS[:8], x) ** 2))(x)
    assert np.isfinite(gradient).all() and (np.abs(gradient).sum((1, 2, 3)) > 0).all()


@pytest.mark.slow
def test_an_image_is_augmented_alike_in_any_batch():
    transform, x = augment.make('color,translation,cutout'), images(n=10)
    np.testing.assert_allclose(
        transform(KEYS[4:6], x[4:6]), transform(KEYS[:10], x)[4:6], atol=1e-6
    )
