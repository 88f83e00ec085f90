"""folder:PATH: an artist's own pictures, flat or in class subfolders.

PNG, JPEG and WebP of any size and mode. What cannot be used is named in one line and
left out; the pictures that can are split 80/10/10 by the hash of their path, so that a
picture keeps its side when others come and go. Split 'all' is every picture.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from gan_vae.data import cache
from gan_vae.data.pictures import Fit, Unusable, fit, open_picture
from gan_vae.data.source import Examples
from gan_vae.errors import UserError

SPLITS = {'train': range(8), 'validation': range(8, 9), 'test': range(9, 10)}


def load(path: str, split: str, how: Fit, storage: str, memory_gb: float) -> Examples:
    """The pictures of `split` ('train', 'test', 'train+test', 'all')."""
    folder, tenths = opened(path, split, 'folder')
    how.colour()
    files = sorted(
        f for f in folder.rglob('*') if f.is_file() and not _hidden(f, folder)
    )
    names = [f.relative_to(folder).as_posix() for f in files]
    stamps = [
        (name, f.stat().st_size, f.stat().st_mtime_ns)
        for name, f in zip(names, files, strict=True)
    ]
    key = {
        'folder': str(folder.resolve()),
        'files': stamps,
        'tenths': sorted(tenths),
        'fit': how,
    }

    def parse(about: dict) -> Iterator:
        classes = sorted({name.split('/')[0] for name in names if '/' in name})
        skipped, used = [], 0
        for file, name in zip(files, names, strict=True):
            if _tenth(name) not in tenths:
                continue
            try:
                picture = open_picture(file)
                if 2 * min(picture.size) < how.size:
                    raise Unusable(f'only {picture.width}x{picture.height}')
                image = fit(picture, how)
            except Unusable as error:
                skipped.append(f'{name} ({error})')
                continue
            used += 1
            label = classes.index(name.split('/')[0]) if '/' in name else -1
            yield image, label, Path(name).stem.replace('_', ' ')
        flat = any('/' not in name for name in names)
        about['class_names'] = [] if flat else classes
        if skipped:
            shown = ', '.join(skipped[:8])
            more = f' and {len(skipped) - 8} more' if len(skipped) > 8 else ''
            about['note'] = f'{path}: left out {len(skipped)} files: {shown}{more}'
        if not used and not skipped and files:
            raise _outside(len(files), path, split)
        if not used:
            raise UserError(
                f'no usable pictures in {path!r} (split {split!r}): looked for PNG, '
                f'JPEG and WebP of at least {how.size // 2} pixels, subfolders too; '
                f'found {len(files)} files' + (f'; left out {shown}' if skipped else '')
            )

    return cache.cached(
        key, (how.size, how.size, how.channels), parse, storage, memory_gb
    )


def opened(path: str, split: str, prefix: str) -> tuple[Path, set[int]]:
    """The folder of config.data.name=PREFIX:PATH, and the tenths of `split`."""
    folder = Path(path).expanduser()
    if not path or not folder.is_dir():
        raise UserError(f'no folder {path!r} for config.data.name={prefix}:PATH')
    parts = list(SPLITS) if split == 'all' else split.split('+')
    if not set(parts) <= set(SPLITS):
        raise UserError(
            f'a folder has no split {split!r}: set config.data.split and eval_split to '
            'train, validation, test, a join as train+test, or all'
        )
    return folder, {tenth for part in parts for tenth in SPLITS[part]}


def chosen(path: str, split: str, pattern: str, prefix: str):
    """The files of a split that match, in order, and their names in the folder."""
    folder, tenths = opened(path, split, prefix)
    files = sorted(f for f in folder.rglob(pattern) if f.is_file())
    files = [f for f in files if not _hidden(f, folder)]
    names = [f.relative_to(folder).as_posix() for f in files]
    kept = [n for n, name in enumerate(names) if _tenth(name) in tenths]
    return [files[n] for n in kept], [names[n] for n in kept]


def outside(path: str, split: str, pattern: str, prefix: str):
    """A UserError where there are files that match, and none is in the split."""
    if every := chosen(path, 'all', pattern, prefix)[0]:
        raise _outside(len(every), path, split)


def _outside(count: int, path: str, split: str) -> UserError:
    return UserError(
        f'none of the {count} files in {path!r} falls in split {split!r}, which takes '
        'a tenth or so of them: set config.data.split=all or config.data.eval_split=all'
    )


def _hidden(file: Path, folder: Path) -> bool:
    return any(part.startswith('.') for part in file.relative_to(folder).parts)


def _tenth(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) % 10
