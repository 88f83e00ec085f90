"""What every reader of weights asks of a stranger's bytes."""

import ml_dtypes
import numpy as np

_MAX_DIMENSIONS = 32
STORAGES = {
    'torch.DoubleStorage': np.dtype('<f8'),
    'torch.FloatStorage': np.dtype('<f4'),
    'torch.HalfStorage': np.dtype('<f2'),
    'torch.BFloat16Storage': np.dtype(ml_dtypes.bfloat16),
    'torch.LongStorage': np.dtype('<i8'),
    'torch.IntStorage': np.dtype('<i4'),
    'torch.ShortStorage': np.dtype('<i2'),
    'torch.CharStorage': np.dtype('i1'),
    'torch.ByteStorage': np.dtype('u1'),
    'torch.BoolStorage': np.dtype('?'),
}


class Refused(Exception):
    """What is wrong with the file; `weights.read` adds its name."""


def numbers(raw: bytes, dtype: np.dtype) -> np.ndarray:
    """The bytes as an array of one dimension, not writeable."""
    if dtype.kind == 'b':  # other bytes than 0 and 1 are no bools to NumPy
        found = np.frombuffer(raw, np.uint8) != 0
        found.flags.writeable = False
        return found
    return np.frombuffer(raw, dtype)


def lengths(values, what: str) -> tuple[int, ...]:
    """The values as a tuple, if they are a few whole numbers from 0."""
    if not isinstance(values, tuple | list) or len(values) > _MAX_DIMENSIONS:
        raise Refused(f'damaged {what}')
    for n in values:
        if type(n) is not int or n < 0:
            raise Refused(f'out of bounds: {what} {brief(n)}')
    return tuple(values)


def brief(value) -> str:
    """At most 80 characters, printable: the text is a stranger's."""
    text = value if isinstance(value, str) else type(value).__name__
    if isinstance(value, int | np.dtype):
        text = str(value)
    return ascii(text)[1:-1][:80]
