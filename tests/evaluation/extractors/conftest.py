"""The libraries that ours is compared with: torch, torch-fidelity and pytorch-fid.

pip install --no-deps torchvision==0.28.0 torch-fidelity==0.4.0 pytorch-fid==0.3.0
pip install requests tqdm
"""

import importlib.util

import pytest


@pytest.fixture(scope='session')
def torch():
    """torch, made ready to import torchvision; a skip where either is absent."""
    found = pytest.importorskip('torch', reason='torch is not installed (extra bench)')
    for name in ('torchvision', 'torch_fidelity', 'pytorch_fid'):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f'{name} is not installed (see the conftest.py of this folder)')
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
