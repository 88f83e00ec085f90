"""What happens to a batch on the device before a method sees it."""

import jax
import jax.numpy as jnp
import numpy as np

from gan_vae.data import augment
from gan_vae.images import from_uint8

KEYS = jax.random.split(jax.random.key(0), 400)


def picture(n=400):
    one = np.random.default_rng(0).integers(0, 256, (8, 8, 1), np.uint8)
    return np.broadcast_to(one, (n, 8, 8, 1))


def test_nothing_asked_is_only_the_scale():
    out = augment.make(False, 0, 'none')(KEYS, picture())
    np.testing.assert_array_equal(out, from_uint8(picture()))


def test_flip_mirrors_about_half():
    x = from_uint8(picture())
    out = np.asarray(augment.make(True, 0, 'none')(KEYS, picture()))
    same = (out == x).all((1, 2, 3))
    mirrored = (out == x[:, :, ::-1]).all((1, 2, 3))
    assert (same ^ mirrored).all() and 150 < same.sum() < 250


def test_shift_moves_by_every_allowed_offset_and_repeats_edges():
    out = np.asarray(augment.make(False, 1, 'none')(KEYS, picture()))
    padded = np.pad(from_uint8(picture(1))[0], ((1, 1), (1, 1), (0, 0)), mode='edge')
    views = [padded[i : i + 8, j : j + 8] for i in range(3) for j in range(3)]
    counts = [sum((o == v).all() for o in out) for v in views]
    assert sum(counts) == 400 and min(counts) > 20


def test_binarised_pixels_are_bernoulli_of_the_grey():
    out = augment.make(False, 0, 'dynamic')(KEYS, picture())
    assert set(np.unique(out)) == {-1.0, 1.0}
    grey = picture(1)[0] / 255
    error = np.abs(np.mean(np.asarray(out) == 1, axis=0) - grey)
    assert error.max() < 5 * 0.5 / np.sqrt(400)
    cut = augment.make(False, 0, 'threshold')(KEYS, picture())
    np.testing.assert_array_equal(cut[0] == 1, picture(1)[0] >= 128)


def test_an_example_meets_the_same_fate_in_any_batch():
    apply = augment.make(True, 2, 'dynamic')
    whole = apply(KEYS, picture())
    part = apply(KEYS[100:103], picture(3))
    np.testing.assert_array_equal(whole[100:103], jnp.asarray(part))
