"""The styles whose parts have names: one module each, found by the style's name.

Of a style without a module the pictures have its label, and neither factors nor
captions. A module has WORDS; its shares of pixels were measured, and each word was
looked at beside its picture, at 32 and 64 pixels.
"""

import functools
import importlib

from gan_vae import modules
from gan_vae.data.vector_art.words import Words


def with_factors() -> list[str]:
    """Names of the styles whose parts have names."""
    named = (name.replace('_', '-') for name in modules.names(__name__))
    return [name for name in named if (words := of(name)) and words.factors]


@functools.cache
def of(style: str) -> Words | None:
    """The words of a style; None where it has none."""
    name = style.replace('-', '_')
    if name not in modules.names(__name__):
        return None
    return importlib.import_module(f'{__name__}.{name}').WORDS
