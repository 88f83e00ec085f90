"""Arrays out of other people's files of weights, running nothing that a file asks for.

`.pth` and `.pt` (pickles.py, archives.py), `.safetensors` and `.npz` are recognised by
their content; whatever a file may hold, the worst that comes of it is one line.
"""

import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np

from gan_vae.errors import UserError
from gan_vae.extractors.weights import archives, pickles, safetensors
from gan_vae.extractors.weights.checks import Refused, brief


def read(path, sha256: str = '') -> dict[str, np.ndarray]:
    """{name: array} of a state_dict in .pth, .pt, .safetensors or .npz, by content.

    Arrays keep dtype and shape, may share memory, and are not writeable. `sha256`, if
    given, must be the file's. A UserError for whatever else a file may hold: nothing in
    it is run, and no array reaches outside its bytes.
    """
    raw = _bytes(path)
    if sha256 and (actual := hashlib.sha256(raw).hexdigest()) != sha256.lower():
        raise UserError(
            f'{path} has SHA-256 {actual}, not {sha256}: get the file again, or another'
        )
    try:
        return _read(raw)
    except Refused as e:
        raise UserError(f'{path}: {e}') from None
    except Exception as e:  # a hostile file finds every exception there is
        reason = brief(f'{type(e).__name__}: {e}')
        raise UserError(
            f'{path} is damaged or not a file of weights ({reason}); get it again'
        ) from None


def sha256_of(path) -> str:
    """The file's SHA-256 in hexadecimal, read in pieces."""
    try:
        with open(path, 'rb') as file:
            return hashlib.file_digest(file, 'sha256').hexdigest()
    except OSError as e:
        raise UserError(f'cannot read {path}: {e.strerror}') from None


def _bytes(path) -> bytes:
    try:
        if Path(path).exists() and not Path(path).is_file():
            raise UserError(f'{path} is not a file; give a file of weights')
        return Path(path).read_bytes()
    except OSError as e:
        raise UserError(f'cannot read {path}: {e.strerror}') from None
    except MemoryError:
        raise UserError(f'{path} is larger than the memory') from None


def _read(raw: bytes) -> dict[str, np.ndarray]:
    if raw[:4] == b'PK\3\4':
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            return archives.read(archive, len(raw))
    if raw[8:9] == b'{':
        return safetensors.read(raw)
    if raw[:1] == b'\x80':
        return pickles.read_legacy(raw)
    raise Refused('not a .pth, .safetensors or .npz file; give one of these')
