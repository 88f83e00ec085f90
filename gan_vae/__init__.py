"""Train, evaluate and make art with GANs and VAEs in JAX.

`import gan_vae as gv` gives the public names; each is imported when it is first used.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gan_vae.api import Model, evaluate, load_config, make, measure, open, train
    from gan_vae.errors import UserError
    from gan_vae.methods.contract import Method
    from gan_vae.sweep.run import sweep

__version__ = '0.2.0'
__all__ = [
    'Method',
    'Model',
    'UserError',
    'evaluate',
    'load_config',
    'make',
    'measure',
    'open',
    'sweep',
    'train',
]
_ELSEWHERE = {'Method': 'gan_vae.methods.contract', 'UserError': 'gan_vae.errors'}

# Read by TensorFlow when the writer or TFDS first imports it: no banner in a run's log.
os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')
os.environ.setdefault('TF_ENABLE_ONEDNN_OPTS', '0')


def __getattr__(name: str):
    if name == 'sweep':  # a package, which can be called
        return import_module('gan_vae.sweep')
    if name in __all__:
        return getattr(import_module(_ELSEWHERE.get(name, 'gan_vae.api')), name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
