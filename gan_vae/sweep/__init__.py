"""Searches over settings: many runs of one config, each in a folder of its own."""

import sys
from types import ModuleType

from gan_vae.flags import python_words


class _Callable(ModuleType):
    """`gan_vae.sweep` is this package, and the public function of its name."""

    @python_words()
    def __call__(self, spec, overrides=None, **options):
        """Runs what is left of a sweep; returns its points, best first.

        spec: 'path.py' or 'path.py:variant' of an experiment file; overrides:
        {'section.key': value} of all trials; options: as of gan_vae.sweep.run.sweep.
        """
        from gan_vae.sweep.run import sweep

        return sweep(spec, overrides or {}, **options)


sys.modules[__name__].__class__ = _Callable
