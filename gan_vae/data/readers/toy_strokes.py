"""toy_strokes: procedural drawings of a zigzag, a square or a circle, for tests.

Each split is a pure function of its name: no files, no licence.
"""

import numpy as np

from gan_vae.data.sequences import Sequences
from gan_vae.data.settings import Settings
from gan_vae.data.splits import sliced

KIND = 'strokes'
SHAPES = ('zigzag', 'square', 'circle')
SIZES = {'train': 256, 'validation': 64, 'test': 64}


def load(rest: str, split: str, settings: Settings | None = None) -> Sequences:
    """`split` as 'train' or 'test[:10]'."""
    part, n = sliced('toy_strokes', split, SIZES)
    rng = np.random.default_rng([list(SIZES).index(part), 7])
    values = [_drawing(rng, SHAPES[i % len(SHAPES)]) for i in range(SIZES[part])]
    return Sequences('strokes', tuple(values[:n]))


def _drawing(rng: np.random.Generator, shape: str) -> np.ndarray:
    """float32 [T, 3], T 8 to 24: the shape, and a line under it."""
    size, corners = rng.integers(40, 100), rng.integers(6, 22)
    if shape == 'zigzag':
        x = np.linspace(0, 2 * size, corners)
        points = np.stack([x, size * (np.arange(corners) % 2)], -1)
    elif shape == 'square':
        points = size * np.array([[0, 0], [1, 0], [2, 0], [2, 2], [0, 2], [0, 0]])
    else:
        angle = np.linspace(0, 2 * np.pi, corners)
        points = size * np.stack([np.sin(angle), 1 - np.cos(angle)], -1)
    line = np.array([[0, 2.5 * size], [size, 2.5 * size], [2 * size, 2.5 * size]])
    points = np.round(np.concatenate([points, line]))
    lifted = np.zeros(len(points))
    lifted[[-4, -1]] = 1
    ways = np.diff(points, axis=0)
    return np.concatenate([ways, lifted[1:, None]], -1).astype(np.float32)
