"""Where examples come from: `examples(config.data, split)`, by name."""

import numpy as np

from gan_vae.data import (
    drawings,
    piano_rolls,
    prepared,
    prepared_sequences,
    sketches,
    toy_sequences,
    toy_shapes,
)
from gan_vae.data.pictures import Fit
from gan_vae.data.sequences import Padded, Sequences
from gan_vae.data.source import Examples
from gan_vae.errors import UserError, unknown


def kind_of(name: str) -> str:
    """What the set `name` is of: images, rolls or strokes."""
    name = name if name.startswith('drawings:') else name.partition(':')[0]
    if name in piano_rolls.SETS or name == 'toy_rolls':
        return 'rolls'
    if name in sketches.SETS or name == 'toy_strokes' or name.startswith('drawings:'):
        return 'strokes'
    return 'images'


def noun(kind: str) -> str:
    """What one example of a kind is called, in the plural."""
    return 'images' if kind == 'images' else 'sequences'


def content(batch: dict):
    """What a model is given of a batch: images, or Padded sequences."""
    if 'image' in batch:
        return batch['image']
    return Padded(batch['sequence'], batch['length'])


def training(data) -> Examples | Sequences:
    """The split of config.data to train on, its sequences in pieces if it says so."""
    return examples(data, data.split).cut(data.segment_steps)


def examples(data, split: str) -> Examples | Sequences:
    """The set that the config section `data` names."""
    images = kind_of(data.name) == 'images'
    found = _images(data, split) if images else _sequences(data, split)
    if found.count == 0:
        raise UserError(f'the split {split!r} of {data.name} is empty')
    return found


def _sequences(data, split: str) -> Sequences:
    if data.categories:
        raise UserError(f'config.data.categories: {data.name} has none')
    if data.name.startswith('toy_'):
        return toy_sequences.load(data.name, split)
    if data.name.startswith('drawings:'):
        return drawings.load(data.name.removeprefix('drawings:'), split)
    return prepared_sequences.load(data.name, split, data.dir)


def _images(data, split: str) -> Examples:
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
    return keep_categories(found, data.categories)


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
