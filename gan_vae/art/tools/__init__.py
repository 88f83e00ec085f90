"""What a tool of `python -m gan_vae.art` is: a name, its flags, and a pure function.

  Asked (run, things, flags) --make--> Made (pictures, frames, sequences, words)

A module of this folder holds TOOLS {name: Tool} and is listed in MODULES; what it
computes lives in gan_vae/art as functions of arrays. The command itself (making.py)
opens the run, reads and hashes what is given, writes what is made with its provenance,
and refuses to overwrite: a tool does none of that.
"""

from argparse import Namespace
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from gan_vae.errors import UserError, unknown
from gan_vae.flags import step

MODULES = {
    'sample': 'samples',
    'traversals': 'traversals',
    'complete': 'sequences',
    'interpolate': 'interpolation',
    'breed': 'breeding',
    'directions': 'directions',
    'move': 'directions',
    'project': 'projection',
    'inpaint': 'restoration',
    'upscale': 'restoration',
    'denoise': 'restoration',
    'deblur': 'restoration',
    'colourise': 'restoration',
    'index': 'search',
    'similar': 'search',
    'recommend': 'search',
    'original': 'search',
    'rank': 'taste',
    'edit': 'editing',
    'style': 'styling',
}


class Flag(NamedTuple):
    """--NAME=VALUE. `kind`: text -> value, ValueError for bad text; bool: a switch."""

    default: Any
    kind: Callable = str
    says: str = ''
    file: bool = False  # the path of a file that is given: hashed, as things are


class Picture(NamedTuple):
    """One file of what was made, NUMBER[-name].png."""

    image: np.ndarray  # uint8 [H, W, C], C 1, 3 or 4
    name: str = ''
    about: dict = {}  # more provenance, of this picture alone: JSON


class Made(NamedTuple):
    """What a tool gives back."""

    pictures: list[Picture] = []
    columns: int | None = None  # of the sheet of all pictures, if they are of one size
    sheet: np.ndarray | None = None  # uint8 [H, W, C], in place of that
    frames: list[np.ndarray] = []  # of a film, uint8 [H, W, C]
    film: str = 'gif'  # or mp4
    sequences: list[np.ndarray] = []  # of a run of music or drawings, [T, D]
    files: dict[str, bytes] = {}  # anything else, by the name of its file
    begun: int = 0  # steps of each that were given, which is to be seen
    said: list[str] = []  # lines for the console
    found: dict = {}  # figures, for genealogy.json: JSON


class Run(NamedTuple):
    """A trained model, opened."""

    method: Any  # Method
    state: Any  # with the averaged weights alone, settled
    about: dict  # config, step, state_sha256, git_commit
    kind: str  # images, rolls or strokes
    config: Any
    classes: tuple[str, ...]  # names, none where the model has no classes


class Thing(NamedTuple):
    """A word of the command: the path of a file or a folder, or anything else."""

    word: str
    sha256: str = ''  # of a file's bytes, of a folder's names and bytes; '': no file
    about: dict = {}  # the provenance in a picture of ours


class Asked(NamedTuple):
    """What a tool is given."""

    tool: str
    run: Run | None  # None only of tools that need none
    things: list[Thing]
    flags: Namespace
    # (range or list, what is done) -> the same, with a progress bar, ended by Ctrl-C
    steps: Callable[[Any, str], Iterator]


class Tool(NamedTuple):
    """See the module. `takes`: usage of its things: '', 'THING', 'A B', 'PICTURE...'
    (one or more) or '[THING...]' (any number)."""

    says: str  # one line, for --help
    make: Callable[[Asked], Made]
    takes: str = ''
    flags: dict[str, Flag] = {}
    run: bool | None = True  # needs --workdir; False: takes none; None: may have one
    kinds: tuple[str, ...] = ('images',)  # of runs


SHARED = {  # flags of all tools; workdir and step of those with a run
    'workdir': Flag('', str, 'the folder of a run'),
    'step': Flag(None, step, "which checkpoint: a number, or 'best'; else the newest"),
    'seed': Flag(0, int, 'the same seed makes the same files'),
    'out': Flag('', str, 'a folder; by default art/TOOL-N, the first that is free'),
    'force': Flag(False, bool, 'write in a folder that has something in it'),
}


def find(name: str) -> Tool:
    """The tool of that name; a UserError for any other."""
    if name not in MODULES:
        raise unknown('tool', name, MODULES)
    return import_module(f'gan_vae.art.tools.{MODULES[name]}').TOOLS[name]


def flags_of(tool: Tool) -> dict[str, Flag]:
    """All flags that a tool knows."""
    left_out = ('workdir', 'step') if tool.run is False else ()
    shared = {name: flag for name, flag in SHARED.items() if name not in left_out}
    return shared | tool.flags


def count_of(takes: str) -> tuple[int, float]:
    """How many things a usage means, at least and at most."""
    words = takes.split()
    if not takes.endswith(('...', '...]')):
        return len(words), len(words)
    least = sum(not word.startswith('[') for word in words)
    return least, float('inf')


MANY = 10_000  # pictures that one command makes


def at_least(flags: Namespace, least: float, *names: str, most: float = float('inf')):
    """A UserError unless each of these flags is at least that, finite, and at most
    `most` (None: not given)."""
    for name in names:
        value = getattr(flags, name)
        if value is None:
            continue
        if not least <= value:
            raise UserError(f'--{name}={value}: must be at least {least:g}')
        if value > most or value == float('inf'):
            limit = 'finite' if most == float('inf') else f'at most {most:g}'
            raise UserError(f'--{name}={value}: must be {limit}')
