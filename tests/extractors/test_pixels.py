"""Pixels in 0..1, in row-major order."""

import numpy as np

from gan_vae.extractors import load


def test_pixels_in_order():
    extractor = load('pixels')
    images = np.arange(24, dtype=np.uint8).reshape(2, 2, 2, 3) * 10
    features = extractor.apply(extractor.params, images)['features']
    expected = np.arange(24).reshape(2, 12) * 10 / 255
    np.testing.assert_allclose(features, expected, atol=1e-7)
