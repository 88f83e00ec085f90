"""Toy sequences: a function of their split, of the form that their kind has."""

import numpy as np
import pytest

from gan_vae import data
from gan_vae.data.readers import toy_rolls, toy_strokes
from gan_vae.errors import UserError


@pytest.mark.parametrize('reader', [toy_rolls, toy_strokes])
def test_toy_sets_are_a_function_of_their_split(reader):
    name = reader.__name__.rpartition('.')[2]
    few = reader.load('', 'train[:5]')
    again = reader.load('', 'train')
    for a, b in zip(few.values, again.values, strict=False):
        np.testing.assert_array_equal(a, b)
    assert few.size == 5 and data.kind_of(name) == few.kind
    test = reader.load('', 'test')
    assert (again.size, test.size) == (256, 64)
    assert test.fingerprint() != reader.load('', 'validation').fingerprint()
    with pytest.raises(UserError, match=f'{name} has no split'):
        reader.load('', 'all')


def test_rolls_are_triads_of_a_major_key_that_are_held():
    found = toy_rolls.load('', 'train')
    scale = np.isin(np.arange(12), [0, 2, 4, 5, 7, 9, 11])
    for roll in found.values:
        assert roll.dtype == np.uint8 and roll.shape[1] == 88 and 8 <= len(roll) <= 48
        assert (roll.sum(1) == 3).all()
        sounds = np.zeros(12, bool)
        sounds[np.flatnonzero(roll.any(0)) % 12] = True
        assert any((sounds <= np.roll(scale, key)).all() for key in range(12))
    assert found.lengths.min() < 12 and found.lengths.max() > 44


def test_strokes_are_the_shapes_they_say():
    found = toy_strokes.load('', 'train')
    for number, strokes in enumerate(found.values):
        shape = toy_strokes.SHAPES[number % 3]
        assert strokes.dtype == np.float32 and (strokes == np.round(strokes)).all()
        lifted = np.flatnonzero(strokes[:, 2])
        assert lifted.tolist() == [len(strokes) - 4, len(strokes) - 1]
        points = np.cumsum(strokes[: lifted[0] + 1, :2], 0)
        # back where it began, but for the zigzag
        closed = np.abs(points[-1]).max() <= 1
        assert closed == (shape != 'zigzag')


@pytest.mark.parametrize('name', ['toy_rolls', 'toy_strokes'])
def test_an_empty_split_is_one_line(name, config):
    config.data.name, config.data.categories = name, ''
    with pytest.raises(UserError, match=f"'train.:0.' of {name} is empty"):
        data.examples(config.data, 'train[:0]')


def test_a_name_that_is_nearly_one_is_told(config):
    config.data.name, config.data.categories = 'toy_rols', ''
    with pytest.raises(UserError, match="did you mean 'toy_rolls'"):
        data.examples(config.data, 'train')
