"""The folder of a run: its config, its lock, its summary.

A run folder alone is enough to resume, evaluate, sample and compare. The same command
finds the same folder and goes on; another config is refused.
"""

import functools
import importlib.metadata
import json
import platform
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TextIO

from ml_collections import ConfigDict

from gan_vae import config as config_lib
from gan_vae import files
from gan_vae.data import readers
from gan_vae.data.texts import KINDS, Text
from gan_vae.errors import UserError

PACKAGES = ('gan_vae', 'jax', 'flax', 'optax', 'orbax-checkpoint', 'numpy')


def claim(workdir: str | Path, config: ConfigDict) -> TextIO:
    """Makes `workdir` the folder of this run, or says why it cannot be.

    Returns a handle that holds the folder's lock as long as it lives. A folder or file
    of data may have moved: the hash of the data in a checkpoint tells whether they are
    the same, and `write_config` then keeps the new place.
    """
    workdir = Path(workdir)
    files.refuse_file(workdir)
    try:
        workdir.mkdir(parents=True, exist_ok=True)
        lock = files.try_lock(workdir / '.lock')
    except OSError as error:
        raise UserError(
            f'cannot write in the run folder {workdir}: {error.strerror}; choose '
            'another with --workdir'
        ) from error
    if lock is None:
        raise UserError(f'another process is training in {workdir}')
    if not (workdir / 'config.json').exists():
        write_config(workdir, config)
        return lock
    stored = read_config(workdir)
    old, new = (config_lib.flatten(c)['data.name'] for c in (stored, config))
    if readers.differ_in_place(old, new):
        config_lib.override(stored, 'data.name', new)
    if changed := config_lib.differences(stored, config):
        raise UserError(
            f'{workdir} holds a run of another config ({"; ".join(changed)}): use '
            'those values, or another --workdir'
        )
    return lock


def write_config(workdir: str | Path, config: ConfigDict):
    """config.json: all that the run computes follows from it and the data."""
    files.write(Path(workdir) / 'config.json', config_lib.to_json(config) + '\n')


def read_config(workdir: str | Path) -> Any:
    """The config of the run in `workdir`."""
    file = Path(workdir) / 'config.json'
    files.refuse_file(file.parent)
    if not file.is_file():
        raise UserError(
            f'no run in {workdir}: it has no config.json, as training makes it'
        )
    try:
        text = file.read_text('utf-8')
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f'{file} cannot be read: {error}') from error
    return config_lib.from_json(text, str(file))


def write_classes(workdir: str | Path, names: Iterable[str]):
    """classes.json: the names by which a class is asked for, in order of their ids."""
    text = json.dumps(list(names), indent=1)
    files.write(Path(workdir) / 'classes.json', text + '\n')


def read_classes(workdir: str | Path) -> tuple[str, ...]:
    """The names of classes.json; none where the model has no classes."""

    def is_valid(names: Any) -> bool:
        return isinstance(names, list) and all(isinstance(n, str) for n in names)

    file = Path(workdir) / 'classes.json'
    return tuple(_read_json(file, [], is_valid, 'the training command writes it again'))


def write_text(workdir: str | Path, text: Text):
    """text.json: the words or characters that a model knows, and some of its texts."""
    about = json.dumps(text._asdict(), indent=1, ensure_ascii=False)
    files.write(Path(workdir) / 'text.json', about + '\n')


def read_text(workdir: str | Path) -> Text | None:
    """What text.json says; None where the model has none."""

    def is_valid(about: Any) -> bool:
        if about is None:
            return True
        words = [*about['words'], *about['captions']]
        kinds = (*KINDS, 'characters')
        right = about['kind'] in kinds and all(isinstance(w, str) for w in words)
        return right and 0 < int(about['length']) < 2**16 and len(words) < 2**17

    file = Path(workdir) / 'text.json'
    about = _read_json(file, None, is_valid, 'the training command writes it again')
    if about is None:
        return None
    words, captions = tuple(about['words']), tuple(about['captions'])
    return Text(about['kind'], words, int(about['length']), captions)


def read_summary(workdir: str | Path) -> dict[str, Any]:
    """summary.json, or {} before there is one."""
    return _read_json(
        Path(workdir) / 'summary.json',
        {},
        lambda summary: isinstance(summary, dict),
        'delete it, and run the training again',
    )


def _read_json(
    file: Path, default: Any, is_valid: Callable[[Any], bool], remedy: str
) -> Any:
    """The content of a file, or `default` where there is none."""
    try:
        content = json.loads(file.read_text()) if file.exists() else default
        if not is_valid(content):
            raise ValueError('not what a run writes')
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f'{file} is damaged ({error}): {remedy}') from error
    return content


def write_summary(workdir: str | Path, summary: dict[str, Any]):
    """summary.json: config_name, step, metrics, speed, state_sha256, versions, ..."""
    text = json.dumps(summary, indent=2)
    files.write(Path(workdir) / 'summary.json', text + '\n')


@functools.cache
def versions() -> dict[str, str]:
    """Of Python and of the packages that decide what a run computes."""
    versions = {'python': platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = 'not installed'
    return versions


@functools.cache
def git_commit() -> str:
    """The commit of this code, '+changes' where it is not just that; '' if unknown."""
    root = Path(__file__).resolve().parents[2]
    if not (root / '.git').exists():  # installed, perhaps below another repository
        return ''

    def git(*words: str):
        command = ['git', '-C', str(root), *words]
        return subprocess.check_output(
            command, stderr=subprocess.DEVNULL, text=True
        ).strip()

    try:
        changes = '+changes' if git('status', '--porcelain', '-uno') else ''
        return git('rev-parse', '--short=12', 'HEAD') + changes
    except (OSError, subprocess.CalledProcessError):
        return ''
