"""An extractor by its name, noise for it, and the libraries that ours is compared with.

pip install -e '.[test,oracle,perceptual,metrics]' && pytest -m oracle
"""

import importlib.util

import jax
import numpy as np
import pytest

from gan_vae.errors import UserError
from gan_vae.extractors import load
from tests.evaluation.golden.metrics import declare_torchvision


@pytest.fixture(scope='module')
def extractor(request):
    """The one that the test file calls NAME; a skip where its weights are absent."""
    try:
        return load(request.module.NAME)
    except UserError as error:
        pytest.skip(str(error))


@pytest.fixture(scope='module')
def apply(extractor):
    return jax.jit(extractor.apply)


@pytest.fixture(scope='session')
def noise():
    """Of golden values: 8 uint8 pictures [8, 32, 32, 3]."""
    draw = np.random.Generator(np.random.Philox(7))
    return draw.integers(0, 256, (8, 32, 32, 3), np.uint8)


@pytest.fixture(scope='session')
def torch():
    """torch, made ready to import torchvision; a skip where either is absent."""
    pytest.importorskip('torch', reason='torch is not installed (extra oracle)')
    for name in ('torchvision', 'torch_fidelity', 'pytorch_fid'):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f'{name} is not installed (extra oracle)')
    return declare_torchvision()
