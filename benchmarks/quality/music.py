"""What can be counted in music: pitch classes, density of notes, repetition.

Of rolls [T, 88] of 0 and 1, all steps of all pieces together. Yang & Lerch 2020
(doi:10.1007/s00521-018-3849-7) compare sets of music by such counts; they say nothing
of how it sounds.
"""

import numpy as np

NAMES = ('C', 'C#', 'D', 'D#', 'E', 'F', 'F#', 'G', 'G#', 'A', 'A#', 'B')
_A = 9  # the class of the first key


def pitch_classes(rolls: list[np.ndarray]) -> np.ndarray:
    """The share [12] of each class, from C, among all sounding keys."""
    counts = np.zeros(12)
    for roll in rolls:
        sums = np.asarray(roll, np.float64).sum(0)
        np.add.at(counts, (np.arange(len(sums)) + _A) % 12, sums)
    return counts / max(counts.sum(), 1)


def in_one_key(rolls: list[np.ndarray]) -> float:
    """The mean over pieces of the share of notes in the best major scale: 7/12 by
    chance, 1 of a piece without accidentals."""
    scale = np.zeros(12)
    scale[[0, 2, 4, 5, 7, 9, 11]] = 1
    shares = [pitch_classes([roll]) for roll in rolls if np.any(roll)]
    best = [max(share @ np.roll(scale, n) for n in range(12)) for share in shares]
    return float(np.mean(best))


def counts(rolls: list[np.ndarray]) -> dict[str, float]:
    """Means over steps: keys that sound, keys struck anew, silent steps, steps that are
    that before; the mean interval of the highest key, in semitones; `in_one_key`."""
    keys, struck, silent, same, leaps = [], [], [], [], []
    for roll in rolls:
        on = np.asarray(roll) > 0
        keys.append(on.sum(1))
        struck.append((on[1:] & ~on[:-1]).sum(1))
        silent.append(~on.any(1))
        same.append((on[1:] == on[:-1]).all(1))
        highest = np.where(on.any(1), on.shape[1] - 1 - on[:, ::-1].argmax(1), -1)
        both = (highest[1:] >= 0) & (highest[:-1] >= 0)
        leaps.append(np.abs(np.diff(highest))[both])
    means = {
        'keys': keys,
        'struck': struck,
        'silent': silent,
        'repeated': same,
        'melody_interval': leaps,
    }
    found = {name: float(np.concatenate(v).mean()) for name, v in means.items()}
    return found | {'in_one_key': in_one_key(rolls)}


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """sum of min(a, b) of two histograms of sum 1: 1 if they are equal."""
    return float(np.minimum(a, b).sum())
