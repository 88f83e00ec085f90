"""Runs the Python files that a user writes: configs and experiments."""

import importlib.machinery
import importlib.util
import re
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from gan_vae.config import sections
from gan_vae.errors import UserError

_LOCK = threading.RLock()  # sys.modules belongs to all threads


@contextmanager
def running(file: Path, what: str) -> Iterator[ModuleType]:
    """Runs `file` and gives its module; the block may call what it defines.

    `from configs import default` gives the defaults of the package wherever the file
    is, unless it is in a folder `configs` with a default.py of its own. Other modules
    of `configs` are searched for beside the file first, then on sys.path. Whatever the
    file or the block raises becomes a UserError of one line that starts with `what`.
    """
    folder = file.resolve().parent
    spec = importlib.util.spec_from_file_location(f'gan_vae_user_{file.stem}', file)
    assert spec and spec.loader  # the name of a Python file
    module = importlib.util.module_from_spec(spec)
    # At the end, so that a module of the user's project replaces none of a library.
    for place in map(str, (folder.parent, Path.cwd())):
        if place not in sys.path:
            sys.path.append(place)
    with _LOCK, _configs_of(folder):
        try:
            spec.loader.exec_module(module)
            yield module
        except UserError:
            raise
        except Exception as error:
            raise UserError(f'{what}{_line(file, error)}: {_fault(error)}') from error


def _line(file: Path, error: Exception) -> str:
    """', line 3': where in the file it is, if it is there."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(file)]
    return f', line {lines[-1]}' if lines else ''


def _fault(error: Exception) -> str:
    """An exception in one line; of a config key that does not exist, whose it is."""
    key = re.search(r'Key "(\w+)" does not exist', str(error))
    if key is None:
        return f'{type(error).__name__}: {" ".join(str(error).split())}'
    of = [
        f'{section}.{key[1]} is of the method {", ".join(names)}'
        for section in ('method', 'model')
        if (names := sections.owners(f'{section}.{key[1]}'))
    ]
    meant = re.search(r'Did you mean ("\w+")', str(error))
    hints = of or ([f'did you mean {meant[1]}?'] if meant else [])
    return f'there is no key {key[1]!r} here' + (
        f' ({"; ".join(hints)})' if hints else ''
    )


@contextmanager
def _configs_of(folder: Path) -> Iterator[None]:
    """Makes `import configs` that of a file in `folder`, until the block ends."""
    from gan_vae.config import default

    def take() -> dict[str, ModuleType]:
        names = [n for n in sys.modules if n == 'configs' or n.startswith('configs.')]
        return {name: sys.modules.pop(name) for name in names}

    own = [folder] if folder.name == 'configs' else []
    others = [p for p in (Path(entry, 'configs') for entry in sys.path) if p.is_dir()]
    package = ModuleType('configs')
    package.__path__ = [str(p) for p in own + others]
    package.__spec__ = importlib.machinery.ModuleSpec('configs', None, is_package=True)
    before = take()
    sys.modules['configs'] = package
    if not own or not (folder / 'default.py').is_file():
        sys.modules['configs.default'] = default
        package.__dict__['default'] = default
    try:
        yield
    finally:
        take()
        sys.modules.update(before)
