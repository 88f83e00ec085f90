"""The tools of `python -m gan_vae.art`: each a module here, found by its name.

  Request (model, inputs, flags)  --make--> Result (pictures, sequences, metrics ...)

A module has TOOL, and the first line of its docstring is what the listing says. What a
tool computes lives in gan_vae/art as functions of arrays. The command (making.py)
checks flags, opens the model, reads the inputs, and writes the result.
"""

import ast
import math
import pkgutil
import sys
from argparse import Namespace
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gan_vae import modules
from gan_vae.errors import UserError, unknown
from gan_vae.flags import step

MANY = 10_000  # pictures that one command makes
COMMANDS = {  # beside the tools, each with its own usage
    'codec': 'Pictures as one file without loss, by a VAE, and back.',
    'reproduce': 'A file made again from its provenance, compared bit for bit.',
    'sign': 'A copy of a picture or film with signed content credentials (C2PA).',
    'verify': 'Whose the content credentials of a file are, and whether they hold.',
}


class Flag(NamedTuple):
    """--NAME=VALUE. `kind`: text -> value, ValueError for bad text; bool: a switch."""

    default: Any
    kind: Callable = str
    help: str = ''
    file: bool = False  # the path of a file or folder, or several with commas: hashed
    least: float | None = None  # of a number, with `most`; None: any
    most: float = math.inf
    choices: Collection[str] = ()  # of a word


class Picture(NamedTuple):
    """One file of a result, NUMBER[-name].png."""

    image: np.ndarray  # uint8 [H, W, C], C 1, 3 or 4
    name: str = ''
    provenance: dict = {}  # of this picture alone, beside the command's: JSON


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a tool makes."""

    pictures: list[Picture] = field(default_factory=list)
    columns: int | None = None  # of the sheet of all pictures, if they are of one size
    sheet: np.ndarray | None = None  # uint8 [H, W, C], in place of that
    frames: list[np.ndarray] = field(default_factory=list)  # of a film, [H, W, C]
    film: str = 'gif'  # or mp4
    sequences: list[np.ndarray] = field(default_factory=list)  # music, drawings: [T, D]
    prompt_steps: int = 0  # of each sequence that were given, and are marked as such
    files: dict[str, bytes] = field(default_factory=dict)  # others, by their names
    messages: list[str] = field(default_factory=list)  # lines for the console
    metrics: dict = field(default_factory=dict)  # for OUT.json: JSON


class Model(NamedTuple):
    """A trained model, opened."""

    method: Any  # methods.Method
    weights: Any  # the averaged weights, settled
    about: dict  # config, step, state_sha256, git_commit, workdir (as it is recorded)
    kind: str  # images, rolls or strokes
    config: Any
    classes: tuple[str, ...]  # names, none where the model has no classes
    workdir: str  # where it lies
    base: 'Model | None' = None  # whose styles are the latents of this one


class Input(NamedTuple):
    """A word of the command: the path of a file or a folder, or anything else."""

    word: str
    name: str  # as it is recorded: no folders of this machine, see making
    sha256: str = ''  # of a file's bytes, of a folder's names and bytes; '': no file
    provenance: dict = {}  # in a picture that a tool has made


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a tool is to make, of what."""

    tool: str
    inputs: list[Input]
    flags: Namespace
    files: dict[str, Input]  # of the flags that are files, those that are given
    # (range or list, what is done) -> its items; shows progress, and ends at Ctrl-C
    progress: Callable[[Any, str], Iterator]
    model: Model | None = None


@dataclass(frozen=True, kw_only=True)
class ModelRequest(Request):
    """A Request with a model."""

    model: Model


@dataclass(frozen=True, kw_only=True)
class Tool:
    """What all tools have. One of the three classes below says which model it takes.

    takes: usage of its inputs: '', 'THING', 'A [B]', 'PICTURE...' (one or more) or
    '[THING...]' (any number).
    """

    make: Callable[[Any], Result]
    takes: str = ''
    flags: dict[str, Flag] = field(default_factory=dict)
    kinds: tuple[str, ...] = ('images',)  # of models


@dataclass(frozen=True, kw_only=True)
class ToolWithoutModel(Tool):
    make: Callable[[Request], Result]


@dataclass(frozen=True, kw_only=True)
class ToolWithOptionalModel(Tool):
    """Its requests are ModelRequests where there is a model: --workdir, or else that of
    `default`."""

    make: Callable[[Request], Result]
    default: Callable[[Namespace], str] = lambda flags: ''  # '': none


@dataclass(frozen=True, kw_only=True)
class ToolWithModel(Tool):
    make: Callable[[ModelRequest], Result]


SHARED = {  # flags of all tools; workdir and step of those with a model
    'workdir': Flag('', str, 'a model: the folder of a run, or pretrained:NAME'),
    'step': Flag(None, step, "which checkpoint: a number, or 'best'; else the newest"),
    'seed': Flag(0, int, 'the same seed makes the same files', least=0, most=2**32 - 1),
    'out': Flag('', str, 'a folder; by default art/TOOL-N, the first that is free'),
    'force': Flag(False, bool, 'write in a folder that has something in it'),
}


def names() -> list[str]:
    """Of all tools that come with the package."""
    return [module.name for module in pkgutil.iter_modules(__path__)]


def summary(name: str) -> str:
    """What a command does, in a line; imports nothing."""
    if name in COMMANDS:
        return COMMANDS[name]
    if '.' in name:
        return (sys.modules[name].__doc__ or '').partition('\n')[0]
    text = (Path(__path__[0]) / f'{name}.py').read_text('utf-8')
    return (ast.get_docstring(ast.parse(text)) or '').partition('\n')[0]


def find(name: str) -> Tool:
    """The tool of that name, or of the module of the user's own with a dotted name; a
    UserError for any other."""
    if '.' not in name:
        if name not in names():
            raise unknown('tool', name, [*names(), *COMMANDS])
        return import_module(f'{__name__}.{name}').TOOL
    tool = modules.own(name, '', 'TOOL').TOOL
    if not isinstance(tool, Tool):
        raise UserError(f'{name} has no TOOL, as modules of gan_vae/art/tools have')
    return tool


def flags_of(tool: Tool) -> dict[str, Flag]:
    """All flags that a tool takes."""
    left_out = ('workdir', 'step') if isinstance(tool, ToolWithoutModel) else ()
    shared = {name: flag for name, flag in SHARED.items() if name not in left_out}
    return shared | tool.flags


def defaults(tool: Tool) -> dict[str, Any]:
    """The values of all flags of a tool where none is given."""
    return {name: flag.default for name, flag in flags_of(tool).items()}


def count_of(takes: str) -> tuple[int, float]:
    """How many inputs a usage means, at least and at most."""
    words = takes.split()
    least = sum(not word.startswith('[') for word in words)
    return least, math.inf if '...' in takes else len(words)


def check(table: dict[str, Flag], flags: Namespace):
    """A UserError for a word that is no choice of its flag, or a number out of range
    (None: not given)."""
    for name, flag in table.items():
        value = getattr(flags, name)
        if flag.choices and value not in flag.choices and value is not None:
            raise unknown(f'--{name}', value, flag.choices)
        if flag.least is None or value is None:
            continue
        if not flag.least <= value <= flag.most or value == math.inf:
            limits = f'from {flag.least} to {flag.most}'
            if flag.most == math.inf:
                limits = 'finite' if value == math.inf else f'at least {flag.least}'
            raise UserError(f'--{name}={value}: must be {limits}')
