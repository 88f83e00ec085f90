"""toy_shapes: procedural pictures with exact factors, for tests and disentanglement.

shape (square, disc, triangle), hue, size, x, y, rotation; a coloured shape on grey,
antialiased by a signed distance: coverage = clip(1/2 - d, 0, 1), d in pixels. The whole
set is a pure function of (split, image size): no files, no licence.
"""

import colorsys

import numpy as np

from gan_vae.data.settings import Settings
from gan_vae.data.source import Examples
from gan_vae.data.splits import sliced

KIND = 'images'
SHAPES = ('square', 'disc', 'triangle')
SIZES = {'train': 8000, 'validation': 1000, 'test': 1000}
_BACKGROUND = 0.92


def load(rest: str, split: str, settings: Settings) -> Examples:
    """`split` as 'train' or 'test[:100]', at config.data.image_size and channels."""
    return examples(split, settings.image_size, settings.channels)


def examples(split: str, size: int, channels: int) -> Examples:
    """Images uint8 [N, size, size, channels] of a split, with labels and factors."""
    part, n = sliced('toy_shapes', split, SIZES)
    rng = np.random.default_rng([list(SIZES).index(part), 31])
    draws = rng.random((SIZES[part], 6))[:n]
    factors = {
        'shape': (draws[:, 0] * 3).astype(np.int32),
        'hue': draws[:, 1],  # turns
        'size': 0.15 + 0.2 * draws[:, 2],  # radius as a share of the image
        'x': 0.35 + 0.3 * draws[:, 3],  # centre as a share of the image
        'y': 0.35 + 0.3 * draws[:, 4],
        'rotation': draws[:, 5],  # of the shape's symmetry angle
    }
    return Examples(
        images=render(factors, size, channels),
        labels=factors['shape'],
        class_names=SHAPES,
        factors=factors,
        factor_values={'shape': SHAPES},
    )


def render(factors: dict[str, np.ndarray], size: int, channels: int) -> np.ndarray:
    """uint8 [N, size, size, channels] from factors of shape [N]."""
    column = {name: value[:, None, None] for name, value in factors.items()}
    y, x = np.mgrid[:size, :size].astype(np.float32) + 0.5
    x = x[None] - column['x'] * size
    y = y[None] - column['y'] * size
    radius = column['size'] * size
    symmetry = np.select(
        [column['shape'] == 0, column['shape'] == 2], [np.pi / 2, 2 * np.pi / 3], 0
    )
    angle = column['rotation'] * symmetry
    u = np.cos(angle) * x + np.sin(angle) * y
    v = np.cos(angle) * y - np.sin(angle) * x
    square = np.maximum(abs(u), abs(v)) - radius * 0.8
    disc = np.sqrt(u * u + v * v) - radius
    triangle = np.maximum(abs(u) * np.sqrt(0.75) + v / 2, -v) - radius * 0.55
    distance = np.select(
        [column['shape'] == 0, column['shape'] == 1], [square, disc], triangle
    )
    coverage = np.clip(0.5 - distance, 0, 1)[..., None]
    colours = np.array([colorsys.hsv_to_rgb(h, 0.85, 0.85) for h in factors['hue']])
    colours = colours.reshape(-1, 1, 1, 3)
    if channels == 1:
        colours = colours @ np.array([[0.299], [0.587], [0.114]])
    picture = _BACKGROUND * (1 - coverage) + colours * coverage
    return np.round(picture * 255).astype(np.uint8)
