"""Arrays of the wrong type, shape or range are named, and how to convert them."""

import numpy as np
import pytest

from gan_vae import arrays
from gan_vae.errors import UserError

BYTES = np.zeros((2, 4, 4, 3), np.uint8)
FLOATS = np.zeros((2, 4, 4, 3), np.float32)
NAN = FLOATS.copy()
NAN[0, 0, 0, 0] = np.nan


@pytest.mark.parametrize(
    'check, value, message',
    [
        (arrays.pictures, FLOATS, 'float32: give uint8 .*images.to_uint8 converts'),
        (arrays.pictures, FLOATS.astype(int), 'int64: give uint8'),
        (arrays.pictures, BYTES[0], r'shape \(4, 4, 3\): give \[n, H, W, C\]'),
        (arrays.pictures, BYTES[:0], 'n >= 1'),
        (arrays.pictures, BYTES.transpose(0, 3, 1, 2), 'channels come last'),
        (
            arrays.pictures,
            [BYTES[0], BYTES[0, :2]],
            'not one array: give pictures of one size',
        ),
        (arrays.vectors, FLOATS, r'give \[n, d\]'),
        (arrays.vectors, NAN[0, 0], 'NaN or infinity'),
        (arrays.vectors, [['a']], 'no array of numbers'),
    ],
)
def test_wrong_arrays_are_one_line(check, value, message):
    with pytest.raises(UserError, match=message) as error:
        check(value)
    assert '\n' not in str(error.value)


def test_other_sizes_and_dimensions_are_refused():
    assert arrays.pictures(BYTES, shape=(4, 4, 3)).shape == BYTES.shape
    with pytest.raises(UserError, match='size 4x4x3, and must have 8x8x3'):
        arrays.pictures(BYTES, shape=(8, 8, 3))
    with pytest.raises(UserError, match='3 and 4 dimensions'):
        arrays.vector_pair(np.ones((2, 3)), np.ones((2, 4)))
    with pytest.raises(UserError, match='of 1 example: give at least 2'):
        arrays.vectors(np.ones((1, 3)), least=2)
