"""Paths as people type them, and files that are there whole or not at all."""

import os
import sys
from pathlib import Path
from typing import IO, Literal, overload


def expand(path) -> Path:
    """The path of a word, ~ for the home folder; as it is where there is none."""
    return Path(os.path.expanduser(path))


@overload
def lock(path, wait: Literal[True] = True) -> IO[str]: ...
@overload
def lock(path, wait: Literal[False]) -> IO[str] | None: ...
def lock(path, wait: bool = True) -> IO[str] | None:
    """Opens `path` and locks it against all processes; None if another has it locked.

    The lock lasts until the handle is closed, here and in every child that inherited
    it, or all of them have ended. `wait`: for it, so that None is not returned. Where
    the file system has no locks a line says so, and nothing is locked. An OSError where
    the file cannot be opened.
    """
    from filelock import lock_descriptor

    handle = open(path, 'a')
    try:
        if lock_descriptor(handle.fileno(), blocking=wait):
            return handle
    except OSError as error:
        _say_unlocked(os.fstat(handle.fileno()).st_dev, path, error.strerror)
        return handle
    handle.close()
    return None


_unlocked: set[int] = set()  # file systems whose lack of locks was printed


def _say_unlocked(device: int, path, reason: str):
    if device not in _unlocked:
        _unlocked.add(device)
        print(
            f'gan_vae: the file system of {path} has no locks ({reason}): use it by '
            'one command at a time',
            file=sys.stderr,
            flush=True,
        )


def write(path, content: bytes | str) -> Path:
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
