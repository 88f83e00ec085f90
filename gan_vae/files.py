"""Paths as people type them, and files that are there whole or not at all."""

import json
import os
import platform
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from gan_vae.errors import UserError
from gan_vae.interrupt import cleanup


def expand(path: str | Path) -> Path:
    """The path of a word, ~ for the home folder; as it is where there is none."""
    return Path(os.path.expanduser(path))


def refuse_file(path: Path):
    """A UserError where a folder is wanted and a file lies there."""
    if path.is_file():
        raise UserError(f'{path} is a file, and not a folder')


def lock(path: Path) -> TextIO:
    """Opens a file and locks it against all processes; waits for who has it locked.

    The lock lasts until the handle is closed, here and in every child that inherited
    it, or all of them have ended. Where the file system has no locks one line says so,
    and nothing is locked. An OSError where the file cannot be opened.
    """
    handle = open(path, 'a')
    _lock(handle, blocking=True)
    return handle


def try_lock(path: Path) -> TextIO | None:
    """As `lock`, without waiting: None where another process has it locked."""
    handle = open(path, 'a')
    if _lock(handle, blocking=False):
        return handle
    handle.close()
    return None


def _lock(handle: TextIO, blocking: bool) -> bool:
    from filelock import lock_descriptor

    try:
        return lock_descriptor(handle.fileno(), blocking=blocking)
    except OSError as error:
        device = os.fstat(handle.fileno()).st_dev
        if device not in _unlocked:
            _unlocked.add(device)
            print(
                f'gan_vae: the file system of {handle.name} has no locks '
                f'({error.strerror}): use it by one command at a time',
                file=sys.stderr,
                flush=True,
            )
        return True


_unlocked: set[int] = set()  # file systems whose lack of locks was printed


def write(path: str | Path, content: bytes | str) -> Path:
    """Writes a file, and its folder where there is none.

    Who reads it meanwhile, or after a kill, finds what was there before. One writer of
    a path at a time; an OSError as of any write.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + '.part')
    part.write_bytes(content.encode() if isinstance(content, str) else content)
    os.replace(part, path)
    return path


def write_among_writers(path: Path, content: bytes):
    """Replaces a file that other processes, or other hosts, may replace meanwhile."""
    part = path.with_name(f'.{path.name}.{platform.node()}.{os.getpid()}')
    part.write_bytes(content)
    os.replace(part, path)


@contextmanager
def temporary_folder(beside: Path | None = None) -> Iterator[Path]:
    """A new folder in `beside`, or where the system has such; gone at the end, also
    where a signal ends the process."""
    folder = Path(tempfile.mkdtemp(dir=beside, prefix='part-'))

    def remove():
        for _ in range(50):  # other threads may be writing in it
            shutil.rmtree(folder, ignore_errors=True)
            if not folder.exists():
                return
            time.sleep(0.01)

    with cleanup(remove):
        yield folder


def filled(template: str, parts: Mapping[str, str]) -> str:
    """A template with each @NAME@ replaced at once: no part is looked through."""
    return re.sub(f'@({"|".join(parts)})@', lambda name: parts[name[1]], template)


def json_lines(path: Path, most: int | None = None) -> list[dict]:
    """The JSON objects of a file, a line each; none where there is no file.

    What a kill or a writer left of a line is left out. most: bytes that are read, from
    the end.
    """
    objects, raw = [], b''
    if path.is_file():
        with open(path, 'rb') as stream:
            if most is not None and path.stat().st_size > most:
                stream.seek(-most, os.SEEK_END)
            raw = stream.read()
    for line in raw.decode('utf-8', 'replace').splitlines():
        try:
            objects.append(json.loads(line))
        except ValueError:
            continue
    return [each for each in objects if isinstance(each, dict)]
