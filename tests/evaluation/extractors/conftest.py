"""The libraries that ours is compared with: torch, torch-fidelity and pytorch-fid.

pip install -e '.[test,oracle,perceptual,metrics]' && pytest -m oracle
"""

import importlib.util

import pytest


@pytest.fixture(scope='session')
def torch():
    """torch, made ready to import torchvision; a skip where either is absent."""
    found = pytest.importorskip('torch', reason='torch is not installed (extra oracle)')
    for name in ('torchvision', 'torch_fidelity', 'pytorch_fid'):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f'{name} is not installed (extra oracle)')
    library = declare_operators(found)
    yield found
    del library


def declare_operators(torch):
    """Makes torchvision importable; what it returns must be kept alive.

    Beside a torch for CPUs, its wheel for CUDA finds no operators of its own.
    """
    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        library = torch.library.Library('torchvision', 'FRAGMENT')
        for name in ('nms', 'qnms'):
            library.define(f'{name}(Tensor dets, Tensor scores, float t) -> Tensor')
        return library
