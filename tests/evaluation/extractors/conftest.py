"""The libraries that ours is compared with: torch, torch-fidelity and pytorch-fid.

pip install --no-deps torchvision==0.28.0 torch-fidelity==0.4.0 pytorch-fid==0.3.0
"""

import pytest


@pytest.fixture(scope='session')
def torch():
    """torch, made ready to import torchvision; a skip where either is absent."""
    found = pytest.importorskip('torch', reason='torch is not installed (extra bench)')
    library = declare_operators(found)
    for name in ('torchvision', 'torch_fidelity', 'pytorch_fid'):
        pytest.importorskip(name, reason=f'{name} is not installed (see this conftest)')
    yield found
    del library  # the operators live as long as it does


def declare_operators(torch):
    """Names that torchvision expects; a wheel for CUDA cannot load them without it."""
    library = torch.library.Library('torchvision', 'FRAGMENT')
    for name in ('nms', 'qnms'):
        if not hasattr(torch.ops.torchvision, name):
            library.define(f'{name}(Tensor dets, Tensor scores, float t) -> Tensor')
    return library
