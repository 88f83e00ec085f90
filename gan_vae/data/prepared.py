"""Any set that TFDS has prepared on disk; nothing here ever downloads.

The reader of all names that no module of `readers` has: pictures, and the piano rolls
and sketches that `gan_vae.data.prepare` builds.

The files are looked for before TensorFlow is imported, so that a missing set costs a
second, not the minutes of retries that TFDS spends without a network.
"""

import json
import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gan_vae.data import cache, listing, piano_rolls, readers, sketches
from gan_vae.data.pictures import Fit, fit_array
from gan_vae.data.sequences import Sequences
from gan_vae.data.settings import Settings
from gan_vae.data.source import Examples
from gan_vae.errors import UserError

if TYPE_CHECKING:
    import tensorflow_datasets as tfds

_SETS = {'rolls': piano_rolls, 'strokes': sketches}
_BUILT_IN = {'images': 'emoji', 'rolls': 'toy_rolls', 'strokes': 'toy_strokes'}


def kind(name: str) -> str:
    """Images, but for the sets of piano rolls and sketches."""
    name = name.partition(':')[0]
    return next((kind for kind, ours in _SETS.items() if name in ours.SETS), 'images')


def data_dir(directory: str = '') -> Path:
    """The folder of TFDS data: as given, $TFDS_DATA_DIR, or ~/tensorflow_datasets."""
    directory = directory or os.environ.get('TFDS_DATA_DIR') or '~/tensorflow_datasets'
    try:
        return Path(directory).expanduser()
    except RuntimeError as error:
        raise UserError(
            'no home folder for data sets: set config.data.dir (--data_dir) or '
            '$TFDS_DATA_DIR'
        ) from error


def load(name: str, split: str, settings: Settings) -> Examples | Sequences:
    """Split `split` (TFDS slicing included) of the prepared set `name`."""
    folder = find(name, settings.dir)
    if kind(name) != 'images':
        return _sequences(folder, name, split)
    how = Fit.of(settings)
    written = (folder / 'dataset_info.json').stat().st_mtime_ns
    key = {
        'tfds': str(folder.resolve()),
        'split': split,
        'fit': how,
        'written': written,
    }
    return cache.cached(
        key, how.shape, lambda about: _parse(folder, split, how, about), settings
    )


def licence(name: str, settings: Settings) -> str:
    """As TFDS has it of the set; '' where it has none."""
    about = json.loads((find(name, settings.dir) / 'dataset_info.json').read_text())
    return about.get('redistributionInfo', {}).get('license', '')


def find(name: str, directory: str = '') -> Path:
    """The newest prepared version of 'name[/config][:version]', or a UserError."""
    base = data_dir(directory)
    path, _, version = name.partition(':')
    top = base / path
    files = [*top.glob('*/dataset_info.json')]  # of name/version
    files = files or [*top.glob('*/*/dataset_info.json')]  # with a config
    folders = [f.parent for f in files if version in ('', f.parent.name)]
    if re.fullmatch(r'[\w/]+', path) and folders:
        return max(folders, key=lambda f: [int(n) for n in re.findall(r'\d+', f.name)])
    known = names()
    if path.split('/')[0] in known:
        raise UserError(
            f'dataset {name!r} is not prepared in {base}: run `python -m '
            f'gan_vae.data.prepare {name} --data_dir={base}`, or train on a built-in '
            f'set with --config.data.name={_BUILT_IN[kind(path)]}'
        )
    raise readers.unknown(name, sorted(known), str(base))


def names() -> set[str]:
    """The sets that can be prepared; TFDS lists its own without TensorFlow."""
    import tensorflow_datasets as tfds

    ours = {'noto_emoji', *piano_rolls.SETS, *sketches.SETS}
    return {*tfds.list_builders(with_community_datasets=False)} | ours


def _examples(builder: 'tfds.core.DatasetBuilder', split: str) -> Iterable[Any]:
    """The examples of a split, or a UserError that names those there are."""
    import tensorflow_datasets as tfds

    read: Any = builder.as_dataset  # whose decorator hides its parameters
    try:
        return tfds.as_numpy(read(split=split, shuffle_files=False))
    except (ValueError, AssertionError, KeyError) as error:
        splits = ', '.join(builder.info.splits)
        raise UserError(
            f'{builder.name} has no split {split!r}; it has {splits} and slices of them'
        ) from error


def _parse(
    folder: Path, split: str, how: Fit, about: dict[str, Any]
) -> Iterator[tuple[np.ndarray, int, str]]:
    where = f'{folder.parent.name}:{split}'
    print(f'{where}: read once, then kept in the cache', file=sys.stderr, flush=True)
    import tensorflow_datasets as tfds

    builder = tfds.builder_from_directory(folder)
    known = builder.info.features
    features = dict(
        known.items() if isinstance(known, tfds.features.FeaturesDict) else {}
    )
    if 'image' not in features:
        raise UserError(f'{builder.name} has no feature "image": {", ".join(features)}')
    classes = {
        key: feature.names
        for key in ('label', 'category')
        if isinstance(feature := features.get(key), tfds.features.ClassLabel)
    }
    label_key = next(iter(classes), '')
    caption_key = next((k for k in ('caption', 'name') if k in features), '')
    examples = _examples(builder, split)
    if label_key:
        about['class_names'] = list(classes[label_key])
    total = builder.info.splits[split].num_examples
    for example in listing.progress(examples, where, total, 'examples read'):
        caption = example[caption_key].decode() if caption_key else ''
        yield fit_array(example['image'], how), example.get(label_key, -1), caption


def _sequences(folder: Path, name: str, split: str) -> Sequences:
    import tensorflow_datasets as tfds

    builder = tfds.builder_from_directory(folder)
    of = kind(name)
    feature = _SETS[of].FEATURE
    if feature not in builder.info.features:
        raise UserError(f'{folder} holds no sequences: prepare {name} again')
    dtype = np.uint8 if of == 'rolls' else np.float32
    values = [example[feature].astype(dtype) for example in _examples(builder, split)]
    return Sequences(of, tuple(values))
