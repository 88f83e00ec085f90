"""Parameters that do not learn, by name: 'network/layer' is all that lies below it.

The first layers of a discriminator stay as another run left them in Freeze-D: Mo et al.
2020, arXiv:2002.10964.
"""

from typing import Any

import jax

from gan_vae.errors import UserError, nearest
from gan_vae.learning.state import by_name


def mask(params: dict[str, Any], names: list[str], under: str = '') -> dict[str, Any]:
    """A tree of bool like `params`: True where a parameter does not learn. under: the
    start of the names of `params`, as 'network/'."""

    def one(path, _):
        name = under + jax.tree_util.keystr(path, simple=True, separator='/')
        return any(f'{name}/'.startswith(f'{frozen}/') for frozen in names)

    return jax.tree_util.tree_map_with_path(one, params)


def check(params: dict[str, Any], names: list[str]):
    """A UserError for a name of nothing, and where nothing would be left to learn."""
    known = set()
    for leaf in by_name(params):
        parts = leaf.split('/')
        known |= {'/'.join(parts[: end + 1]) for end in range(len(parts))}
    for name in names:
        if name not in known:
            above = [n for n in known if n.count('/') == name.count('/')]
            hint = nearest(name, above) or nearest(name, known)
            raise UserError(
                f'config.optimizer.frozen={name}: no parameters have that name{hint}; '
                'parameters.txt of a run lists them'
            )
    if names and all(jax.tree.leaves(mask(params, names))):
        raise UserError(
            f'config.optimizer.frozen={",".join(names)}: all parameters, and nothing '
            'is left to learn'
        )
