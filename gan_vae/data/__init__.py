"""Where examples come from: `examples(config.data, split)`, by the name of a reader."""

import os
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from gan_vae import files
from gan_vae.data import readers, texts
from gan_vae.data.readers import kind_of
from gan_vae.data.sequences import Padded, Sequences
from gan_vae.data.settings import Settings
from gan_vae.data.source import Examples
from gan_vae.data.texts import Text
from gan_vae.errors import UserError, unknown

__all__ = ['content', 'examples', 'kind_of', 'noun', 'place', 'training']


def noun(kind: str) -> str:
    """What one example of a kind is called, in the plural."""
    return 'images' if kind == 'images' else 'sequences'


def content(batch: Mapping[str, Any]) -> Any:
    """What a model is given of a batch: images, or Padded sequences."""
    if 'image' in batch:
        return batch['image']
    return Padded(batch['sequence'], batch['length'])


def training(settings: Settings) -> Examples | Sequences:
    """The split of config.data to train on, its sequences in pieces if it says so, and
    its captions in words if it says so."""
    loaded = examples(settings, settings.split).cut(settings.segment_steps)
    if settings.text == 'none':
        return loaded
    if not isinstance(loaded, Examples):
        raise UserError(f'config.data.text={settings.text}: {settings.name} has none')
    text, tokens = texts.of(loaded, settings.text)
    return loaded._replace(text=text, tokens=tokens)


def examples(
    settings: Settings, split: str, text: Text | None = None
) -> Examples | Sequences:
    """The set that the config section `data` names, at most its `categories`.

    text: the words of the set that a model was trained on, by which its captions are
    numbered.
    """
    loaded = _loaded(settings, split)
    if text is None or not isinstance(loaded, Examples):
        return loaded
    tokens = texts.encoded(text, texts.captions_of(loaded, text.kind))
    return loaded._replace(text=text, tokens=tokens)


def _loaded(settings: Any, split: str) -> Examples | Sequences:
    reader, rest = readers.find(settings.name)
    if settings.categories and kind_of(settings.name) != 'images':
        raise UserError(f'config.data.categories: {settings.name} has none')
    loaded = reader.load(rest, split, settings)
    if settings.categories:
        loaded = keep_categories(loaded, settings.categories)
    if loaded.size == 0:
        raise UserError(f'the split {split!r} of {settings.name} is empty')
    return loaded


_PART = r'(train|valid|validation|test|test_comp|all)(\[[^]]*\])?'
_SPLIT = rf'{_PART}(\+{_PART})*'  # of a set whose name has a colon itself


def place(word: str) -> tuple[str, str]:
    """(name, split) of a word that stands for a set, as the tools take it.

    A folder or ZIP file, folder:PATH and the like: all of it, unless a split follows
    ('art:critters:test'); NAME:SPLIT of other sets ('emoji:test'). A UserError where
    the split is missing.
    """
    if readers.exists(word):
        kind = 'folder' if os.path.isdir(os.path.expanduser(word)) else 'zip'
        return f'{kind}:{word}', 'all'
    if both := re.fullmatch(rf'(?P<name>[^:]+:.+?):(?P<split>{_SPLIT})', word):
        return both['name'], both['split']
    prefix, _, split = word.partition(':')
    reader = readers.of(prefix)
    default = hasattr(reader, 'DEFAULT')
    if default and re.fullmatch(_SPLIT, split):
        return prefix, split
    if getattr(reader, 'REST', '') and (split or default):
        return word, 'all'
    if not split:
        files.refuse_file(files.expand(word))
        raise UserError(
            f'{word!r} is neither a folder nor a set and its split, as emoji:train'
        )
    return prefix, split


def keep_categories(examples: Examples, categories: str) -> Examples:
    """Only the examples of the named classes (comma-separated).

    The classes that are kept are numbered anew, in the order of the set.
    """
    if examples.labels is None:
        raise UserError(
            f'config.data.categories={categories} is set, and the set has no classes: '
            '--config.data.categories= takes all pictures'
        )
    names = [name.strip() for name in categories.split(',')]
    for name in names:
        if name not in examples.class_names:
            error = unknown(
                'class in config.data.categories', name, examples.class_names
            )
            raise UserError(f'{error}; --config.data.categories= takes all')
    numbers = sorted({examples.class_names.index(name) for name in names})
    rows = np.flatnonzero(np.isin(examples.labels, numbers))
    return examples.take(rows)._replace(
        labels=np.searchsorted(numbers, examples.labels[rows]).astype(np.int32),
        class_names=tuple(examples.class_names[i] for i in numbers),
    )
