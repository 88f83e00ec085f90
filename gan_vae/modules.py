"""Modules found by name: those of a package, and a user's own by a dotted name."""

import ast
import hashlib
import importlib
import importlib.util
import os
import pkgutil
import re
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from gan_vae.errors import UserError, nearest, not_installed, short


def names(package: str) -> list[str]:
    """The modules of a package, none of them imported."""
    spec = importlib.util.find_spec(package)
    places = spec and spec.submodule_search_locations
    return sorted(module.name for module in pkgutil.iter_modules(places or []))


@cache
def literal(module: str, variable: str) -> Any | None:
    """The literal that a module assigns to `variable`, read without importing it."""
    spec = importlib.util.find_spec(module) if exists(module) else None
    if not spec or not spec.origin or not spec.origin.endswith('.py'):
        return None
    value = assigned(ast.parse(Path(spec.origin).read_text('utf-8')), variable)
    return None if value is None else ast.literal_eval(value)


def assigned(tree: ast.Module, variable: str) -> ast.expr | None:
    """What a module assigns to `variable` at its top."""
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
            if isinstance(target, ast.Name) and target.id == variable:
                return node.value
    return None


def split(text: str, package: str) -> tuple[str, str]:
    """('kid', 'random') of 'kid_random': the longest module name, and what follows.

    A name with a dot is a module of the user's own: ('mine.fancy', 'random'). Nothing
    is imported but the packages that hold it. ('', text) if there is no such module.
    """
    words = text.split('_')
    known = names(package)
    for end in range(len(words), 0, -1):
        name = '_'.join(words[:end])
        if name in known or ('.' in name and exists(name)):
            return name, '_'.join(words[end:])
    return '', text


def exists(name: str) -> bool:
    """Whether Python finds the module `name`, also in the current folder."""
    search_working_directory()
    try:
        return importlib.util.find_spec(name) is not None
    except (ModuleNotFoundError, ValueError):
        return False
    except Exception as error:  # of a package of the user's own
        raise UserError(f'module {name}: {type(error).__name__}: {error}') from error


def source(module: str) -> Path | None:
    """The file of a module, none of whose packages is imported; None: there is none."""
    search_working_directory()
    package, *rest = module.split('.')
    try:
        spec = importlib.util.find_spec(package)
    except ValueError:
        return None
    if not spec or not rest:
        return Path(spec.origin) if spec and spec.origin and spec.has_location else None
    places = [Path(p, *rest) for p in spec.submodule_search_locations or ()]
    files = [f for p in places for f in (Path(f'{p}.py'), p / '__init__.py')]
    return next(filter(Path.is_file, files), None)


def digests(values: Iterable[Any]) -> dict[str, str]:
    """{dotted name: SHA-256 of its file} of the user's own modules among the values of
    a config, alone or before a name in them."""
    hashes = {}
    for value in values:
        name = value.partition(':')[0] if isinstance(value, str) else ''
        if not re.fullmatch(r'[^\W\d]\w*(\.[^\W\d]\w*)+', name):
            continue
        for module in (name, name.rpartition('.')[0]):
            file = source(module)
            if file and file.suffix == '.py':
                hashes[module] = hashlib.sha256(file.read_bytes()).hexdigest()
                break
    return hashes


def load(name: str, package: str) -> ModuleType:
    """The module `name` of a package, or of the user's own where it has a dot."""
    if '.' not in name:
        return importlib.import_module(f'{package}.{name}')
    return own(name, '')


def own(name: str, key: str, *needs: str) -> ModuleType:
    """A module of the user's own, which has those names; UserError for any other.

    It is looked for in the working directory too; key: what named it, if known.
    """
    what = f'{key}={name}' if key else f'module {name}'
    search_working_directory()
    try:
        module = importlib.import_module(name)
    except UserError:
        raise
    except ModuleNotFoundError as error:
        if error.name and name.startswith(error.name):
            raise UserError(
                f'{what}: no module {error.name!r} in the working directory or '
                f'among the installed packages{_near(name)}'
            ) from error
        raise UserError(f'{what}: {error}') from error
    except Exception as error:  # the user's own code: name module and fault
        raise UserError(f'{what}: {type(error).__name__}: {error}') from error
    for attribute in needs:
        if not hasattr(module, attribute):
            raise UserError(f'{what}: the module has no {attribute!r}')
    return module


def shapes(function: Any, what: str, *arguments: Any) -> Any:
    """The shape, or tree of them, that a function of the user's own gives of arrays."""
    import jax

    try:
        given = jax.eval_shape(function, *arguments)
    except Exception as error:  # the user's own code: name it and the fault
        raise UserError(f'{what}: {type(error).__name__}: {short(error)}') from error
    return jax.tree.map(lambda array: array.shape, given)


def search_working_directory():
    """Modules of the user's own may lie in the working directory."""
    if '' not in sys.path and os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())


def absent(what: str, name: str) -> UserError:
    """The error for a dotted name that is no module."""
    return UserError(
        f'{what} {name!r}: there is no module {name}{_near(name)}; Python looks for it '
        'in the current folder and in PYTHONPATH'
    )


def _near(name: str) -> str:
    """' (did you mean ...?)' of modules beside one that there is not."""
    package = name.rpartition('.')[0]
    if exists(package):
        return nearest(name, [f'{package}.{module}' for module in names(package)])
    return nearest(package, [p.stem for p in Path().iterdir()])


def optional(name: str, what: str, package: str, extra: str) -> Any:
    """The module of a package of an extra, which `what` needs; a UserError where it is
    not installed."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise not_installed(what, package, extra) from error
