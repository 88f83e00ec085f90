"""Tensors in a zip: torch's `.pth` since 1.6, and NumPy's `.npz` without pickles."""

import io
import math
import zipfile

import numpy as np

from gan_vae.extractors.weights import pickles
from gan_vae.extractors.weights.checks import STORAGES, Refused, brief, lengths, numbers

# Trained weights hardly compress: beyond this, an archive was made to fill the memory.
_MAX_RATIO, _MAX_SLACK = 20, 2**26
_COMPRESSIONS = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED


def read(archive: zipfile.ZipFile, size: int) -> dict[str, np.ndarray]:
    """{name: array} of an archive of `size` bytes."""
    members = archive.infolist()
    names = {m.filename for m in members}
    if len(names) < len(members):
        raise Refused('two members of the archive have the same name')
    if sum(m.file_size for m in members) > _MAX_RATIO * size + _MAX_SLACK:
        raise Refused('expands to many times its size (a zip bomb): refused')
    if any(m.compress_type not in _COMPRESSIONS for m in members):
        raise Refused('an archive of unusual compression: refused')
    if names and all(n.endswith('.npy') for n in names):
        return {m.filename[:-4]: _npy(_member(archive, m)) for m in members}
    described = [n for n in names if n.split('/')[1:] == ['data.pkl']]
    if len(described) != 1:
        raise Refused('an archive of something else than weights')
    if any(m.compress_type != zipfile.ZIP_STORED for m in members):
        raise Refused('compressed, which torch never does: refused')
    folder = described[0].removesuffix('data.pkl')
    if f'{folder}byteorder' in names:
        if _member(archive, f'{folder}byteorder') != b'little':
            raise Refused('written on a big-endian machine, which is not supported')
    top = pickles.unpickle(io.BytesIO(_member(archive, described[0])))

    def stored(key: str) -> bytes:
        if (name := f'{folder}data/{key}') not in names:
            raise Refused(f'truncated: storage {brief(key)} is missing')
        return _member(archive, name)

    return pickles.tensors(top, stored)


def _member(archive: zipfile.ZipFile, name) -> bytes:
    """The bytes of a member; `archive.read` would unpack more than it declares."""
    with archive.open(name) as file:
        return file.read(archive.getinfo(file.name).file_size)


def _npy(raw: bytes) -> np.ndarray:
    file = io.BytesIO(raw)
    version = np.lib.format.read_magic(file)
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in readers:
        raise Refused(f'.npy of unknown version {version}')
    shape, fortran, dtype = readers[version](file)
    if dtype not in STORAGES.values():
        raise Refused(f'an array of {brief(dtype)} in .npz; save it as numbers')
    shape = lengths(shape, 'shape')
    rest = raw[file.tell() :]
    if math.prod(shape) * dtype.itemsize != len(rest):
        raise Refused(f'an array of shape {shape} has {len(rest)} bytes')
    return numbers(rest, dtype).reshape(shape, order='F' if fortran else 'C')
