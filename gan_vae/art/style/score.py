"""What a stylised picture has of its style, and what it has kept of its content.

    distance = mean over levels, mean_u W_1(u . P, u . Q)    in grey levels

for 7x7 patches P, Q of the picture and of the style at halving sizes, and unit u; W_1
is exact, whatever the two sizes. Karras et al. 2018, arXiv:1710.10196, of patches as
they are (the metric swd of sets normalises them, which would hide the colours).
Structure is SSIM of luma (Wang et al. 2004, doi:10.1109/TIP.2003.819861).
"""

import numpy as np

from gan_vae.art.style import LUMA, scaled
from gan_vae.art.style.patch import SIDE, unit_filters
from gan_vae.evaluation import pairs
from gan_vae.evaluation.metrics import swd

DIRECTIONS = 64
COARSEST = 16  # pixels of the shorter side
LARGEST = 16_384  # patches of a level, about: every s-th row and column of more
_SSIM = 11  # pixels a side, at least


def patches(image: np.ndarray) -> np.ndarray:
    """[n, 147] of a float picture [H, W, 3], at every s-th place."""
    windows = np.lib.stride_tricks.sliding_window_view(image, (SIDE, SIDE), (0, 1))
    stride = int(np.ceil(np.sqrt(windows.shape[0] * windows.shape[1] / LARGEST)))
    windows = np.moveaxis(windows[::stride, ::stride], 2, -1)
    return np.ascontiguousarray(windows).reshape(-1, SIDE * SIDE * 3)


def distance(picture, styles, weights, seed: int = 0) -> float | None:
    """Of uint8 [H, W, 3] to such styles, the mean by weight; None below 7 pixels."""
    every = [picture, *styles]
    if min(min(image.shape[:2]) for image in every) < SIDE:
        return None
    return sum(
        weight * _distance(picture, style, seed)
        for style, weight in zip(styles, weights, strict=True)
    )


def _distance(a, b, seed):
    a, b = np.float32(a), np.float32(b)
    random, levels = np.random.default_rng(seed), []
    while True:
        toward = unit_filters(random, DIRECTIONS).reshape(DIRECTIONS, -1)
        of_a, of_b = (toward @ patches(image).T for image in (a, b))
        levels.append(swd.wasserstein(of_a, of_b).mean())
        if min(*a.shape[:2], *b.shape[:2]) < 2 * COARSEST:
            return float(np.mean(levels))
        a, b = scaled(a, 0.5), scaled(b, 0.5)


def structure(picture, content) -> float | None:
    """SSIM of the lumas of uint8 [H, W, 3] twice; None below 11 pixels a side."""
    if min(picture.shape[:2]) < _SSIM:
        return None
    lumas = [np.round(image @ LUMA).astype(np.uint8) for image in (picture, content)]
    return float(pairs.ssim(*(grey[None, ..., None] for grey in lumas))[0])
