"""The files of a folder that may hold anything a file system can hold.

Skipped in silence: what systems and programs put beside pictures (`.DS_Store`,
`Thumbs.db`, all hidden names). Named and left out: pipes and devices, links to nothing
and to folders that are read already, what may not be read, and the folders of runs.
"""

import os
import stat
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar

from gan_vae import files
from gan_vae.errors import UserError, counted

_OF_SYSTEMS = {  # names in lower case
    '__macosx', 'thumbs.db', 'ehthumbs.db', 'ehthumbs_vista.db', 'desktop.ini',
    'icon\r', '$recycle.bin', 'system volume information', '@eadir', '#recycle',
    'lost+found', 'picasa.ini', 'zbthumbnail.info',
}  # fmt: skip
_OF_RUNS = {'checkpoints', 'metrics.jsonl', '.lock'}
T = TypeVar('T')


class Listing(NamedTuple):
    """A folder, its files in order, their names in it ('/' between parts)."""

    root: Path
    files: list[Path]
    names: list[str]
    left_out: list[str]  # 'name (reason)'


def ignored(name: str) -> bool:
    """Whether a part of a name is that of a system's own files, or hidden."""
    return name.startswith('.') or name.lower() in _OF_SYSTEMS


def of(path: str | Path, suffix: str = '') -> Listing:
    """All files below the folder `path`, only those of a suffix in any case.

    Links to folders are followed, each folder is read once. A UserError where there is
    no folder that can be read.
    """
    root = files.expand(path)
    files.refuse_file(root)
    if not path or not os.path.isdir(root):
        raise UserError(f'no folder {str(path)!r}')
    files_in: dict[str, Path] = {}
    left_out = []
    above = {_identity(os.stat(parent)) for parent in root.resolve().parents}
    seen: set[tuple[int, int]] = set()
    waiting, links = [(str(root), '')], []
    while waiting or links:
        folder, name = waiting.pop() if waiting else links.pop(0)
        try:
            this = _identity(os.stat(folder))
            with os.scandir(folder) as scan:
                entries = sorted(scan, key=lambda entry: entry.name)
        except OSError as error:
            if not name:
                raise UserError(f'cannot read {path}: {error.strerror}') from error
            left_out.append(f'{name} ({_reason(error)})')
            continue
        if this in seen | above:
            why = 'is read already' if this in seen else 'holds it'
            left_out.append(f'{name} (a link to a folder that {why})')
            continue
        seen.add(this)
        inside = {entry.name for entry in entries}
        is_run = 'config.json' in inside and inside & _OF_RUNS
        if name and (is_run or 'trials.jsonl' in inside):
            left_out.append(f'{name} (the folder of a run)')
            continue
        for entry in entries:
            if ignored(entry.name):
                continue
            inner = f'{name}/{entry.name}' if name else entry.name
            try:
                mode = entry.stat().st_mode
            except OSError as error:
                why = 'a link to nothing' if entry.is_symlink() else _reason(error)
                left_out.append(f'{inner} ({why})')
                continue
            if stat.S_ISDIR(mode):
                (links if entry.is_symlink() else waiting).append((entry.path, inner))
            elif not entry.name.lower().endswith(suffix):
                continue
            elif stat.S_ISREG(mode):
                files_in[inner] = Path(entry.path)
            else:
                left_out.append(f'{inner} (not a file)')
    names = sorted(files_in, key=lambda name: name.split('/'))
    return Listing(root, [files_in[name] for name in names], names, sorted(left_out))


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _identity(about: os.stat_result) -> tuple[int, int]:
    return about.st_dev, about.st_ino


def printable(name: str) -> str:
    """A name as one line of text, whatever bytes a file system let it have."""
    text = os.fsencode(name).decode('utf-8', 'backslashreplace')
    return ''.join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def note(left_out: Iterable[str]) -> str:
    """What was left out, in one line; '' where nothing was."""
    lines = [printable(line) for line in left_out]
    more = f' and {len(lines) - 8} more' if len(lines) > 8 else ''
    if not lines:
        return ''
    return f'left out {counted(len(lines), "file")}: {", ".join(lines[:8])}{more}'


def progress(
    items: Iterable[T], where: str, total: int, what: str = 'files read'
) -> Iterator[T]:
    """Yields the items, and prints how many are done after 3 s and every 10 s."""
    due = time.monotonic() + 3
    for count, item in enumerate(items):
        if time.monotonic() > due:
            due = time.monotonic() + 10
            print(
                f'{where}: {count:,} of {total:,} {what}',
                file=sys.stderr,
                flush=True,
            )
        yield item
