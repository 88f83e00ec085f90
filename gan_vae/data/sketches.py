"""Drawings by pen strokes: kanji, sheep and the characters of Omniglot.

From hardmaru/sketch-rnn-datasets, in the form (dx, dy, pen lifted). Nothing is left out
or clipped: all 51,100 drawings have 2 to 250 points, end with the pen lifted, and no
offset is above 600. The files are pickles inside an archive of NumPy: known by their
hash before they are opened, and then read by an unpickler that knows NumPy's arrays
alone.
"""

import io
import pickle
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gan_vae.data import packages
from gan_vae.errors import UserError

HOMEPAGE = 'https://github.com/hardmaru/sketch-rnn-datasets'
PLACE = HOMEPAGE + '/raw/master/'
FEATURE, STEP, DTYPE = 'strokes', 3, np.int16
SPLITS = {'train': 'train', 'validation': 'valid', 'test': 'test'}


class File(NamedTuple):
    """One set: its file and hash, where it lies in the repository, and its licence."""

    name: str
    sha256: str
    folder: str
    licence: str


SETS = {
    'sketch_kanji': File(
        'short_kanji.npz',
        'f6855ba03d58f44830499dd98e7cb99f46c970651f4f16f2d886398f34709914',
        'kanji',
        'CC BY-SA 3.0 (KanjiVG, Ulrich Apel)',
    ),
    'sketch_sheep': File(
        'aaron_sheep.npz',
        '65f8e51e43587661798ac137a204c9e049e0d11dcd50cba372ae3ca32de8b54c',
        'aaron_sheep',
        'CC BY-NC 4.0 (Aaron Koblin, The Sheep Market)',
    ),
    'sketch_omniglot': File(
        'omniglot.npz',
        'bd5277621a8c577919491dfa729a59a8b5c216cff9e4fda9cef532db29f120c7',
        'omniglot',
        'MIT (Lake et al. 2015, Omniglot)',
    ),
}
_KNOWN = {
    ('numpy.core.multiarray', '_reconstruct'),
    ('numpy._core.multiarray', '_reconstruct'),
    ('numpy', 'ndarray'),
    ('numpy', 'dtype'),
    ('_codecs', 'encode'),
}


class _Arrays(pickle.Unpickler):
    """Builds arrays of NumPy, and nothing else."""

    def find_class(self, module, name):
        if (module, name) not in _KNOWN:
            raise UserError(f'a pickle that asks for {module}.{name}: refused')
        return super().find_class(module, name)


def place(name: str) -> str:
    """Where the file of a set lies."""
    return f'{PLACE}{SETS[name].folder}/{SETS[name].name}'


def read(name: str, path: Path) -> dict[str, list[np.ndarray]]:
    """{split: drawings int16 [T, 3]} of the file of a set.

    A UserError for any other file, which is not opened.
    """
    raw = packages.known(path, SETS[name].sha256, place(name))
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        return {
            split: objects(archive.read(f'{key}.npy')) for split, key in SPLITS.items()
        }


def objects(raw: bytes) -> list[np.ndarray]:
    """The arrays of an array of objects in a .npy file."""
    file = io.BytesIO(raw)
    version = np.lib.format.read_magic(file)
    read_header = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }[version]
    read_header(file)
    found = _Arrays(file, encoding='latin1').load()
    return [np.asarray(drawing, DTYPE) for drawing in found]
