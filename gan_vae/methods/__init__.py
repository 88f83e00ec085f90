"""Methods: ways to learn, found by name.

A method is a package here, or a module of the user's own by its dotted name. It
declares

  KIND          'images' or 'sequences'
  Settings      the section `method` of its configs, a frozen dataclass
  Networks      the section `model`, likewise; optional
  PAIRS         True: it learns of pairs of pictures; optional
  make          (settings, model, learning, spec, axis_name) -> contract.Method

`make` may lie in a module `method` beside the package's settings, which then need no
JAX: wrong settings are told at once.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from gan_vae import config as config_lib
from gan_vae.config import sections
from gan_vae.errors import UserError
from gan_vae.learning.settings import Learning

if TYPE_CHECKING:
    from gan_vae.methods.contract import Method


def check_kind(config, kind: str):
    """A UserError unless the method is for data of this kind, images or another."""
    name = config.method.name
    wanted = 'images' if kind == 'images' else 'sequences'
    if getattr(sections.method(name), 'KIND', 'images') == wanted:
        return
    others = [n for n in sections.methods() if sections.method(n).KIND == wanted]
    raise UserError(
        f'config.data.name={config.data.name} is of {kind}, and '
        f'config.method.name={name} is not: take {", ".join(others)}'
    )


def make(config, spec, axis_name: str | None = None) -> 'Method':
    """The Method that `config.method.name` names, on data of shape `spec`.

    config: the whole config of a run, or `Reads` of it; axis_name: of the mapped axis
    that its steps average over.
    """
    check_kind(config, spec.kind)
    name = config.method.name
    module = sections.method(name)
    if not hasattr(module, 'make'):
        module = import_module(f'{module.__name__}.method')
    settings, model = (config_lib.as_settings(config, s) for s in ('method', 'model'))
    package = sections.method(name)
    if spec.kind == 'images' and spec.channels in (2, 6):
        if not getattr(package, 'PAIRS', False):
            raise UserError(
                f'config.data.name={config.data.name} is of pairs of pictures: take '
                'config.method.name=pix2pix'
            )
    method = module.make(settings, model, Learning.of(config), spec, axis_name)
    if config.privacy.noise_multiplier and not method.private:
        raise UserError(
            f'config.privacy: config.method.name={name} has no private training: take '
            'vae or gan'
        )
    if spec.kind == 'images' and spec.text and method.captions is None:
        raise UserError(
            f'config.data.text={config.data.text}: no network of this '
            f'config.method.name={name} takes captions: take none'
        )
    return method
