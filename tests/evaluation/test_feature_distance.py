"""Distances of unit vectors, against their closed form."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_vae.errors import UserError
from gan_vae.evaluation.feature_distance import distance
from gan_vae.extractors import Extractor, load


def _maps(params, images):
    x = jnp.asarray(images, jnp.float32)
    return {'whole': x, 'rows': x.mean(2, keepdims=True), 'features': x.mean((1, 2))}


FAKE = Extractor('fake', '', 0, 'none', {}, _maps)


@pytest.mark.parametrize('gain', [1, 7])
def test_angle_between_constant_pictures(gain):
    """|u - v|^2 = 2 - 2 cos(angle) everywhere, in both maps; lengths are no matter."""
    a = np.broadcast_to(np.float32([10, 0, 0]), (2, 4, 6, 3)).copy()
    b = np.broadcast_to(gain * np.float32([3, 4, 0]), (2, 4, 6, 3))
    expected = 2 * (2 - 2 * 0.6)
    compare = jax.jit(lambda a, b: distance(FAKE, a, b))
    np.testing.assert_allclose(compare(a, b), [expected] * 2, rtol=1e-5)
    a[1, :, :3] = [6, 8, 0]  # half of the second now points the same way
    whole = (2 - 2 * 0.6) / 2
    rows = 2 - 2 * np.dot([8, 4], [0.6, 0.8]) / np.hypot(8, 4)
    np.testing.assert_allclose(compare(a, b), [expected, whole + rows], rtol=1e-5)


def test_empty_pixels_have_finite_gradients():
    a = np.zeros((1, 2, 2, 3), np.float32)
    b = np.full((1, 2, 2, 3), 5.0, np.float32)
    total = jax.jit(jax.value_and_grad(lambda a: distance(FAKE, a, b).sum()))
    value, gradient = total(a)
    np.testing.assert_allclose(value, 2, rtol=1e-5)
    assert np.isfinite(gradient).all()


def test_grows_with_noise_and_is_named_after_its_extractor():
    extractor = load('random')
    draw = np.random.default_rng(0)
    a = np.full((1, 32, 32, 3), 128, np.uint8)
    a[:, 8:24, 8:24] = [200, 40, 40]
    noisy = [
        np.clip(a + draw.normal(0, s, a.shape), 0, 255).astype(np.uint8)
        for s in (0, 5, 20, 60)
    ]
    found = [float(distance(extractor, a, b)[0]) for b in noisy]
    assert found[0] == 0 and found == sorted(found) and found[-1] > 3 * found[1]


def test_extractor_without_maps_is_refused():
    with pytest.raises(UserError, match="'pixels' has no maps"):
        distance(load('pixels'), np.zeros((1, 4, 4, 3)), np.zeros((1, 4, 4, 3)))
