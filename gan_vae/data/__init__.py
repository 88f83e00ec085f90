"""Where examples come from: `examples(config.data, split)`, by name."""

import numpy as np

from gan_vae.data import prepared, toy_shapes
from gan_vae.data.pictures import Fit
from gan_vae.data.source import Examples
from gan_vae.errors import UserError, unknown


def examples(data, split: str) -> Examples:
    """The set that the config section `data` names, as uint8 images."""
    how = Fit(data.image_size, data.channels, data.fit, data.background)
    name = data.name
    if name == 'emoji':
        from gan_vae.data import emoji

        found = emoji.examples(split, how)
    elif name == 'toy_shapes':
        found = toy_shapes.load(split, data.image_size, data.channels)
    elif name.startswith('folder:'):
        from gan_vae.data import folder

        path = name.removeprefix('folder:')
        found = folder.load(path, split, how, data.storage, data.memory_gb)
    else:
        found = prepared.load(name, split, data.dir, how, data.storage, data.memory_gb)
    found = keep_categories(found, data.categories)
    if len(found.images) == 0:
        raise UserError(f'the split {split!r} of {name} is empty')
    return found


def keep_categories(found: Examples, categories: str) -> Examples:
    """Only the examples of the named classes (comma-separated); '' keeps all.

    The classes that are kept are numbered anew, in the order of the set.
    """
    if not categories:
        return found
    if found.labels is None:
        raise UserError('config.data.categories is set, but the set has no classes')
    wanted = [name.strip() for name in categories.split(',')]
    for name in wanted:
        if name not in found.class_names:
            raise unknown('class in config.data.categories', name, found.class_names)
    numbers = sorted({found.class_names.index(name) for name in wanted})
    kept = found.take(np.flatnonzero(np.isin(found.labels, numbers)))
    return kept._replace(
        labels=np.searchsorted(numbers, kept.labels).astype(np.int32),
        class_names=tuple(found.class_names[i] for i in numbers),
    )
