"""Pictures of folders, sets and files, and what a network sees in them.

  pictures, fitted to a square  ->  features float32 [n, d]

of an extractor of gan_vae/evaluation, or of the encoder of a run: the means of its
posterior.
"""

import os
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np

from gan_vae import data, extractors, images
from gan_vae.art.tools import Run
from gan_vae.config import default
from gan_vae.data import listing
from gan_vae.data.pictures import Fit, fit, given, open_picture
from gan_vae.devices import process
from gan_vae.errors import UserError
from gan_vae.methods.contract import capability

BATCH = 64
LARGEST = 64  # pixels a side of a folder's pictures for what takes any size
SIZE = 32  # pixels a side of a set's, unless --size says otherwise


class Items(NamedTuple):
    """Pictures to come: `read(i)` gives uint8 [H, W, C], or is Unusable."""

    names: list[str]
    read: Callable[[int], np.ndarray]


def items(place: str, how: Fit) -> Items:
    """Those of a folder, or of a set as 'emoji:train'; a UserError for neither."""
    if os.path.isdir(os.path.expanduser(place)):
        found = listing.of(place)
        if not found.files:
            raise UserError(f'{place} has no pictures')
        names = [listing.printable(name) for name in found.names]
        return Items(names, lambda i: fit(open_picture(found.files[i]), how))
    found = examples(place, how)
    said = found.captions or ('',) * found.count
    names = [f'{i} {word}'.rstrip() for i, word in enumerate(said)]
    return Items(names, lambda i: np.asarray(found.images[i]))


def examples(place: str, how: Fit):
    """The Examples of a set and its splits: 'emoji:train', 'cifar10:train+test'."""
    settings = default.get_config().data
    settings.name, split = data.place(place)
    if data.kind_of(settings.name) != 'images':
        raise UserError(f'{place} is not of pictures')
    settings.image_size, settings.channels = how.size, how.channels
    settings.fit, settings.background = how.policy, how.background
    settings.storage = 'stream'
    return data.examples(settings, split)


def extractor(name: str, run: Run | None, place: str) -> extractors.Extractor:
    """The network `name` of evaluation/extractors, or the 'encoder' of a run.

    place: for the classifier, the set whose train split it learns.
    """
    process.prepare()
    if name == 'encoder':
        if (
            run is None
            or capability(run.method, 'latents.encode') is None
            or run.method.classes
        ):
            raise UserError(
                '--features=encoder needs --workdir, a run of a VAE without classes'
            )
        state, size = run.about['state_sha256'], run.config.data.image_size
        encode = _encoding(run.method.latents.encode)
        return extractors.Extractor(name, state, size, 'none', run.state, encode)
    if '.' not in name and name not in (known := extractors.names()):
        raise UserError(f'--features={name}: one of {", ".join(known)}, encoder')
    if extractors.facts(name).get('examples'):
        set_name = place.partition(':')[0]
        if Path(place).expanduser().is_dir():
            raise UserError(f'--features={name} is for sets with classes as emoji')
        learned = examples(f'{set_name}:train', Fit(SIZE, 3))
        return extractors.load(name, examples=learned)
    try:
        return extractors.load(name)
    except UserError as error:
        raise UserError(
            f'{error}; or --features=pixels, which needs nothing'
        ) from error


def fitted(found: extractors.Extractor, run: Run | None, place: str, size: int) -> Fit:
    """How pictures are made for it; size: pixels a side, 0 for its own."""
    if found.name == 'encoder':
        own = run.config.data
        return Fit(own.image_size, own.channels, own.fit, own.background)
    of_folder = Path(place).expanduser().is_dir()
    return Fit(size or (found.input_size or LARGEST if of_folder else SIZE), 3)


def extract(found: extractors.Extractor, pictures: np.ndarray) -> np.ndarray:
    """Features float32 [n, d] of uint8 [n, H, W, C]."""
    parts = []
    for start in range(0, len(pictures), BATCH):
        part = pictures[start : start + BATCH]
        count = len(part)
        size = 1 << (count - 1).bit_length()  # few are little work, and few programs
        part = np.concatenate([part, np.repeat(part[:1], size - count, 0)])
        parts.append(np.asarray(_features(found.apply, found.params, part))[:count])
    return np.concatenate(parts).astype(np.float32)


@partial(jax.jit, static_argnums=0)
def _features(apply, params, pictures):
    made = apply(params, pictures)['features']
    return made.reshape(len(made), -1)


@cache
def _encoding(encode):
    return lambda state, x: {'features': encode(state, images.from_uint8(x))}


def read(word: str, how: Fit) -> np.ndarray:
    """A picture as the index takes it; a UserError for what is none."""
    return fit(given(word), how)
