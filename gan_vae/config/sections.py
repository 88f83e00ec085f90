"""The sections of a config, and where the settings of each are declared.

`data`, `optimizer`, `privacy`, `train`, `eval` and `parallel` are the same for all
runs; `method` and `model` are those of the method that `config.method.name` names: a
package of gan_vae/methods, or a dotted module of the user's own. Reading them imports
no JAX.
"""

import dataclasses
import functools
import pkgutil
from importlib import import_module
from types import ModuleType
from typing import Any

from gan_vae import modules
from gan_vae.config import fields
from gan_vae.errors import unknown

SHARED = {
    'data': 'gan_vae.data.settings',
    'optimizer': 'gan_vae.learning.settings',
    'privacy': 'gan_vae.learning.privacy',
    'train': 'gan_vae.training.settings',
    'eval': 'gan_vae.evaluation.settings',
    'parallel': 'gan_vae.devices.settings',
}
SECTIONS = (
    'data',
    'model',
    'method',
    'optimizer',
    'privacy',
    'train',
    'eval',
    'parallel',
)


@functools.cache
def methods() -> tuple[str, ...]:
    """The names of the methods that the package has."""
    folder = fields.PACKAGE / 'methods'
    return tuple(m.name for m in pkgutil.iter_modules([str(folder)]) if m.ispkg)


def method(name: str) -> ModuleType:
    """The module that declares a method by Settings, Networks and KIND."""
    if '.' not in name:
        if name not in methods():
            raise unknown('config.method.name', name, methods())
        return import_module(f'gan_vae.methods.{name}')
    return modules.own(name, 'config.method.name', 'Settings')


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
    topics = [*SHARED, *(f'method.{each}' for each in methods())]
    if section in SHARED and not name:
        parts = [section]
    elif section in ('method', 'model') and name:
        parts = ['method', 'model'] if section == 'method' else ['model']
    elif topic in ('config', 'method', 'model'):
        listed = (f'  --help={each}' for each in topics)
        return '\n'.join(['the keys of a config, by section:', *listed])
    else:
        raise unknown('topic of --help', topic, ['config', *topics])
    lines = []
    for part in parts:
        lines += [f'config.{part}', *fields.table(part, settings_of(part, name))]
    return '\n'.join(lines)


def keys(section: str, name: str) -> dict[str, dataclasses.Field[Any]]:
    """{leaf: field} of a section."""
    return {f.name: f for f in dataclasses.fields(settings_of(section, name))}


def all_keys(name: str) -> dict[str, dataclasses.Field[Any]]:
    """{'section.leaf': field} of a run by the method `name`."""
    return {
        f'{section}.{leaf}': field
        for section in SECTIONS
        for leaf, field in keys(section, name).items()
    }


def owners(key: str) -> list[str]:
    """The methods that have 'method.KEY' or 'model.KEY'."""
    section, _, leaf = key.rpartition('.')
    if section not in ('method', 'model'):
        return []
    return [name for name in methods() if leaf in keys(section, name)]
