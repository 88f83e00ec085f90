"""The sections of a config, and where the settings of each are declared.

`data`, `optimizer`, `train`, `eval` and `parallel` are the same for all runs; `method`
and `model` are those of the method that `config.method.name` names: a package of
gan_vae/methods, or a dotted module of the user's own. Reading them imports no JAX.
"""

import dataclasses
import functools
import pkgutil
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

from gan_vae.config import fields
from gan_vae.errors import UserError, unknown

SHARED = {
    'data': 'gan_vae.data.settings',
    'optimizer': 'gan_vae.learning.settings',
    'train': 'gan_vae.training.settings',
    'eval': 'gan_vae.evaluation.settings',
    'parallel': 'gan_vae.devices.settings',
}
METHODS = Path(__file__).resolve().parents[1] / 'methods'


@functools.cache
def methods() -> tuple[str, ...]:
    """The names of the methods that the package has."""
    return tuple(m.name for m in pkgutil.iter_modules([str(METHODS)]) if m.ispkg)


def method(name: str) -> ModuleType:
    """The module that declares a method by Settings, Networks and KIND."""
    if '.' not in name:
        if name not in methods():
            raise unknown('config.method.name', name, methods())
        return import_module(f'gan_vae.methods.{name}')
    return own_module(name, 'config.method.name', 'Settings')


def search_working_directory():
    """Modules of the user's own may lie in the working directory."""
    if '' not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))


def own_module(name: str, key: str, *needs: str) -> ModuleType:
    """A module of the user's own, which has those names; UserError for any other.

    It is looked for in the working directory too.
    """
    search_working_directory()
    try:
        module = import_module(name)
    except ModuleNotFoundError as error:
        if error.name and name.startswith(error.name):
            raise UserError(
                f'{key}={name}: no module {error.name!r} in the working directory or '
                'among the installed packages'
            ) from error
        raise UserError(f'{key}={name}: {error}') from error
    except Exception as error:  # the user's own code: name module and fault
        raise UserError(f'{key}={name}: {type(error).__name__}: {error}') from error
    for attribute in needs:
        if not hasattr(module, attribute):
            raise UserError(f'{key}={name}: the module has no {attribute!r}')
    return module


@dataclasses.dataclass(frozen=True)
class _None:
    """The section `model` of a method that declares no `Networks`."""


def settings_of(section: str, name: str) -> type:
    """The settings class of a section, of a run by the method `name`."""
    if section == 'method':
        return method(name).Settings
    if section == 'model':
        return getattr(method(name), 'Networks', _None)
    return import_module(SHARED[section]).Settings


def describe(topic: str) -> str:
    """The keys of 'method.vae', 'model.gan' or 'data', a line each; of 'config' the
    sections and methods that there are. A UserError for any other topic."""
    section, _, name = topic.partition('.')
    if section in SHARED and not name:
        titles = {section: settings_of(section, '')}
    elif section in ('method', 'model') and name:
        both = ('method', 'model') if section == 'method' else ('model',)
        titles = {part: settings_of(part, name) for part in both}
    elif topic in ('config', 'method', 'model'):
        listed = [f'  --help={s}' for s in SHARED]
        listed += [f'  --help=method.{name}' for name in methods()]
        return '\n'.join(['the keys of a config, by section:', *listed])
    else:
        topics = ['config', *SHARED, *(f'method.{name}' for name in methods())]
        raise unknown('topic of --help', topic, topics)
    lines = []
    for part, settings in titles.items():
        lines += [f'config.{part}', *fields.table(part, settings)]
    return '\n'.join(lines)


SECTIONS = ('data', 'model', 'method', 'optimizer', 'train', 'eval', 'parallel')


def keys(section: str, name: str) -> dict[str, dataclasses.Field]:
    """{leaf: field} of a section."""
    return {f.name: f for f in dataclasses.fields(settings_of(section, name))}


def owners(key: str) -> list[str]:
    """The methods that have 'method.KEY' or 'model.KEY'."""
    section, _, leaf = key.rpartition('.')
    if section not in ('method', 'model'):
        return []
    return [name for name in methods() if leaf in keys(section, name)]
