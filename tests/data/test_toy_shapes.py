"""toy_shapes: the pictures have exactly the factors they say."""

import colorsys

import numpy as np
import pytest

from gan_vae.data.readers import toy_shapes
from gan_vae.errors import UserError


def test_centre_hue_and_area_follow_the_factors():
    found = toy_shapes.examples('test[:200]', 64, 3)
    factors, images = found.factors, found.images.astype(float) / 255
    ink = np.abs(images - 0.92).sum(-1)
    ink[ink < 0.02] = 0  # the background, rounded
    y, x = np.mgrid[:64, :64] + 0.5
    total = ink.sum((1, 2))
    np.testing.assert_allclose(
        (ink * x).sum((1, 2)) / total / 64, factors['x'], atol=0.01
    )
    np.testing.assert_allclose(
        (ink * y).sum((1, 2)) / total / 64, factors['y'], atol=0.01
    )
    for i in range(20):
        centre = images[i, int(factors['y'][i] * 64), int(factors['x'][i] * 64)]
        np.testing.assert_allclose(
            centre, colorsys.hsv_to_rgb(factors['hue'][i], 0.85, 0.85), atol=0.01
        )
    disc = factors['shape'] == 1
    full = np.abs(
        np.array([colorsys.hsv_to_rgb(h, 0.85, 0.85) for h in factors['hue']]) - 0.92
    )
    area = total / full.sum(-1)
    np.testing.assert_allclose(
        area[disc], np.pi * (factors['size'][disc] * 64) ** 2, rtol=0.02
    )


def test_rotation_by_the_symmetry_angle_changes_nothing():
    one = {k: np.array([v]) for k, v in dict(hue=0.3, size=0.3, x=0.5, y=0.5).items()}
    for shape in range(3):
        turned = [
            toy_shapes.render(
                one | {'shape': np.array([shape]), 'rotation': np.array([r])}, 64, 1
            ).astype(int)
            for r in (0.0, 0.999999, 0.5)
        ]
        assert np.abs(turned[0] - turned[1]).max() <= 1
        changed = np.abs(turned[0] - turned[2]).max()
        assert changed <= 1 if shape == 1 else changed > 50


def test_splits_differ_repeat_and_are_checked():
    first = toy_shapes.examples('train[:50]', 16, 3).images
    np.testing.assert_array_equal(
        first, toy_shapes.examples('train[:50]', 16, 3).images
    )
    assert not np.array_equal(first, toy_shapes.examples('test[:50]', 16, 3).images)
    with pytest.raises(UserError, match='no split'):
        toy_shapes.examples('val', 16, 3)
