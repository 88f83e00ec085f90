"""Likeness of pairs of pictures: PSNR and SSIM, each per picture.

    PSNR = 10 log10(255^2 / MSE)    in dB
    SSIM = mean [(2 m_a m_b + c_1)(2 s_ab + c_2)]
                / [(m_a^2 + m_b^2 + c_1)(s_a^2 + s_b^2 + c_2)]

m, s^2, s_ab are means, variances and covariances under a Gaussian window (11x11, sigma
1.5), wherever the whole window lies in the picture, in each channel apart; c_1 =
(0.01 * 255)^2, c_2 = (0.03 * 255)^2. Wang et al. 2004, doi:10.1109/TIP.2003.819861.
"""

import numpy as np
from scipy import ndimage

from gan_vae import arrays
from gan_vae.errors import UserError

_RADIUS = 5
_WINDOW = np.exp(-0.5 * (np.arange(-_RADIUS, _RADIUS + 1) / 1.5) ** 2)
_WINDOW /= _WINDOW.sum()


def _checked(a, b):
    a = arrays.pictures(a, 'the first pictures of the pairs')
    b = arrays.pictures(b, 'the second pictures of the pairs', a.shape[1:])
    if len(a) != len(b):
        raise UserError(f'{len(a)} and {len(b)} pictures are not pairs')
    return a, b


def psnr(a, b) -> np.ndarray:
    """[n] in dB, of uint8 images [n, H, W, C]; infinite where a pair is equal.

    To report one number, take the mean of these: that of the pooled MSE is lower.
    """
    a, b = _checked(a, b)
    mse = [np.mean((x.astype(np.float64) - y) ** 2) for x, y in zip(a, b, strict=True)]
    with np.errstate(divide='ignore'):
        return 10 * np.log10(255**2 / np.array(mse))


def _windowed(image):
    for axis in (0, 1):
        image = ndimage.correlate1d(image, _WINDOW, axis)
    return image[_RADIUS:-_RADIUS, _RADIUS:-_RADIUS]


def ssim(a, b) -> np.ndarray:
    """[n] in [-1, 1], of uint8 images [n, H, W, C]; 1 where a pair is equal.

    A UserError for pictures below 11 pixels, which hold no window.
    """
    a, b = _checked(a, b)
    if min(a.shape[1:3]) < len(_WINDOW):
        raise UserError(
            f'SSIM needs pictures of {len(_WINDOW)} pixels a side: got {a.shape[1:3]}'
        )
    return np.array([_ssim(*pair) for pair in zip(a, b, strict=True)])


def _ssim(a, b):
    a, b = a.astype(np.float64), b.astype(np.float64)
    mean_a, mean_b = _windowed(a), _windowed(b)
    variances = _windowed(a * a + b * b) - mean_a**2 - mean_b**2
    covariance = _windowed(a * b) - mean_a * mean_b
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    means = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
    return np.mean(means * (2 * covariance + c2) / (variances + c2))
