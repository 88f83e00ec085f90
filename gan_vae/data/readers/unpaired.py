"""unpaired:SET,SET: pictures of two sets, which have nothing to do with each other.

A set is any name of a set of pictures, or a folder. An example is one image: the
channels of a picture of the first set, then those of one of the second. There are as
many as the larger set has; the pictures of the other come again.
"""

import numpy as np

from gan_vae.data import readers
from gan_vae.data.settings import Settings
from gan_vae.data.source import Examples
from gan_vae.errors import UserError

KIND, REST = 'images', 'SET,SET'


def load(rest: str, split: str, settings: Settings) -> Examples:
    """The examples of `split`, which is one of both sets."""
    names = [name.strip() for name in rest.split(',')]
    if len(names) != 2 or not all(names):
        raise UserError(f'unpaired:{rest}: write unpaired:SET,SET')
    both = []
    for name in names:
        if readers.exists(name):
            name = f'{"zip" if name.lower().endswith(".zip") else "folder"}:{name}'
        try:
            reader, own = readers.find(name)
            if readers.kind_of(name) != 'images':
                raise UserError(f'unpaired:{rest}: {name} is not of pictures')
            both.append(reader.load(own, split, settings))
        except UserError as error:
            if ':' in name:
                raise
            raise UserError(f'no folder {name!r}; as a set: {error}') from error
    count, random = max(one.size for one in both), np.random.default_rng(0)
    parts = [
        np.asarray(one.images[np.resize(random.permutation(one.size), count)])
        for one in both
    ]
    notes = '; '.join(filter(None, (one.note for one in both)))
    return Examples(np.concatenate(parts, -1), note=notes)
