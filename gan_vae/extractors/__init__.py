"""What a picture looks like to a network: uint8 images in, features out.

An extractor is a module, here or of the user's own (by a dotted name, as mine.eyes),
with a function `load() -> Extractor`; one here also has the literal

    EXTRACTOR = {}      or with any of
        'maps': True        `apply` gives maps [n, h, w, C], too: distance_X and ppl_X
        'style': True       `style_network()` gives the kernels that style.py takes
        'examples': True    it is trained: `load(examples=...)` takes the set

which is read without importing the module. `apply` is pure and traceable, so that
evaluation maps it over devices like a train step. Only the distance on `inception` is
called fid; any other is fd_<extractor>, because values of different features cannot be
compared.
"""

from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

from gan_vae import modules
from gan_vae.errors import UserError, unknown


class Extractor(NamedTuple):
    """A frozen network and what must be stated of it with each number."""

    name: str
    weights_sha256: str  # of the file, or of the arrays where there is none
    input_size: int  # pixels a side that images are resized to; 0: as they are
    resize: str  # 'tf1', 'torch', 'clean' or 'none': see extractors/resize.py
    params: Any  # arrays, passed to `apply` so that no program holds them as constants
    apply: Callable  # (params, uint8 [n, H, W, C]) -> {'features': [n, d], 'logits', …}
    note: str = ''  # e.g. the measured accuracy of a classifier

    @property
    def title(self) -> str:
        return f'{self.name} {self.weights_sha256[:8]}'


def names(fact: str = '') -> list[str]:
    """The extractors of this package, or those of a fact; none is imported."""
    return [
        name
        for name in modules.names(__name__)
        if (facts := modules.literal(f'{__name__}.{name}', 'EXTRACTOR')) is not None
        and (not fact or facts.get(fact))
    ]


def facts(name: str) -> dict[str, bool]:
    """EXTRACTOR of the extractor `name`, read without importing it."""
    place = name if '.' in name else f'{__name__}.{name}'
    return modules.literal(place, 'EXTRACTOR') or {}


def check(name: str, what: str = 'extractor', fact: str = ''):
    """A UserError unless there is such an extractor, with that fact; `what`: what a
    message calls it. Imports nothing."""
    if '.' in name:
        if not modules.exists(name):
            raise modules.absent(what, name)
        if fact and not facts(name).get(fact):
            raise UserError(f'{what} {name!r}: its EXTRACTOR does not say {fact!r}')
    elif name not in (known := names(fact)):
        raise unknown(what, name, known)


def module(name: str) -> ModuleType:
    """The module of the extractor `name`; a UserError for another name."""
    check(name)
    extractor = modules.load(name, __name__)
    if not callable(getattr(extractor, 'load', None)):
        raise UserError(f'extractor {name!r}: its module has no function load()')
    return extractor


def load(name: str, examples=None, **settings) -> Extractor:
    """The extractor `name`; a UserError where its weights are missing or wrong.

    examples: data.source.Examples that one that is trained learns from; settings: other
    arguments of its module's `load`.
    """
    extractor = module(name)
    if facts(name).get('examples'):
        settings['examples'] = examples
    return extractor.load(**settings)._replace(name=name)
