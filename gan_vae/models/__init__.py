"""Networks by role and name, each declared in the module that has its class:

    NETWORKS = {'generator': {'sagan': ('ConditionalGenerator', {'spectral': True})}}

is {role: {name: (class, fields that this name fixes)}}, a literal that is read without
importing the module: a wrong name or setting is answered without JAX. A dotted name is
a module of the user's own, which has such a table, or a class that is called as the
role is (`Generator`). Of several networks for one role, `module.name` takes one.
"""

import ast
import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gan_vae import modules
from gan_vae.errors import UserError, unknown

if TYPE_CHECKING:
    from flax import linen as nn

HERE = Path(__file__).parent
OF_FLAX = {'parent', 'name'}  # fields of every nn.Module


class Network(NamedTuple):
    """Where a class of networks is, and the fields that its name fixes."""

    module: str
    cls: str
    fixed: dict[str, Any]


def names(role: str) -> tuple[str, ...]:
    """The names of gan_vae's networks for a role."""
    return tuple(sorted(_of_package().get(role, {})))


def roles() -> tuple[str, ...]:
    """The roles that gan_vae has networks for."""
    return tuple(sorted(_of_package()))


def check(role: str, name: str, key: str):
    """A UserError, which names the config key, unless there is such a network."""
    find(role, name, key)


def find(role: str, name: str, key: str = '') -> Network:
    """The network `name` for `role`; UserError for any other name. Without JAX."""
    key = key or f'config.model.{role}'
    if '.' in name:
        return _of_user(role, name, key)
    if name not in names(role):
        raise unknown(key, name, names(role))
    return _of_package()[role][name]


def fields_of(role: str, name: str) -> tuple[str, ...]:
    """The fields that `make` can set of a network: those of its class that the name
    does not fix. They are read from the source, without JAX, where all of it is of the
    network's own package or gan_vae."""
    network = find(role, name)
    try:
        fields = _fields(network.module, network.cls)
    except LookupError:
        fields = [f.name for f in dataclasses.fields(_class(network, role))]
    return tuple(f for f in fields if f not in OF_FLAX | network.fixed.keys())


def make(role: str, name: str, **fields) -> 'nn.Module':
    """The network `name` for `role`, with those of `fields` that it has.

    Its `dtype` is that of its convolutions, dense layers and activations; parameters,
    batch statistics and what it returns are float32 all the same.
    """
    import jax.numpy as jnp

    network, known = find(role, name), fields_of(role, name)
    dtype = fields.get('dtype', jnp.float32)
    if dtype != jnp.float32 and 'dtype' not in known:
        raise UserError(
            f'config.parallel.dtype={dtype}: the {role} {name!r} computes in float32'
        )
    values = {k: v for k, v in fields.items() if k in known}
    return _class(network, role)(**values, **network.fixed)


def sees(role: str, name: str) -> str:
    """The extractor through which a network sees images: the literal SEES of its
    module; '' where there is none. Without JAX."""
    return modules.literal(find(role, name).module, 'SEES') or ''


def applied(network: 'nn.Module', method: str) -> Callable:
    """A method of a network as a function of its parameters and arguments."""
    function = getattr(network, method)
    return lambda params, *arguments: network.apply(
        {'params': params}, *arguments, method=function
    )


def _class(network: Network, role: str) -> type['nn.Module']:
    """The class itself; UserError for one that is no network, or lacks a field."""
    from flax import linen as nn

    key, (module, name, fixed) = f'config.model.{role}', network
    cls = getattr(modules.own(module, key, name), name)
    if not (isinstance(cls, type) and issubclass(cls, nn.Module)):
        raise UserError(f'{key}={module}: {name} is no flax.linen.Module')
    if wrong := sorted(fixed.keys() - {f.name for f in dataclasses.fields(cls)}):
        raise UserError(
            f'{key}={module}: NETWORKS sets {wrong[0]!r}, no field of {name}'
        )
    return cls


@functools.cache
def _of_package() -> dict[str, dict[str, Network]]:
    """{role: {name: network}} of all modules here."""
    tables: dict[str, dict[str, Network]] = {}
    for file in sorted(HERE.glob('*.py')):
        if file.stem == '__init__':
            continue
        module = f'{__name__}.{file.stem}'
        for role, table in _declared(module, _tree(file)).items():
            for name, network in table.items():
                assert name not in tables.setdefault(role, {}), (role, name)
                tables[role][name] = network
    return tables


def _of_user(role: str, name: str, key: str) -> Network:
    """The network of a dotted name: a module, or a module and a name of its table."""
    file, module, chosen = modules.source(name), name, ''
    if file is None:
        module, _, chosen = name.rpartition('.')
        file = modules.source(module)
    if file is None:
        modules.own(name, key)  # names what there is no module of
        raise UserError(f'{key}={name}: this module is no Python file')
    try:
        tree = _tree(file)
        table = _declared(module, tree).get(role, {})
    except SyntaxError as error:
        raise UserError(
            f'{key}={name}: {error.filename}, line {error.lineno}: {error.msg}'
        ) from error
    except Exception as error:  # the user's own table: name module and fault
        raise UserError(
            f'{key}={name}: NETWORKS cannot be read as a literal {{role: {{name: '
            f'(class, {{field: value}})}}}}: {type(error).__name__}: {error}'
        ) from error
    cls = role.title().replace('_', '')
    if not table and any(c.name == cls for c in _classes(tree)):
        table = {cls: Network(module, cls, {})}
    if chosen in table:
        return table[chosen]
    if chosen and table:
        raise unknown(key, name, [f'{module}.{n}' for n in table])
    if not table:
        raise UserError(
            f'{key}={name}: {module} has no network for the role {role!r}: neither in '
            f'NETWORKS nor as a class {cls}'
        )
    if len(table) > 1:
        listed = ', '.join(f'{module}.{n}' for n in sorted(table))
        raise UserError(f'{key}={name}: has several networks; one of: {listed}')
    return next(iter(table.values()))


@functools.lru_cache(256)
def _parsed(file: Path, _changed: int) -> ast.Module:
    return ast.parse(file.read_text('utf-8'), str(file))


def _tree(file: Path) -> ast.Module:
    return _parsed(file, file.stat().st_mtime_ns)


def _classes(tree: ast.Module) -> list[ast.ClassDef]:
    return [node for node in tree.body if isinstance(node, ast.ClassDef)]


def _declared(module: str, tree: ast.Module) -> dict[str, dict[str, Network]]:
    """What the NETWORKS of a module declare; {} where it has none."""
    table = modules.assigned(tree, 'NETWORKS')
    return {
        role: {name: Network(module, *value) for name, value in networks.items()}
        for role, networks in (ast.literal_eval(table) if table else {}).items()
    }


def _fields(module: str, cls: str) -> list[str]:
    """The dataclass fields of a Flax module, from its source and that of its bases.

    LookupError where a base class is of a package that is neither gan_vae nor its own.
    """
    file = modules.source(module)
    tree, package = (
        _tree(file) if file else ast.Module([], []),
        module.rpartition('.')[0],
    )
    node = {c.name: c for c in _classes(tree)}.get(cls)
    places = _imports(tree, module if file and file.stem == '__init__' else package)
    if node is None:
        if cls not in places:
            raise LookupError(cls)
        return _fields_at(places[cls], module)
    fields: list[str] = []
    for base in reversed(node.bases):
        first, *rest = ast.unparse(base).split('.')
        if not rest and first not in places:
            fields += _fields(module, first)
        else:
            fields += _fields_at('.'.join([places.get(first, first), *rest]), module)
    fields += [
        item.target.id
        for item in node.body
        if isinstance(item, ast.AnnAssign)
        and isinstance(item.target, ast.Name)
        and 'ClassVar' not in ast.unparse(item.annotation)
    ]
    return list(dict.fromkeys(fields))


def _fields_at(place: str, user: str) -> list[str]:
    if place == 'flax.linen.Module':
        return []
    module, _, cls = place.rpartition('.')
    if place.partition('.')[0] not in ('gan_vae', user.partition('.')[0]):
        raise LookupError(place)
    return _fields(module, cls)


def _imports(tree: ast.Module, package: str) -> dict[str, str]:
    """{name in a module: dotted place} of what a module of `package` imports."""
    places = {}
    for node in tree.body:
        if isinstance(node, ast.Import):
            for n in node.names:
                first = n.name.partition('.')[0]
                places[n.asname or first] = n.name if n.asname else first
        elif isinstance(node, ast.ImportFrom):
            above = package.split('.')
            above = above[: len(above) + 1 - node.level] if node.level else []
            for n in node.names:
                place = '.'.join(filter(None, [*above, node.module, n.name]))
                places[n.asname or n.name] = place
    return places
