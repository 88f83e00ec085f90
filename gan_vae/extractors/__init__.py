"""What a picture looks like to a network: uint8 images in, features out.

`load(name)` gives an Extractor. Its `apply` is pure and traceable, so that evaluation
maps it over devices like a train step. Only the distance on `inception` is called fid;
any other is fd_<extractor>, because values of different features cannot be compared.
"""

import importlib
from collections.abc import Callable
from typing import Any, NamedTuple

from gan_vae.errors import unknown

NAMES = (
    'inception',
    'efficientnet_lite0',
    'vgg_hed',
    'classifier',
    'random',
    'pixels',
)


class Extractor(NamedTuple):
    """A frozen network and what must be said of it beside each number."""

    name: str
    weights_sha256: str  # of the file, or of the arrays where there is none
    input_size: int  # pixels a side that images are resized to; 0: as they are
    resize: str  # 'tf1', 'torch', 'clean' or 'none': see extractors/resize.py
    params: Any  # arrays, passed to `apply` so that no program holds them as constants
    apply: Callable  # (params, uint8 [n, H, W, C]) -> {'features': [n, d], 'logits', …}
    note: str = ''  # e.g. the measured accuracy of a classifier


def load(name: str, **settings) -> Extractor:
    """The extractor `name`; a UserError where its weights are missing or wrong.

    Each name is a module of this package with a function `load(**settings)`.
    """
    if name not in NAMES:
        raise unknown('extractor', name, NAMES)
    return importlib.import_module(f'gan_vae.extractors.{name}').load(**settings)
