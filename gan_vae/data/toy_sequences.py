"""toy_rolls and toy_strokes: procedural sequences, for tests and tiny runs.

Chords of a major key that are held and go on, and drawings of a zigzag, a square or a
circle. Each set is a pure function of the split: no files, no licence.
"""

import numpy as np

from gan_vae.data.sequences import Sequences
from gan_vae.data.toy_shapes import sliced

SHAPES = ('zigzag', 'square', 'circle')
SIZES = {'train': 256, 'validation': 64, 'test': 64}
_SCALE = np.array([0, 2, 4, 5, 7, 9, 11])  # semitones
_MIDDLE_C = 39  # of the 88 keys


def load(name: str, split: str) -> Sequences:
    """`name`: toy_rolls or toy_strokes; `split` as 'train' or 'test[:10]'."""
    part, n = sliced(name, split, SIZES)
    rng = np.random.default_rng([list(SIZES).index(part), 7])
    if name == 'toy_rolls':
        values = [_chords(rng) for _ in range(SIZES[part])]
        return Sequences('rolls', tuple(values[:n]))
    values = [_drawing(rng, SHAPES[i % len(SHAPES)]) for i in range(SIZES[part])]
    return Sequences('strokes', tuple(values[:n]))


def _chords(rng) -> np.ndarray:
    """uint8 [T, 88], T 8 to 48: triads of 1 to 4 steps, by a random walk."""
    roll = np.zeros((rng.integers(8, 49), 88), np.uint8)
    key, degree, step = _MIDDLE_C + rng.integers(-5, 7), 0, 0
    while step < len(roll):
        octave, notes = np.divmod(degree + np.array([0, 2, 4]), 7)
        held = rng.integers(1, 5)
        roll[step : step + held, key + 12 * octave + _SCALE[notes]] = 1
        degree, step = int(np.clip(degree + rng.integers(-2, 3), -7, 7)), step + held
    return roll


def _drawing(rng, shape: str) -> np.ndarray:
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
