"""Random features: the same bits for ever, a signal that neither fades nor grows."""

import numpy as np
import pytest

from gan_vae.extractors import load, random

NAME = 'random'


def test_weights_are_these(extractor):
    assert extractor.weights_sha256 == (
        '110570108772ef650cc53101a073d3a5cb641d5386bf411c11bcd56055afee19'
    )


def test_kernels_have_the_variance_of_he():
    for kernel in random.draw().values():
        fan_in = np.prod(kernel.shape[:3])
        np.testing.assert_allclose(kernel.var() * fan_in / 2, 1, rtol=0.15)
        assert abs(kernel).max() <= np.sqrt(6 / fan_in)


def test_golden_features_and_batches(extractor, apply, noise):
    out = apply(extractor.params, noise)
    assert out['relu3_3'].shape == (8, 16, 16, 64)
    assert out['relu5_3'].shape == (8, 4, 4, 64) and out['features'].shape == (8, 128)
    np.testing.assert_allclose(
        out['features'][0, :4], [0.002767, 0.0, 0.121529, 0.000002], atol=1e-5
    )
    np.testing.assert_allclose(out['features'][:3].mean(), 0.1749208, rtol=1e-5)
    for n in (1, 7):
        found = apply(extractor.params, noise[:n])['features']
        np.testing.assert_allclose(found, out['features'][:n], atol=1e-5)


def test_grey_images_are_repeated_to_colour(extractor, noise):
    grey = noise[:1, ..., :1]
    found, expected = (
        extractor.apply(extractor.params, x)['features']
        for x in (grey, np.repeat(grey, 3, -1))
    )
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_unknown_extractor_is_named():
    with pytest.raises(Exception, match="did you mean 'random'"):
        load('randon')
