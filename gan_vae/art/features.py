"""Pictures of folders, sets and files, and what a network sees in them.

  pictures, fitted to a square  ->  features float32 [n, d]

of an extractor of gan_vae/extractors, or the posterior means of the encoder of a run.
"""

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np

from gan_vae import data, extractors, files, images
from gan_vae.art.tools import Model
from gan_vae.config import default
from gan_vae.data import listing
from gan_vae.data.pictures import Fit, Unusable, fit, open_picture
from gan_vae.devices import process
from gan_vae.errors import UserError
from gan_vae.methods.contract import capability

BATCH = 64
LARGEST = 64  # pixels a side of a folder's pictures for what takes any size
SIZE = 32  # pixels a side of a set's, unless --size says otherwise
LISTED = 8  # names in a line


class Items(NamedTuple):
    """Pictures to come: `read(i)` gives uint8 [H, W, C], or is Unusable."""

    names: list[str]
    read: Callable[[int], np.ndarray]


def items(place: str, how: Fit) -> Items:
    """Those of a folder, or of a set as 'emoji:train'; a UserError for neither."""
    if files.expand(place).is_dir():
        folder = listing.of(place)
        if not folder.files:
            raise UserError(f'{place} has no pictures')
        names = [listing.printable(name) for name in folder.names]
        return Items(names, lambda i: fit(open_picture(folder.files[i]), how))
    every = examples(place, how)
    captions = every.captions or ('',) * every.size
    names = [f'{i} {word}'.rstrip() for i, word in enumerate(captions)]
    return Items(names, lambda i: np.asarray(every.images[i]))


def place_of(word: str) -> str:
    """A folder or a set as 'emoji:train' of a word, which may be folder:PATH."""
    path = word.removeprefix('folder:')
    return path if files.expand(path).is_dir() else word


def picture_files(place: str) -> tuple[list[Path], list[str]]:
    """The pictures among the files of a folder, and what is left out: 'name (why)'.

    A UserError where there are none.
    """
    if not files.expand(place).is_dir():
        raise UserError(f'{place} is no folder of pictures')
    folder = listing.of(place)
    pictures, left_out = [], folder.left_out
    for file, name in zip(folder.files, folder.names, strict=True):
        try:
            open_picture(file)
            pictures.append(file)
        except Unusable as error:
            left_out.append(f'{listing.printable(name)} ({error})')
    if not pictures:
        more = f': {left_out[0]}' if left_out else ''
        raise UserError(f'{place} has no pictures{more}')
    return pictures, left_out


def listed(names: list[str]) -> str:
    """The first names, and how many more there are."""
    more = f' and {len(names) - LISTED} more' if len(names) > LISTED else ''
    return ', '.join(names[:LISTED]) + more


def message_of(left_out: list[str], where: str = '') -> list[str]:
    """One line about what was left out, none if nothing was."""
    return [f'{where}left out {listed(left_out)}'] if left_out else []


def examples(place: str, how: Fit):
    """The Examples of a set and its splits: 'emoji:train', 'cifar10:train+test'."""
    settings = default.get_config().data
    settings.name, split = data.place(place)
    if data.kind_of(settings.name) != 'images':
        raise UserError(f'{place} is not of pictures')
    settings.image_size, settings.channels = how.size, how.channels
    settings.fit, settings.background = how.policy, how.background
    settings.storage = 'stream'
    try:
        return data.examples(settings, split)
    except UserError as error:
        if 'config.data.image_size' not in str(error):
            raise
        raise UserError(
            f'{place} has no pictures of {how.size} pixels a side, which this takes: '
            f'give a folder of them, or index at the size of that set (--size={SIZE})'
        ) from error


def extractor(name: str, model: Model | None, place: str) -> extractors.Extractor:
    """The network `name` of gan_vae/extractors, or the 'encoder' of a run.

    place: for the classifier, the set whose train split it learns.
    """
    process.prepare()
    if name == 'encoder':
        encode = model and capability(model.method, 'latents.encode')
        if model is None or encode is None or model.method.classes:
            raise UserError(
                '--features=encoder needs --workdir, a run of a VAE without classes'
            )
        state, size = model.about['state_sha256'], model.config.data.image_size
        apply = _encoding(encode)
        return extractors.Extractor(name, state, size, 'none', model.weights, apply)
    if '.' not in name and name not in (known := extractors.names()):
        raise UserError(f'--features={name}: one of {", ".join(known)}, encoder')
    if extractors.facts(name).get('examples'):
        set_name = place.partition(':')[0]
        if files.expand(place).is_dir():
            raise UserError(f'--features={name} is for sets with classes as emoji')
        learned = examples(f'{set_name}:train', Fit(SIZE, 3))
        return extractors.load(name, examples=learned)
    try:
        return extractors.load(name)
    except UserError as error:
        raise UserError(
            f'{error}; or --features=pixels, which needs nothing'
        ) from error


def fitted(
    network: extractors.Extractor, model: Model | None, place: str, size: int
) -> Fit:
    """How pictures are made for it; size: pixels a side, 0 for its own."""
    if model is not None and network.name == 'encoder':
        return Fit.of(model.config.data)
    of_folder = files.expand(place).is_dir()
    return Fit(size or (network.input_size or LARGEST if of_folder else SIZE), 3)


def extract(network: extractors.Extractor, pictures: np.ndarray) -> np.ndarray:
    """Features float32 [n, d] of uint8 [n, H, W, C]."""
    parts = []
    for start in range(0, len(pictures), BATCH):
        part = pictures[start : start + BATCH]
        size = 1 << (len(part) - 1).bit_length()  # few are little work, few programs
        rows = np.minimum(np.arange(size), len(part) - 1)
        vectors = np.asarray(_features(network.apply, network.params, part[rows]))
        parts.append(vectors[: len(part)])
    return np.concatenate(parts).astype(np.float32)


@partial(jax.jit, static_argnums=0)
def _features(apply, params, pictures):
    vectors = apply(params, pictures)['features']
    return vectors.reshape(len(vectors), -1)


@cache
def _encoding(encode):
    return lambda weights, x: {'features': encode(weights, images.from_uint8(x))}
