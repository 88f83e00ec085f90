"""Arrays out of torch's files of weights and of safetensors, without either.

A file is read only if it has the expected SHA-256. Its pickle may name nothing but
tensors: anything else that it would import is refused.
"""

import hashlib
import io
import json
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gan_vae.errors import UserError

_DTYPES = {
    'DoubleStorage': np.dtype('<f8'),
    'FloatStorage': np.dtype('<f4'),
    'HalfStorage': np.dtype('<f2'),
    'LongStorage': np.dtype('<i8'),
    'IntStorage': np.dtype('<i4'),
}

_SAFETENSORS = {'F64': '<f8', 'F32': '<f4', 'F16': '<f2', 'I64': '<i8', 'I32': '<i4'}


class _Storage(NamedTuple):
    dtype: np.dtype
    key: str


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int  # this and the strides are counted in elements
    shape: tuple[int, ...]
    strides: tuple[int, ...]


_GLOBALS = {
    'collections.OrderedDict': OrderedDict,
    'torch._utils._rebuild_tensor_v2': lambda *parts: _Tensor(*parts[:4]),
    'torch._utils._rebuild_parameter': lambda tensor, *_: tensor,
    **{f'torch.{name}': dtype for name, dtype in _DTYPES.items()},
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module, name):
        if f'{module}.{name}' not in _GLOBALS:
            raise pickle.UnpicklingError(f'refused to import {module}.{name}')
        return _GLOBALS[f'{module}.{name}']

    def persistent_load(self, pid):
        _, dtype, key, *_ = pid
        return _Storage(dtype, key)


def read(path, sha256: str) -> dict[str, np.ndarray]:
    """{name: array} of a state_dict in a .pth file with this SHA-256.

    Arrays keep dtype and shape, may share memory, and are not writeable. A UserError
    where the file cannot be read, is another, or holds anything but tensors.
    """
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        raise UserError(f'cannot read {path}: {error.strerror}') from None
    if (actual := hashlib.sha256(raw).hexdigest()) != sha256:
        raise UserError(
            f'{path} has SHA-256 {actual}, not {sha256}: get the file again, or another'
        )
    load = _read_zip if raw.startswith(b'PK') else _read_legacy
    try:
        tensors, stored = load(io.BytesIO(raw))
    except pickle.UnpicklingError as error:
        raise UserError(f'{path} is not a file of weights: {error}') from None
    return {name: _array(tensor, stored) for name, tensor in tensors.items()}


def safetensors(raw: bytes) -> dict[str, np.ndarray]:
    """{name: array} of a .safetensors file: the length of a header, the header as JSON,
    and the numbers. A UserError where it is none."""
    try:
        start = 8 + int.from_bytes(raw[:8], 'little')
        about = json.loads(raw[8:start])
        about.pop('__metadata__', None)
        return {
            name: np.frombuffer(
                raw[start + one['data_offsets'][0] : start + one['data_offsets'][1]],
                _SAFETENSORS[one['dtype']],
            ).reshape(one['shape'])
            for name, one in about.items()
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f'not a file of safetensors: {error}') from None


def _read_zip(file) -> tuple[dict, dict[str, bytes]]:
    """(tensors by name, storages by key), as torch has written them since 1.6."""
    with zipfile.ZipFile(file) as archive:
        folder = archive.namelist()[0].partition('/')[0]
        tensors = _Unpickler(archive.open(f'{folder}/data.pkl')).load()
        keys = {tensor.storage.key for tensor in tensors.values()}
        return tensors, {key: archive.read(f'{folder}/data/{key}') for key in keys}


def _read_legacy(file) -> tuple[dict, dict[str, bytes]]:
    """The same of a file before 1.6: pickles of a magic number, a version, the machine,
    the tensors and the order of storages; then each storage's length and elements."""
    _, _, _, tensors, keys = (_Unpickler(file).load() for _ in range(5))
    dtypes = {t.storage.key: t.storage.dtype for t in tensors.values()}
    stored = {}
    for key in keys:
        length = int.from_bytes(file.read(8), 'little')
        stored[key] = file.read(length * dtypes[key].itemsize)
    return tensors, stored


def _array(tensor: _Tensor, stored: dict[str, bytes]) -> np.ndarray:
    (dtype, key), offset, shape, strides = tensor
    size = dtype.itemsize
    return np.ndarray(
        shape, dtype, stored[key], offset * size, [size * s for s in strides]
    )
