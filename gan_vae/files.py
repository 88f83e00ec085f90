"""Paths as people type them, and files that are there whole or not at all."""

import os
from pathlib import Path


def expand(path) -> Path:
    """The path of a word, ~ for the home folder; as it is where there is none."""
    return Path(os.path.expanduser(path))


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
