"""One key, one line: default, range or choices, unit, and reason. Nothing here is JAX.

A settings class is a frozen dataclass whose fields are made here. `check` holds its
values against what the fields say; what concerns two keys is the class's own `check`.
"""

import ast
import dataclasses
import functools
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gan_vae import modules
from gan_vae.errors import UserError, unknown

PACKAGE = Path(__file__).resolve().parents[1]


def number(
    default: Any,
    says: str,
    *,
    least: float | None = None,
    below: float | None = None,
    one_of: tuple[Any, ...] = (),
    resumable: bool = False,
    of_networks: bool | str = False,
) -> Any:
    """An int, by default below 2**31, or a float, by the type of the default; finite,
    in [least, below).

    one_of: the only values. resumable: may differ between a run folder and the command
    that resumes it. of_networks: a field of the networks that the section names; of
    that for one role, if it is the name of a role.
    """
    if isinstance(default, int) and below is None:
        below = 2**31  # what counts on devices is an int32
    return _field(
        default,
        says,
        least=least,
        below=below,
        one_of=one_of,
        resumable=resumable,
        of_networks=of_networks,
    )


def switch(default: bool, says: str, *, resumable: bool = False) -> Any:
    """True or False."""
    return _field(default, says, resumable=resumable)


def text(
    default: str,
    says: str,
    *,
    resumable: bool = False,
    of_networks: bool | str = False,
) -> Any:
    """Any text; of_networks as that of `number`."""
    return _field(default, says, resumable=resumable, of_networks=of_networks)


def choice(
    default: str, *names: str, says: str, resumable: bool = False, own: bool = False
) -> Any:
    """One of `names`; own: or a dotted module of the user's own."""
    return _field(default, says, names=names, resumable=resumable, own=own)


def several(default: str, *names: str, says: str) -> Any:
    """Any of `names`, with commas between them; '' is none."""
    return _field(default, says, names=names, several=True)


def network(default: str, role: str, says: str) -> Any:
    """The name of a network for a role: of gan_vae/models, or a dotted module."""
    return _field(default, says, role=role)


def _field(default: Any, says: str, **rules: Any) -> Any:
    return dataclasses.field(default=default, metadata={'says': says, **rules})


@functools.cache
def declared(module: str, variable: str) -> tuple[str, ...]:
    """The keys of a dictionary at the top of a module, which is read, not imported.

    A table of functions that need JAX is so the one place of their names.
    """
    file = PACKAGE.parent.joinpath(*module.split('.')).with_suffix('.py')
    table = modules.assigned(ast.parse(file.read_text('utf-8')), variable)
    assert isinstance(table, ast.Dict), f'{module} has no dictionary {variable}'
    return tuple(ast.literal_eval(key) for key in table.keys if key)


def names_of(value: str) -> list[str]:
    """['bcr', 'zcr'] of 'bcr, zcr'."""
    return [name for name in map(str.strip, value.split(',')) if name]


def of_network(settings: Any, role: str) -> list[str]:
    """The keys of a section that are fields of the network for a role."""
    rules = {
        f.name: f.metadata.get('of_networks') for f in dataclasses.fields(settings)
    }
    return [name for name, of in rules.items() if of in (True, role)]


def check(section: str, settings: Any):
    """Raises a UserError for the first value that its field does not allow."""
    for field in dataclasses.fields(settings):
        key, value = f'config.{section}.{field.name}', getattr(settings, field.name)
        _check(key, value, field.metadata)
    if hasattr(settings, 'check'):
        settings.check()


def _check(key: str, value: Any, rules: Mapping[str, Any]):
    if names := rules.get('names'):
        known = [n for n in names if n]
        for name in names_of(value) if rules.get('several') else [value]:
            if rules.get('own') and '.' in name:
                if not modules.exists(name):
                    raise modules.absent(key, name)
            elif name not in names:
                if name:
                    raise unknown(key, name, known)
                raise UserError(f'{key} is empty: one of {", ".join(known)}')
    least, below, one_of = (rules.get(k) for k in ('least', 'below', 'one_of'))
    low, high = least is None or value >= least, below is None or value < below
    if isinstance(value, float) and not math.isfinite(value):
        rule = 'finite'
    elif isinstance(value, float) and not (low and high) and None not in (least, below):
        rule = f'in [{least}, {below})'
    elif not low:
        rule = f'at least {least}'
    elif not high:
        rule = f'below {below}'
    elif one_of and value not in one_of:
        rule = ' or '.join(map(str, one_of))
    else:
        return
    raise UserError(f'{key}={value}: must be {rule}')


def table(prefix: str, settings: type) -> list[str]:
    """A line for each key of a section: name, default, what is allowed, and reason."""
    lines = []
    for field in dataclasses.fields(settings):
        rules = field.metadata
        says = rules.get('says', '')
        names = [n or "''" for n in rules.get('names', ())]
        if names:
            own = ['or a module of your own'] if rules.get('own') else []
            says += f' ({", ".join(names + own)})'
        if rules.get('one_of'):
            says += f' ({" or ".join(map(str, rules["one_of"]))})'
        if rules.get('resumable'):
            says += ' [may change on resume]'
        name = f'{prefix}.{field.name}'
        lines.append(f'  {name:34s} {field.default!r:18} {says}')
    return lines
