"""Configs: load 'path.py:variant', override, validate, track reads, JSON both ways.

The keys are those that the settings classes declare (see sections.py), and the type of
a default is the type of its value. Every error here is one line (`UserError`), and none
needs JAX.
"""

import ast
import dataclasses
import json
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import ml_collections

from gan_vae.config import default, fields, history, sections, user_file
from gan_vae.errors import UserError, nearest


def load(spec: str, overrides: Mapping[str, str] | None = None) -> Any:
    """Loads `path.py[:variant]`, applies 'section.key' -> text overrides, validates.

    Returns a locked ConfigDict whose `name` is the file's stem, with the variant.
    """
    path, colon, variant = spec.partition('.py:')
    path += '.py' if colon else ''
    file = Path(path)
    if not file.is_file() or file.suffix != '.py':
        folder = file.parent if file.parent.is_dir() else Path('configs')
        known = [str(f) for f in sorted(folder.glob('*.py')) if f.stem != '__init__']
        if file.is_dir():
            raise UserError(f'--config={path} is a folder: give a file of it, NAME.py')
        if (named := Path('configs') / f'{path.partition(":")[0]}.py').is_file():
            raise UserError(f'no config file {path!r}: write {named}')
        where = '' if file.is_absolute() else ' in the working directory'
        raise UserError(f'no config file {path!r}{where}{nearest(path, known)}')
    with user_file.running(file, f'config {path}') as module:
        if not hasattr(module, 'get_config'):
            raise UserError(f'config {path} has no function get_config(variant)')
        config = module.get_config(variant)
    with config.unlocked():
        word = Path(variant).name.replace(':', '-')  # it may be a place, as runs/x
        config.name = file.stem + (f'-{word}' if word else '')
    overrides = dict(overrides or {})
    if 'method.name' in overrides:  # first, as it decides what keys there are
        override(config, 'method.name', overrides.pop('method.name'))
    for key, text in overrides.items():
        override(config, key, text)
    config = config.copy_and_resolve_references()
    config.lock()
    validate(config)
    return config


def override(config: Any, key: str, text: str):
    """Sets 'section.key' from the text of a command line, by the type it has."""
    flat = flatten(config)
    if key not in flat:
        raise _unknown_key(key, flat)
    if key == 'method.name':
        default.use_method(config, text)
        return
    kind = type(flat[key])
    if kind is str:
        value: Any = text
    else:
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            value = text
        if kind is float and (type(value) is int or text.lower() in ('nan', 'inf')):
            value = float(text)
        if kind is int and type(value) is float and value.is_integer():
            value = int(value)  # 1e5 steps
        if type(value) is not kind:
            raise UserError(
                f'config.{key}={text}: expected {kind.__name__}, as in {flat[key]!r}'
            )
    config.update_from_flattened_dict({key: value})


def _unknown_key(key: str, flat: dict[str, Any]) -> UserError:
    """Says whose key it is, or which is meant."""
    if of := sections.owners(key):
        name = flat['method.name']
        return UserError(
            f'config key {key!r} is of the method {", ".join(of)}, and this run is by '
            f'{name}: leave it out, or change the method by --config.method.name'
        )
    leaf = key.split('.')[-1]
    leaf = {'lr': 'learning_rate'}.get(leaf, leaf)
    same = [repr(k) for k in flat if k.split('.')[-1] == leaf]
    hint = f' (did you mean {" or ".join(same)}?)' if same else nearest(key, flat)
    return UserError(f'unknown config key {key!r}{hint}')


def flatten(config: Any) -> dict[str, Any]:
    """{'section.key': value} over all leaves."""
    flat = {}
    for key, value in config.items():
        if isinstance(value, ml_collections.ConfigDict | dict):
            flat |= {f'{key}.{leaf}': v for leaf, v in flatten(value).items()}
        else:
            flat[key] = value
    return flat


def validate(config: Any):
    """Raises a UserError for the first value that its key does not allow, for a key
    that the method or its networks do not have, and for keys that do not go together.
    """
    typed = {section: as_settings(config, section) for section in sections.SECTIONS}
    for section, settings in typed.items():
        fields.check(section, settings)
    _check_networks(typed['model'])
    if hasattr(typed['method'], 'check_data'):
        typed['method'].check_data(typed['data'])
    if hasattr(typed['method'], 'check_training'):
        typed['method'].check_training(typed['train'])


def as_settings(config: Any, section: str) -> Any:
    """A section of a config as the frozen dataclass that declares it.

    Of a `Reads`, what is read of it is remembered.
    """
    if isinstance(config, Reads):
        return config.recorded(section)
    method, values = config.method.name, dict(config[section])
    if section == 'method':
        del values['name']
    if values.keys() != sections.keys(section, method).keys():
        raise UserError(
            f'config.method.name={method} was set after the keys of another method '
            f"were made: begin with default.get_config('{method}')"
        )
    return sections.settings_of(section, method)(**values)


def _check_networks(model: Any):
    """Raises a UserError for a network that does not exist, and for a setting that none
    of the networks has."""
    models = import_module('gan_vae.models')  # found by name, as all settings are
    rules = [(f.name, getattr(model, f.name), f) for f in dataclasses.fields(model)]
    chosen = {
        key: (rule.metadata['role'], name)
        for key, name, rule in rules
        if 'role' in rule.metadata
    }
    for key, (role, name) in chosen.items():
        models.check(role, name, f'config.model.{key}')
    for key, value, rule in rules:
        owner = rule.metadata.get('of_networks')
        if not owner or value == rule.default:
            continue
        networks = [n for n in chosen.values() if owner in (True, n[0])]
        if not any(key in models.fields_of(*network) for network in networks):
            listed = ', '.join(f'{k} {name}' for k, (_, name) in chosen.items())
            raise UserError(
                f'config.model.{key}={value}: no network of this run has it ({listed})'
            )


def to_json(config: Any) -> str:
    """The resolved config as sorted, indented JSON."""
    return json.dumps(config.to_dict(), indent=2, sort_keys=True)


def from_json(text: str, where: str = 'config.json') -> Any:
    """The locked config written by `to_json`; unknown keys are errors.

    A key that a run of an earlier version does not have takes its default: new keys
    are added so that their default is what was done before.
    """
    try:
        stored = flatten(json.loads(text))
    except (ValueError, AttributeError) as error:
        raise UserError(f'{where} is not a run config: {error}') from error
    if not stored:
        raise UserError(f'{where} is not a run config: it is empty')
    config = default.get_config(stored.get('method.name', 'gan'))
    flat = flatten(config)
    history.renew(stored, flat)
    if odd := sorted(stored.keys() - flat.keys()):
        raise UserError(
            f'{where} was written by another version: unknown keys {", ".join(odd)}'
        )
    for key, value in stored.items():
        if type(value) is not type(flat[key]):
            raise UserError(f'{where}: {key}={value!r} should be like {flat[key]!r}')
    config.update_from_flattened_dict(stored)
    validate(config)
    return config


def resumable(method: str) -> set[str]:
    """The keys that may differ between a run folder and the command that resumes it:
    where things are and how often to look, nothing that changes what a run computes."""
    keys = sections.all_keys(method).items()
    return {key for key, field in keys if field.metadata.get('resumable')}


def differences(stored: Any, requested: Any) -> list[str]:
    """'key: stored -> requested' for what makes `requested` another run than `stored`.

    More steps are the same run going on, unless a schedule stretches with them.
    """
    old, new = flatten(stored), flatten(requested)
    if old['method.name'] != new['method.name']:
        return [f'method.name: {old["method.name"]!r} -> {new["method.name"]!r}']
    free = resumable(new['method.name'])
    if new['optimizer.schedule'] == 'constant':
        free.add('train.steps')
    schedule = new['optimizer.schedule']
    why = {
        'train.steps': f', over which optimizer.schedule={schedule} is spread: a new '
        'run with config.train.init_from goes on from its weights'
    }
    return [
        f'{key}: {old[key]!r} -> {new[key]!r}{why.get(key, "")}'
        for key in sorted(new)
        if key not in free and old[key] != new[key]
    ]


class Reads:
    """A read-only view of a config that remembers which keys were read."""

    def __init__(self, config: Any, prefix: str = '', seen: set[str] | None = None):
        self._config, self._prefix = config, prefix
        self._seen = set() if seen is None else seen

    def __getattr__(self, key: str) -> Any:
        value = getattr(self._config, key)
        if isinstance(value, ml_collections.ConfigDict):
            return Reads(value, f'{self._prefix}{key}.', self._seen)
        self._seen.add(self._prefix + key)
        return value

    def recorded(self, section: str) -> Any:
        """A section's settings, of which reads are remembered too."""
        settings = as_settings(self._config, section)
        kind, seen = type(settings), self._seen
        names = {f.name for f in dataclasses.fields(kind)}

        class Recorded(kind):
            def __getattribute__(self, name: str):
                if name in names:
                    seen.add(f'{section}.{name}')
                return super().__getattribute__(name)

        copy = object.__new__(Recorded)
        copy.__dict__.update(vars(settings))
        return copy

    def unread_settings(self) -> list[str]:
        """Keys set away from their default that nothing has read: dead settings."""
        flat = flatten(self._config)
        plain = flatten(default.get_config(self._config.method.name))
        return sorted(
            k
            for k in flat
            if flat[k] != plain[k] and k not in self._seen | {'name', 'method.name'}
        )

    @property
    def keys_read(self) -> frozenset[str]:
        return frozenset(self._seen)
