"""Readers of data sets: one module each, found by its name and imported when used.

A set is called NAME or PREFIX:REST. The name before the colon is a module of this
package (`emoji`, `folder:PATH`) or, with a dot in it, a module of the user's own
(`mine.reader:REST`); REST is the business of the reader alone. Any other name is that
of a set prepared by TFDS (`gan_vae/data/prepared.py`). A reader has

    KIND      'images', 'rolls', 'strokes' or 'text'
    REST      what stands after the colon, as in 'PATH'; without it nothing does
    DEFAULT   the REST that the name alone stands for; without it REST must be written
    PLACE     True: REST is where the data lie, and a run depends on their content alone
    load(rest, split, settings)   the Examples or Sequences of a split; `settings` is
                                  the section `data` of a config
    licence   the licence of the pictures in a line, or (rest, settings) -> it

and needs no entry in any list. It imports neither JAX nor TensorFlow at its top.
"""

import importlib
import os
import re
from types import ModuleType

from gan_vae import modules
from gan_vae.errors import UserError, nearest


def names() -> list[str]:
    """The readers of this package."""
    return modules.names(__name__)


def of(prefix: str) -> ModuleType | None:
    """The reader called `prefix`; None where it may be a set of TFDS."""
    if prefix in names():
        return _module(prefix)
    dotted = re.fullmatch(r'[^\W\d]\w*(\.[^\W\d]\w*)+', prefix)
    if dotted and not exists(prefix):
        return modules.own(prefix, 'config.data.name', 'KIND', 'load')
    return None


def find(name: str) -> tuple[ModuleType, str]:
    """(reader, REST) of the set `name`; a UserError where REST lacks or is too much."""
    prefix, colon, rest = name.partition(':')
    reader = of(prefix)
    if reader is None:
        from gan_vae.data import prepared

        return prepared, name
    form = getattr(reader, 'REST', '')
    rest = rest or getattr(reader, 'DEFAULT', '')
    if form and not rest:
        raise UserError(f'{name!r} names no data: write {prefix}:{form}')
    if colon and not form:
        raise UserError(f'{name!r}: the set {prefix!r} takes nothing after a colon')
    return reader, rest


def kind_of(name: str) -> str:
    """What the set `name` consists of: images, rolls, strokes or text."""
    reader, rest = find(name)
    return reader.kind(rest) if hasattr(reader, 'kind') else reader.KIND


def differ_in_place(old: str, new: str) -> bool:
    """Whether two names differ only in where the data lie."""
    (prefix, _, rest), (other, _, new_rest) = old.partition(':'), new.partition(':')
    if prefix != other or old == new:
        return False
    reader = of(prefix)
    parts = getattr(reader, 'REST', '').split(',')
    if set(parts) == {'SET'}:  # a set made of other ones
        olds, news = (r.split(',', len(parts) - 1) for r in (rest, new_rest))
        moved = map(lambda a, b: a == b or differ_in_place(a, b), olds, news)
        return len(olds) == len(news) and all(moved)
    return getattr(reader, 'PLACE', False)


def unknown(name: str, more: list[str], where: str) -> UserError:
    """The error for a name that is neither a reader's nor in `more`, sets of TFDS."""
    if exists(name):
        kind, form = ('file', 'zip') if os.path.isfile(name) else ('folder', 'folder')
        return UserError(f'{name!r} is a {kind}: write {form}:{name}')
    known = {prefix: prefix for prefix in names()}  # and what it takes, as folder:PATH
    for prefix in known:
        if rest := getattr(_module(prefix), 'REST', ''):
            known[prefix] = f'{prefix}:{rest}'
    hint = nearest(name.partition(':')[0], [*known, *more])
    for prefix, form in known.items():
        hint = hint.replace(repr(prefix), repr(form))
    return UserError(
        f'unknown data set {name!r}{hint}: use {", ".join(known.values())}, '
        f'MODULE.OF.YOURS, or a set that TFDS has prepared in {where}'
    )


def exists(path: str) -> bool:
    """Whether a word is a folder or an archive of the user's; never an OSError."""
    path = os.path.expanduser(path)
    return os.path.isdir(path) or (
        os.path.isfile(path) and path.lower().endswith('.zip')
    )


def _module(name: str) -> ModuleType:
    return importlib.import_module(f'{__name__}.{name}')
