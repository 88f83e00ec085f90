"""Path length: the squared speed of a linear generator, in closed form."""

import numpy as np
import pytest

from gan_vae.errors import UserError
from gan_vae.evaluation.path_length import lerp, mean_path_length, path_length, slerp

RANDOM = np.random.default_rng(0)
WEIGHTS = RANDOM.standard_normal((5, 48))
Z0, Z1 = RANDOM.standard_normal((2, 6, 5))
T = RANDOM.random(6)


def generate(z):
    return (z @ WEIGHTS).reshape(-1, 4, 4, 3)


def squared(a, b):
    return np.sum((a - b) ** 2, axis=(1, 2, 3))


@pytest.mark.parametrize('epsilon', [1e-1, 1e-4])
def test_along_a_line_it_is_the_square_of_the_difference(epsilon):
    found = path_length(generate, squared, Z0, Z1, T, epsilon)
    np.testing.assert_allclose(found, squared(generate(Z0), generate(Z1)), rtol=1e-8)


def test_along_an_arc_it_is_the_square_of_the_derivative():
    """z'(t) = angle (cos(t angle) b - cos((1 - t) angle) a) / sin(angle)."""
    unit = [z / np.linalg.norm(z, axis=1, keepdims=True) for z in (Z0, Z1)]
    angle = np.arccos(np.sum(unit[0] * unit[1], 1))
    of_a, of_b = np.cos((1 - T) * angle), np.cos(T * angle)
    speed = (angle / np.sin(angle))[:, None] * (of_b[:, None] * Z1 - of_a[:, None] * Z0)
    found = path_length(generate, squared, Z0, Z1, T, interpolate=slerp)
    np.testing.assert_allclose(found, squared(generate(speed), 0), rtol=2e-3)


def test_an_arc_keeps_length_and_parts_its_angle_evenly():
    a, b = np.eye(3)[:1], np.eye(3)[1:2]
    middle = slerp(a, b, np.array([1 / 3]))
    np.testing.assert_allclose(middle, [[np.sqrt(3) / 2, 0.5, 0]], atol=1e-15)
    for at, end in ((0.0, Z0), (1.0, Z1)):
        np.testing.assert_allclose(slerp(Z0, Z1, np.full(6, at)), end, atol=1e-14)


@pytest.mark.parametrize('scale', [0.0, 1.0, -1.0, 3.0])
def test_without_an_arc_slerp_is_lerp(scale):
    np.testing.assert_allclose(slerp(Z0, scale * Z0, T), lerp(Z0, scale * Z0, T))


def test_mean_leaves_out_the_ends():
    """Of 0..1000, percentiles 1 and 99 are 10 and 990, and stay in."""
    lengths = np.arange(1001.0)
    lengths[-1] = 1e9
    assert mean_path_length(RANDOM.permutation(lengths)) == 500
    assert mean_path_length([2.0, 4.0], 0, 100) == 3
    # Between two lengths each end is the one outward: both of them stay.
    assert mean_path_length([2.0, 4.0]) == 3


def test_bytes_are_refused():
    with pytest.raises(UserError, match='uint8 pictures'):
        path_length(lambda z: generate(z).astype(np.uint8), squared, Z0, Z1, T)
