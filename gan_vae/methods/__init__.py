"""Ways to learn. One file = one way = a `make(config, spec, axis_name) -> Method`."""

from importlib import import_module

from gan_vae.data.sequences import SequenceSpec
from gan_vae.data.source import Spec
from gan_vae.errors import UserError, unknown
from gan_vae.methods.contract import Coder, Method

__all__ = ['OF_IMAGES', 'OF_SEQUENCES', 'Coder', 'Method', 'make', 'refuse']

OF_IMAGES = ('fast_style', 'gan', 'hierarchical_vae', 'stacked_vae', 'vae', 'vae_gan')
OF_SEQUENCES = ('recurrent', 'sketch_vae', 'vrnn')


def refuse(config, kind: str):
    """A UserError unless config.method.name exists, and is for data of this kind."""
    name = config.method.name
    if name not in OF_IMAGES + OF_SEQUENCES:
        raise unknown('config.method.name', name, OF_IMAGES + OF_SEQUENCES)
    known = OF_IMAGES if kind == 'images' else OF_SEQUENCES
    if name not in known:
        raise UserError(
            f'config.data.name={config.data.name} is of {kind}, and '
            f'config.method.name={name} is not: take {", ".join(known)}'
        )


def make(config, spec: Spec | SequenceSpec, axis_name: str | None = None) -> Method:
    """The Method that `config.method.name` names, on data of shape `spec`."""
    refuse(config, spec.kind)
    module = import_module(f'gan_vae.methods.{config.method.name}.method')
    return module.make(config, spec, axis_name)
