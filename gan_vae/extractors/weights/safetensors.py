"""Tensors of a `.safetensors` file: a JSON header, and bytes.

file = length of header (8 bytes), {name: {dtype, shape, data_offsets}}, bytes
"""

import json
import math

import numpy as np

from gan_vae.extractors.weights.checks import STORAGES, Refused, brief, lengths, numbers

_MAX_HEADER = 2**22  # one of 10,000 tensors takes 1 MB
_DTYPES = dict(
    zip(
        ('F64', 'F32', 'F16', 'BF16', 'I64', 'I32', 'I16', 'I8', 'U8', 'BOOL'),
        STORAGES.values(),
        strict=True,
    )
)


def read(raw: bytes) -> dict[str, np.ndarray]:
    """{name: array}; Refused for what is not exactly such a file."""
    length = int.from_bytes(raw[:8], 'little')
    if length > min(_MAX_HEADER, len(raw) - 8):
        raise Refused(f'a header of {length} bytes: truncated, or not safetensors')
    header = json.loads(raw[8 : 8 + length], object_pairs_hook=_unique)
    header.pop('__metadata__', None)
    start = 8 + length
    end, arrays = 0, {}
    for name, entry in sorted(
        header.items(), key=lambda item: lengths(item[1]['data_offsets'], 'offsets')
    ):
        begin, stop = lengths(entry['data_offsets'], 'offsets')
        if entry['dtype'] not in _DTYPES:
            raise Refused(f'{brief(name)} has unknown dtype {brief(entry["dtype"])}')
        dtype = _DTYPES[entry['dtype']]
        shape = lengths(entry['shape'], 'shape')
        if begin != end or stop - begin != math.prod(shape) * dtype.itemsize:
            raise Refused(f'the offsets of {brief(name)} are not those of its shape')
        end = stop
        if start + end > len(raw):
            raise Refused('truncated: the header promises more bytes')
        arrays[name] = numbers(raw[start + begin : start + end], dtype).reshape(shape)
    if start + end != len(raw):
        raise Refused('bytes after the last tensor')
    return arrays


def _unique(pairs):
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Refused('a name twice in the header')
    return found
