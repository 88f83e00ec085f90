"""Counts of music, of pieces whose counts are known."""

import numpy as np

from benchmarks.quality import music

C = 3  # of the keys from A0


def scale(start, octaves=2):
    roll = np.zeros((7 * octaves, 88), np.uint8)
    for n in range(len(roll)):
        octave, degree = divmod(n, 7)
        roll[n, start + 12 * octave + [0, 2, 4, 5, 7, 9, 11][degree]] = 1
    return roll


def test_a_scale():
    found = music.pitch_classes([scale(C + 12)])
    np.testing.assert_allclose(found[[0, 2, 4, 5, 7, 9, 11]], 1 / 7)
    np.testing.assert_allclose(np.roll(found, 2), music.pitch_classes([scale(C + 14)]))
    for start in range(C, C + 12):
        assert abs(music.in_one_key([scale(start)]) - 1) < 1e-9
    every = music.in_one_key([np.ones((4, 84), np.uint8)])
    np.testing.assert_allclose(every, 7 / 12)
    counts = music.counts([scale(C)])
    assert counts['keys'] == counts['struck'] == 1 and counts['silent'] == 0
    assert counts['repeated'] == 0
    # from the first to the last of 14 notes, always upwards
    np.testing.assert_allclose(counts['melody_interval'], 23 / 13)


def test_held_repeated_and_silent_steps():
    roll = np.zeros((6, 88), np.uint8)
    roll[:3, [40, 44, 47]] = 1
    roll[4:, 40] = 1
    found = music.counts([roll])
    assert found['keys'] == 11 / 6 and found['silent'] == 1 / 6
    assert found['struck'] == 1 / 5 and found['repeated'] == 3 / 5
    assert found['melody_interval'] == 0
    many = music.counts([roll, roll])
    assert many == found
    roll = np.zeros((3, 88), np.uint8)
    roll[[0, 1, 2], [50, 52, 52]] = 1  # the melody, above a bass that leaps
    roll[[0, 1, 2], [30, 10, 40]] = 1
    assert music.counts([roll])['melody_interval'] == 1
    a, b = np.array([0.5, 0.5, 0]), np.array([0.5, 0, 0.5])
    assert music.overlap(a, b) == 0.5 and music.overlap(a, a) == 1
