"""An index: of each picture its name, its hash, its features, and itself, small.

One .npz file without pickles or compression, so that what it unpacks to is no larger
than it is: ABOUT (JSON: the extractor, the hash of its weights, how pictures were
fitted), names, hashes, small uint8 [n, h, w, 3], features float32 [n, d], and above
search.EXACT items the cells of search.py.
"""

import hashlib
import io
import json
import zipfile
from typing import Any, NamedTuple

import numpy as np

from gan_vae import files
from gan_vae.art import features as features_lib
from gan_vae.art import search, sheets
from gan_vae.art.tools import Flag, Input, Model
from gan_vae.data.pictures import Fit, Unusable, fit, fit_array, given
from gan_vae.errors import UserError
from gan_vae.extractors import Extractor

SMALL = 64  # pixels of a side, at most, of what is shown
LARGEST = 4096  # of what features are of
LARGE = 96  # pixels of a side, at least, of what has words below it on a sheet
FLAG = Flag('', str, 'what index wrote: OUT, or OUT/index.npz', True)


class Index(NamedTuple):
    """See the module."""

    about: dict
    names: np.ndarray  # str [n]
    hashes: np.ndarray  # str [n], SHA-256 of the fitted pixels
    small: np.ndarray
    features: np.ndarray
    cells: search.Cells | None = None

    @property
    def how(self) -> Fit:
        return Fit(*self.about['fit'])

    @property
    def mean(self) -> np.ndarray:
        return self.features.mean(0, dtype=np.float64)

    @property
    def vectors(self) -> np.ndarray:
        """Unit vectors float64 [n, d] about the mean."""
        return search.unit(self.features, self.mean)

    def nearest(self, features, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Distances and indices [q, k] of features [q, d], at most all there are."""
        queries, k = search.unit(features, self.mean), min(k, len(self.features))
        if self.cells is None:
            return search.nearest(self.vectors, queries, k)
        return search.probe(self.vectors, self.cells, queries, k)

    def named(self, number: int) -> dict[str, Any]:
        """The number and the name of a picture, for a JSON record."""
        return {'number': int(number), 'name': str(self.names[number])}


def build(
    place: str, network: Extractor, how: Fit, progress, name: str = '', seed: int = 0
):
    """(Index of a folder or a set, what was left out of it: 'name (why)').

    progress: as of a Request; what was read until Ctrl-C is the index. name: as the
    place is recorded.
    """
    every, rows, left_out, features = features_lib.items(place, how), [], [], []
    for start in progress(range(0, len(every.names), features_lib.BATCH), 'features'):
        taken = []
        for i in range(start, min(start + features_lib.BATCH, len(every.names))):
            try:
                picture = every.read(i)
            except Unusable as error:
                left_out.append(f'{every.names[i]} ({error})')
                continue
            taken.append(picture)
            rows.append((every.names[i], digest(picture), shrunk(picture)))
        if taken:
            features.append(features_lib.extract(network, np.stack(taken)))
    if not rows:
        raise UserError(f'{place} has no pictures that can be used: {left_out[0]}')
    about = {'features': network.name, 'weights_sha256': network.weights_sha256}
    about |= {'place': name or place, 'fit': list(how)}
    columns = (np.array(column) for column in zip(*rows, strict=True))
    index = Index(about, *columns, np.concatenate(features))
    if len(rows) > search.EXACT:
        index = index._replace(cells=search.cells(index.vectors, seed))
    return index, left_out


class Queries(NamedTuple):
    """Pictures of a command: of the index by their number, or files."""

    names: list[str]  # as they are recorded
    small: np.ndarray  # uint8 [n, h, w, 3]
    features: np.ndarray  # float32 [n, d]
    numbers: np.ndarray  # int [n], in the index; -1: not there
    left_out: list[str]  # 'name (why)', of folders


def resolve(index: Index, items: list[Input], model: Model | None) -> Queries:
    """What inputs stand for: numbers of the index, files, folders of files.

    The same pixels have the number of the first picture of the index that has them.
    """
    words, names, left_out = [], [], []
    for item in items:
        folder = files.expand(item.word)
        if folder.is_dir():
            paths, skipped = features_lib.picture_files(item.word)
            words += [str(file) for file in paths]
            names += [f'{item.name}/{f.relative_to(folder).as_posix()}' for f in paths]
            left_out += skipped
        else:
            words.append(item.word)
            names.append(item.name)
    matches = [find(index, word) for word in words]
    own = np.array([number for number, _ in matches], np.int64)
    small, features = index.small[own], index.features[own]
    new = {n: p for n, (_, p) in enumerate(matches) if p is not None}
    if new:
        pictures = np.stack([*new.values()])
        features[[*new]] = features_lib.extract(network(index, model), pictures)
        small[[*new]] = [shrunk(picture) for picture in pictures]
    return Queries(names, small, features, own, left_out)


def find(index: Index, word: str) -> tuple[int, np.ndarray | None]:
    """(number in the index, -1 for none; the fitted picture) of a file; (N, None) of
    the word N, a number of the index; a UserError for other words."""
    if files.expand(word).is_file():
        picture = fit(given(word), index.how)
        same = np.flatnonzero(index.hashes == digest(picture))
        return int(same[0]) if len(same) else -1, picture
    if word.isdecimal() and int(word) < len(index.names):
        return int(word), None
    last = len(index.names) - 1
    raise UserError(f'{word}: no file, and no number of the index, 0 to {last}')


def network(index: Index, model: Model | None) -> Extractor:
    """That which the index was made with; a UserError where it is another now."""
    about = index.about
    extractor = features_lib.extractor(about['features'], model, about['place'])
    if extractor.weights_sha256 != about['weights_sha256']:
        raise UserError(
            f'the index was made with other weights of {extractor.name} than those '
            'here: make it anew, or give the --workdir that it was made with'
        )
    return extractor


def sheet(
    pictures: list[np.ndarray], below: list[str], columns: int | None = None
) -> np.ndarray:
    """uint8 [H, W, 3] of small pictures with words below them."""
    columns = columns or min(8, len(pictures))
    return sheets.labelled(pictures, columns, below, smallest=LARGE)


def digest(picture: np.ndarray) -> str:
    """Of the pixels and shape of uint8 [H, W, C]."""
    raw = np.ascontiguousarray(picture).tobytes()
    return hashlib.sha256(f'{picture.shape}'.encode() + raw).hexdigest()


def shrunk(picture: np.ndarray) -> np.ndarray:
    """uint8 [s, s, 3], s at most SMALL, of a square picture."""
    return fit_array(picture, Fit(min(len(picture), SMALL), 3))


def saved(index: Index) -> bytes:
    """The file of an index."""
    file, arrays = io.BytesIO(), index._asdict()
    arrays['about'] = np.array(json.dumps(index.about, sort_keys=True))
    if (cells := arrays.pop('cells')) is not None:
        arrays |= {'centroids': cells.centroids, 'cell_of': cells.of}
    np.savez(file, **arrays)
    return file.getvalue()


def load(place: str) -> Index:
    """The index of a file, or of the folder that the tool wrote; else a UserError."""
    file = files.expand(place)
    file = file / 'index.npz' if file.is_dir() else file
    if not place or not file.is_file():
        raise UserError(
            f'--index={place}: no index; python -m gan_vae.art index FOLDER makes one'
        )
    try:
        with zipfile.ZipFile(file) as archive:  # before anything is unpacked
            if any(m.compress_type for m in archive.infolist()):
                raise ValueError('compressed, which ours are not')
        with np.load(file, allow_pickle=False) as stored:
            arrays = dict(stored)
        return _checked(arrays)
    except (
        *(OSError, ValueError, KeyError, TypeError, EOFError, MemoryError),
        zipfile.BadZipFile,
    ) as error:
        raise UserError(f'{file} is no index that can be used: {error}') from error


def _checked(arrays: dict[str, Any]) -> Index:
    about = json.loads(str(arrays.pop('about')))
    how, texts = Fit(*about['fit']), [about['features'], about['place']]
    texts += [how.policy, how.background]
    count, width = arrays['features'].shape
    side = min(how.size, SMALL)
    expected = {
        'names': ('U', (count,)),
        'hashes': ('U', (count,)),
        'small': ('u1', (count, side, side, 3)),
        'features': ('f4', (count, width)),
    }
    if 'centroids' in arrays:
        most = len(arrays['centroids'])
        expected |= {'centroids': ('f4', (most, width)), 'cell_of': ('i8', (count,))}
        if not 0 <= arrays['cell_of'].min() <= arrays['cell_of'].max() < most:
            raise ValueError('its cells do not belong together')
    right = all(isinstance(text, str) for text in texts) and count * width > 0
    right &= isinstance(how.size, int) and 0 < how.size <= LARGEST
    right &= how.channels in (1, 3) and arrays.keys() == expected.keys()
    for name, (kind, shape) in expected.items():
        array = arrays[name]
        right &= array.shape == shape and array.dtype.str[1:].startswith(kind)
        right &= array.dtype.kind != 'f' or bool(np.isfinite(array).all())
    if not right:
        raise ValueError('its arrays do not belong together')
    parts = arrays.pop('centroids', None), arrays.pop('cell_of', None)
    cells = None if parts[0] is None else search.Cells(*parts)
    return Index(about, **arrays, cells=cells)
