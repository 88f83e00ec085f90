"""toy_rolls: procedural music, chords of a major key, for tests and tiny runs.

Each split is a pure function of its name: no files, no licence.
"""

import numpy as np

from gan_vae.data.sequences import Sequences
from gan_vae.data.settings import Settings
from gan_vae.data.splits import sliced

KIND = 'rolls'
SIZES = {'train': 256, 'validation': 64, 'test': 64}
_SCALE = np.array([0, 2, 4, 5, 7, 9, 11])  # semitones
_MIDDLE_C = 39  # of the 88 keys


def load(rest: str, split: str, settings: Settings | None = None) -> Sequences:
    """`split` as 'train' or 'test[:10]'."""
    part, n = sliced('toy_rolls', split, SIZES)
    rng = np.random.default_rng([list(SIZES).index(part), 7])
    values = [_chords(rng) for _ in range(SIZES[part])]
    return Sequences('rolls', tuple(values[:n]))


def _chords(rng: np.random.Generator) -> np.ndarray:
    """uint8 [T, 88], T 8 to 48: triads of 1 to 4 steps, by a random walk."""
    roll = np.zeros((rng.integers(8, 49), 88), np.uint8)
    key, degree, step = _MIDDLE_C + rng.integers(-5, 7), 0, 0
    while step < len(roll):
        octave, notes = np.divmod(degree + np.array([0, 2, 4]), 7)
        held = rng.integers(1, 5)
        roll[step : step + held, key + 12 * octave + _SCALE[notes]] = 1
        degree, step = int(np.clip(degree + rng.integers(-2, 3), -7, 7)), step + held
    return roll
