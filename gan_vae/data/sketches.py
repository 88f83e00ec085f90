"""Drawings by pen strokes: kanji, sheep and the characters of Omniglot.

From hardmaru/sketch-rnn-datasets, in the form (dx, dy, pen lifted): 51,100 drawings of
2 to 250 points that end with the pen lifted, no offset above 600. The files are pickles
inside an archive of NumPy, read by an unpickler that knows NumPy's arrays alone.
"""

import io
import pickle
import zipfile
from pathlib import Path

import numpy as np

from gan_vae.data import packages
from gan_vae.errors import UserError

HOMEPAGE = 'https://github.com/hardmaru/sketch-rnn-datasets'
FEATURE, STEP, DTYPE = 'strokes', 3, np.int16
SPLITS = {'train': 'train', 'validation': 'valid', 'test': 'test'}


SETS = {
    'sketch_kanji': packages.Download(
        'short_kanji.npz',
        'f6855ba03d58f44830499dd98e7cb99f46c970651f4f16f2d886398f34709914',
        HOMEPAGE + '/raw/master/kanji',
        'CC BY-SA 3.0 (KanjiVG, Ulrich Apel)',
    ),
    'sketch_sheep': packages.Download(
        'aaron_sheep.npz',
        '65f8e51e43587661798ac137a204c9e049e0d11dcd50cba372ae3ca32de8b54c',
        HOMEPAGE + '/raw/master/aaron_sheep',
        'CC BY-NC 4.0 (Aaron Koblin, The Sheep Market)',
    ),
    'sketch_omniglot': packages.Download(
        'omniglot.npz',
        'bd5277621a8c577919491dfa729a59a8b5c216cff9e4fda9cef532db29f120c7',
        HOMEPAGE + '/raw/master/omniglot',
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

    def find_class(self, module: str, name: str):
        if (module, name) not in _KNOWN:
            raise UserError(f'a pickle that asks for {module}.{name}: refused')
        return super().find_class(module, name)


def read(name: str, path: Path) -> dict[str, list[np.ndarray]]:
    """{split: drawings int16 [T, 3]} of the file of a set.

    A UserError for any other file, which is not opened.
    """
    with zipfile.ZipFile(packages.check(path, SETS[name])) as archive:
        return {
            split: objects(archive.read(f'{key}.npy')) for split, key in SPLITS.items()
        }


def objects(raw: bytes) -> list[np.ndarray]:
    """The arrays of an array of objects in a .npy file."""
    file = io.BytesIO(raw)
    np.lib.format.read_magic(file)
    np.lib.format.read_array_header_1_0(file)  # as all three have it
    drawings = _Arrays(file, encoding='latin1').load()
    return [np.asarray(drawing, DTYPE) for drawing in drawings]
