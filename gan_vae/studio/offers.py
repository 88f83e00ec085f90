"""The tools that the page offers, and what of each it may set.

What is not listed here cannot be asked for: no flag that names a folder, a module or a
file of this machine. Inputs and files are ids of the album.
"""

import argparse
import re
from argparse import Namespace
from collections.abc import Callable, Mapping
from typing import Any

from gan_vae.art import tools
from gan_vae.art.tools import Flag
from gan_vae.errors import UserError, unknown

FEATURES = 'random'  # of indices: what pictures look like, without a download
_LAW = ('temperature', 'guidance', 'top_k', 'top_p')
_SAID = ('class', 'prompt')
_RESTORED = ('method', 'num', 'steps', 'size', 'restarts', *_SAID)
TOOLS: dict[str, tuple[str, ...]] = {
    'sample': ('num', 'truncation', 'pairs', *_LAW, *_SAID),
    'breed': ('num', 'how', 'mutation', *_SAID),
    'directions': ('method', 'factor', 'num', 'strength'),
    'move': ('along', 'strength'),
    'project': ('restarts', 'steps', 'space', *_SAID),
    'reword': ('to', 'was', 'num', 'guidance', 'temperature'),
    'inpaint': ('mask', *_RESTORED),
    'denoise': ('sigma', *_RESTORED),
    'deblur': ('radius', *_RESTORED),
    'upscale': ('factor', *_RESTORED),
    'colourise': ('num', 'steps', 'restarts', *_SAID),
    'restore': (),
    'translate': (),
    'edit': ('flip', 'exposure', 'contrast', 'saturation', 'size', 'palette', 'zoom'),
    'style': ('method', 'strength', 'size', 'colours', 'weights', 'mask', 'steps'),
    'index': (),
    'rank': ('index', 'pairs', 'num'),
}
FIXED = {'index': {'features': FEATURES}}  # flags that are the studio's own
LONGEST = 500  # letters of a text
INPUTS = 64
_NUMBER = re.compile('[0-9]{1,5}')  # of a sample


def described() -> dict[str, dict]:
    """JSON of all tools for the page: {tool: {flag: what it takes}}."""
    tables = {name: tools.flags_of(tools.find(name)) for name in TOOLS}
    return {
        name: {key: _flag(table[key]) for key in allowed(name)}
        for name, table in tables.items()
    }


def _flag(flag: Flag) -> dict:
    kinds: Mapping[Any, str] = {int: 'whole', float: 'number', bool: 'switch'}
    return {
        'help': flag.help,
        'kind': 'file' if flag.file else kinds.get(flag.kind, 'text'),
        'default': flag.default,
        'least': flag.least,
        'most': None if flag.most == float('inf') else flag.most,
        'choices': list(flag.choices),
    }


def allowed(name: str) -> tuple[str, ...]:
    """The flags of a tool that a page may set."""
    return (*TOOLS[name], 'seed')


def read(
    asked: Any, place: Callable[[str], str], model: Callable[[str], str]
) -> tuple[str, list[str], Namespace]:
    """(tool, words, flags) of what a page asks for, as making.make takes them.

    asked: {'tool', 'model', 'inputs', 'flags'}. place: path of an id of the album;
    model: workdir of an id of a model. A UserError for all that is not offered.
    """
    if not isinstance(asked, dict):
        raise UserError('a job is a JSON object')
    name = asked.get('tool')
    if not isinstance(name, str) or name not in TOOLS:
        raise unknown('tool', str(name)[:50], TOOLS)
    tool = tools.find(name)
    inputs, given = asked.get('inputs', []), asked.get('flags', {})
    if not isinstance(inputs, list) or len(inputs) > INPUTS:
        raise UserError(f'inputs: a list of {INPUTS} at most')
    if not isinstance(given, dict):
        raise UserError('flags: a JSON object')
    words = [word_of(one, place) for one in inputs]
    least, most = tools.count_of(tool.takes)
    if not least <= len(words) <= most:
        takes = tool.takes or 'no pictures'
        raise UserError(f'{name} takes {takes}, and {len(words)} were given')
    table, values = tools.flags_of(tool), tools.defaults(tool) | FIXED.get(name, {})
    for key, value in given.items():
        if key not in allowed(name):
            raise unknown(f'flag of {name}', str(key)[:50], allowed(name))
        if value not in (None, ''):
            values[key] = _value(key, table[key], value, place)
    if asked.get('model') and 'workdir' in values:
        values['workdir'] = model(str(asked['model']))
    flags = Namespace(**values)
    tools.check(table, flags)
    return name, words, flags


def word_of(one: Any, place: Callable[[str], str]) -> str:
    """The path of an id, or the number of a sample."""
    if isinstance(one, int | str) and _NUMBER.fullmatch(str(one)):
        return str(one)
    return place(str(one))


def _value(key: str, flag: Flag, value: Any, place: Callable[[str], str]) -> Any:
    if flag.kind is bool:
        if not isinstance(value, bool):
            raise UserError(f'--{key}: true or false')
        return value
    if flag.file:
        ids = value if isinstance(value, list) else [value]
        if len(ids) > INPUTS:
            raise UserError(f'--{key}: {INPUTS} files at most')
        return ','.join(place(str(one)) for one in ids)
    text = str(value)
    if isinstance(value, dict | list) or len(text) > LONGEST or not text.isprintable():
        raise UserError(f'--{key}: one line of {LONGEST} letters at most')
    try:
        return flag.kind(text)
    except (ValueError, argparse.ArgumentTypeError) as error:
        raise UserError(f'--{key}={text[:50]}: {flag.help}') from error
