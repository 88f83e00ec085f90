"""PSNR and SSIM: closed forms, per picture, on bytes."""

import numpy as np
import pytest

from gan_vae.errors import UserError
from gan_vae.evaluation.pairs import psnr, ssim


def flat(*levels, size=12):
    return np.stack([np.full((size, size, 2), v, np.uint8) for v in levels])


def test_psnr_of_a_constant_error_and_of_none():
    """Per picture; 200 - 210 must not wrap round as bytes do."""
    found = psnr(flat(200, 100, 0), flat(210, 100, 255))
    np.testing.assert_allclose(found, [20 * np.log10(25.5), np.inf, 0])


def test_ssim_of_flat_pictures_is_the_ratio_of_their_means():
    c1 = 2.55**2
    expected = (2 * 100 * 150 + c1) / (100**2 + 150**2 + c1)
    np.testing.assert_allclose(ssim(flat(100, 50), flat(150, 50)), [expected, 1])


def test_ssim_is_a_mean_over_channels_and_blind_to_the_border():
    random = np.random.default_rng(0)
    a, b = random.integers(0, 256, (2, 1, 11, 11, 3), np.uint8)
    channels = [ssim(a[..., c : c + 1], b[..., c : c + 1]) for c in range(3)]
    np.testing.assert_allclose(ssim(a, b), np.mean(channels, 0))
    # An 11x11 picture holds one window: written out.
    x = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
    window = np.outer(x, x) / x.sum() ** 2
    p, q = a[0, ..., 0].astype(float), b[0, ..., 0].astype(float)
    mp, mq = (window * p).sum(), (window * q).sum()
    vp, vq = (window * (p - mp) ** 2).sum(), (window * (q - mq) ** 2).sum()
    pq = (window * (p - mp) * (q - mq)).sum()
    c1, c2 = 2.55**2, 7.65**2
    expected = (2 * mp * mq + c1) * (2 * pq + c2)
    expected /= (mp**2 + mq**2 + c1) * (vp + vq + c2)
    np.testing.assert_allclose(channels[0], [expected])


@pytest.mark.parametrize(
    'a, b, message',
    [
        (flat(1, size=10), flat(1, size=10), '11 pixels a side'),
        (flat(1), flat(1, 2), 'are not pairs'),
        (flat(1) / 255, flat(1), 'give uint8'),
    ],
)
def test_mistakes_are_told_in_one_line(a, b, message):
    with pytest.raises(UserError, match=message):
        ssim(a, b)
