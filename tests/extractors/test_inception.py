"""The network of FID is that of torch-fidelity and pytorch-fid, on seeded weights.

Parity does not depend on the values of the weights, so that it can be shown without the
file: `tests/evaluation/golden/inception.py` runs torch-fidelity on `seeded_state` once,
and stores what it gives.
"""

import hashlib
import json
import math
from pathlib import Path

import jax
import numpy as np
import pytest

from gan_vae.errors import UserError
from gan_vae.extractors import inception, load
from tests.extractors.test_weights import save

GOLDEN = Path(__file__).parents[1] / 'evaluation' / 'golden' / 'inception.json'
OUTPUTS = {
    'pool64': '64',
    'pool192': '192',
    'pool768': '768',
    'features': '2048',
    'logits': 'logits_unbiased',
}
TOLERANCE = 1e-4  # of the mean of |value|: the slightest mistake is 60 times as large


BATCH_NORM = ('bn.weight', 'bn.bias', 'bn.running_mean', 'bn.running_var')


def _layers() -> dict[str, tuple]:
    """{layer: (height, width, inputs, outputs)} of the 94 kernels."""

    def chain(branch, inputs, *kernels):
        """Layers branch_1, branch_2, ... of (height, width, outputs)."""
        layers = {}
        for i, (h, w, outputs) in enumerate(kernels, 1):
            layers[f'{branch}_{i}'], inputs = (h, w, inputs, outputs), outputs
        return layers

    def a(n, pool):
        return {
            'branch1x1': (1, 1, n, 64),
            **chain('branch5x5', n, (1, 1, 48), (5, 5, 64)),
            **chain('branch3x3dbl', n, (1, 1, 64), (3, 3, 96), (3, 3, 96)),
            'branch_pool': (1, 1, n, pool),
        }

    def b(n):
        return {
            'branch3x3': (3, 3, n, 384),
            **chain('branch3x3dbl', n, (1, 1, 64), (3, 3, 96), (3, 3, 96)),
        }

    def c(n, m):
        double = ((1, 1, m), (7, 1, m), (1, 7, m), (7, 1, m), (1, 7, 192))
        return {
            'branch1x1': (1, 1, n, 192),
            **chain('branch7x7', n, (1, 1, m), (1, 7, m), (7, 1, 192)),
            **chain('branch7x7dbl', n, *double),
            'branch_pool': (1, 1, n, 192),
        }

    def d(n):
        seven = ((1, 1, 192), (1, 7, 192), (7, 1, 192), (3, 3, 192))
        return {
            **chain('branch3x3', n, (1, 1, 192), (3, 3, 320)),
            **chain('branch7x7x3', n, *seven),
        }

    def e(n):
        return {
            'branch1x1': (1, 1, n, 320),
            'branch3x3_1': (1, 1, n, 384),
            'branch3x3_2a': (1, 3, 384, 384),
            'branch3x3_2b': (3, 1, 384, 384),
            **chain('branch3x3dbl', n, (1, 1, 448), (3, 3, 384)),
            'branch3x3dbl_3a': (1, 3, 384, 384),
            'branch3x3dbl_3b': (3, 1, 384, 384),
            'branch_pool': (1, 1, n, 192),
        }

    blocks = {
        'Mixed_5b': a(192, 32),
        'Mixed_5c': a(256, 64),
        'Mixed_5d': a(288, 64),
        'Mixed_6a': b(288),
        'Mixed_6b': c(768, 128),
        'Mixed_6c': c(768, 160),
        'Mixed_6d': c(768, 160),
        'Mixed_6e': c(768, 192),
        'Mixed_7a': d(768),
        'Mixed_7b': e(1280),
        'Mixed_7c': e(2048),
    }
    return {
        'Conv2d_1a_3x3': (3, 3, 3, 32),
        'Conv2d_2a_3x3': (3, 3, 32, 32),
        'Conv2d_2b_3x3': (3, 3, 32, 64),
        'Conv2d_3b_1x1': (1, 1, 64, 80),
        'Conv2d_4a_3x3': (3, 3, 80, 192),
        **{f'{k}.{layer}': s for k, v in blocks.items() for layer, s in v.items()},
    }


LAYERS = _layers()


def shapes() -> dict[str, tuple]:
    """{name: shape} of the tensors that `fold` reads, as in the file: kernels OIHW."""
    tensors = {'fc.weight': (1008, 2048)}
    for name, (h, w, inputs, outputs) in LAYERS.items():
        tensors[f'{name}.conv.weight'] = (outputs, inputs, h, w)
        tensors |= {f'{name}.{part}': (outputs,) for part in BATCH_NORM}
    return tensors


def seeded_state(seed: int) -> dict[str, np.ndarray]:
    """A state_dict of the file's 566 tensors; RandomState's numbers never change."""
    random = np.random.RandomState(seed)
    state = {}
    for name, shape in shapes().items():
        if len(shape) == 4:  # He et al. 2015: keeps the variance of rectified layers
            value = random.randn(*shape) * math.sqrt(2 / math.prod(shape[1:]))
        elif name.endswith(('bn.weight', 'running_var')):
            value = random.uniform(0.7, 1.3, shape)
        elif name.endswith(('bn.bias', 'running_mean')):
            value = random.normal(0, 0.1, shape)
        else:
            value = random.randn(*shape) / math.sqrt(shape[-1])
        state[name] = value.astype(np.float32)
    for name in LAYERS:
        state[f'{name}.bn.num_batches_tracked'] = np.array(0)
    state['fc.bias'] = random.randn(1008).astype(np.float32)
    return state


def pictures() -> np.ndarray:
    """Three uint8 pictures of 32 pixels: slopes and noise, unlike in each colour."""
    random = np.random.RandomState(1)
    slope = np.linspace(0, 1, 32)[None, :, None, None] * random.rand(3, 1, 32, 3)
    return (255 * (0.7 * slope + 0.3 * random.rand(3, 32, 32, 3))).astype(np.uint8)


def some(values: np.ndarray) -> np.ndarray:
    """About 12 of each picture's values: what is stored of them."""
    return values[:, :: values.shape[1] // 12]


def fidelity_outputs(torch, state, folder) -> dict[str, np.ndarray]:
    """What torch-fidelity gives for `pictures` with the weights of `state`."""
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    path = folder / 'state.pth'
    torch.save({k: torch.tensor(v) for k, v in state.items()}, path)
    net = FeatureExtractorInceptionV3(
        'seeded', list(OUTPUTS.values()), feature_extractor_weights_path=str(path)
    )
    found = net(torch.tensor(pictures()).permute(0, 3, 1, 2))
    return {k: v.numpy() for k, v in zip(OUTPUTS, found, strict=True)}


def deviation(ours, theirs) -> float:
    """The largest difference, in units of the mean of |theirs|."""
    return float(np.abs(np.asarray(ours) - theirs).max() / np.abs(theirs).mean())


@pytest.fixture(scope='module')
def state():
    return seeded_state(0)


@pytest.fixture(scope='module')
def outputs(state):
    return jax.jit(inception.network)(inception.fold(state), pictures())


@pytest.mark.slow
def test_the_network_gives_what_torch_fidelity_gave(outputs):
    golden = json.loads(GOLDEN.read_text())
    assert outputs['features'].shape == (3, 2048)
    assert outputs['logits'].shape == (3, 1008)
    for name in OUTPUTS:
        stored = np.array(golden[name]['some'])
        assert deviation(some(outputs[name]), stored) < TOLERANCE, name
        means = np.abs(np.asarray(outputs[name])).mean(1)
        np.testing.assert_allclose(means, golden[name]['means'], rtol=1e-5)


def test_it_has_the_tensors_of_the_file(state):
    assert len(LAYERS) == 94 and len(shapes()) == 94 * 5 + 1
    assert inception.fold(state).keys() == {*LAYERS, 'fc'}
    trained = [shape for k, shape in shapes().items() if 'running' not in k]
    total = sum(map(math.prod, trained)) + 1008
    assert total == 23_850_960  # with the bias of fc, as in torch-fidelity


def test_it_loads_a_file_whose_hash_is_right(monkeypatch, tmp_path, state):
    """Found by argument, by the environment and in torch.hub's folder."""
    path = tmp_path / 'hub' / 'checkpoints' / inception.FILES[1]
    path.parent.mkdir(parents=True)
    save(path, {k: v for k, v in state.items() if v.ndim})
    monkeypatch.delenv('GAN_VAE_INCEPTION', raising=False)
    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    with pytest.raises(UserError, match='has SHA-256 .*, not 6726825d'):
        load('inception')
    true = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(inception, 'SHA256', true)
    found = load('inception', resize='clean')
    assert found[:4] == ('inception', true, 299, 'clean')
    grey = pictures()[..., :1]
    shapes = jax.eval_shape(found.apply, found.params, grey)
    assert shapes['features'].shape == (3, 2048)
    (tmp_path / 'elsewhere').mkdir()
    path = path.rename(tmp_path / 'elsewhere' / 'net.pth')
    with pytest.raises(UserError, match='no Inception weights'):
        inception._find('')
    monkeypatch.setenv('GAN_VAE_INCEPTION', str(path))
    assert inception._find('') == path
    monkeypatch.setenv('GAN_VAE_INCEPTION', 'nowhere')
    assert inception._find(path) == path


@pytest.mark.parametrize(
    'call, words',
    [
        (
            lambda: load('inception', path='absent.pth'),
            ('absent.pth', inception.FILES[0], inception.SHA256),
        ),
        (lambda: load('inception', resize='bicubic'), ('resize', 'clean, tf1, torch')),
        (lambda: inception.network({}, np.zeros((1, 8, 8, 4))), ('channels', '4')),
    ],
)
def test_mistakes_are_one_line(call, words):
    with pytest.raises(UserError) as e:
        call()
    line = str(e.value)
    assert '\n' not in line
    assert all(word in line for word in words), line


@pytest.fixture(scope='module')
def theirs(torch, state, tmp_path_factory):
    return fidelity_outputs(torch, state, tmp_path_factory.mktemp('weights'))


@pytest.mark.oracle
@pytest.mark.parametrize('name', OUTPUTS)
def test_outputs_are_those_of_torch_fidelity(outputs, theirs, name):
    assert deviation(outputs[name], theirs[name]) < TOLERANCE


def wrong_epsilon(monkeypatch):
    monkeypatch.setattr(inception, 'EPSILON', 1e-5)


def wrong_scale(monkeypatch):
    monkeypatch.setattr(inception, '_scale', lambda x: x / 127.5 - 1)


def padding_counted(monkeypatch):
    def pool(x):
        return inception.windows(x, 0.0, jax.numpy.add, 1, 'SAME') / 9

    monkeypatch.setattr(inception, '_average_pool', pool)


def average_last(monkeypatch):
    monkeypatch.setattr(inception, '_last_pool', inception._average_pool)


VARIANTS = {
    'right': (lambda _: None, 'tf1', 1),
    'half-pixel resize': (lambda _: None, 'torch', 1),
    'clean resize': (lambda _: None, 'clean', 1),
    'BGR': (lambda _: None, 'tf1', -1),
    'x / 127.5 - 1': (wrong_scale, 'tf1', 1),
    'epsilon of 1e-5': (wrong_epsilon, 'tf1', 1),
    'average pools count the padding': (padding_counted, 'tf1', 1),
    'average in Mixed_7c': (average_last, 'tf1', 1),
}


@pytest.mark.oracle
@pytest.mark.parametrize('name', VARIANTS)
def test_every_known_mistake_shows(monkeypatch, state, theirs, name):
    """Operation by operation: nothing is compiled twice for the variants."""
    change, resize, order = VARIANTS[name]
    change(monkeypatch)
    images = pictures()[..., ::order]
    ours = inception.network(inception.fold(state), images, resize)
    wrong = deviation(ours['features'], theirs['features'])
    print(f'{name}: {wrong:.1e}')
    assert wrong < TOLERANCE if name == 'right' else wrong > TOLERANCE


@pytest.mark.oracle
def test_features_are_those_of_pytorch_fid(monkeypatch, torch, state):
    """Its own resize and scale, [0, 1] to [-1, 1]: ours is 'torch' with that scale."""
    from pytorch_fid import inception as peer

    saved = {k: torch.tensor(v) for k, v in state.items()}
    monkeypatch.setattr(peer, 'load_state_dict_from_url', lambda *_, **__: saved)
    wrong_scale(monkeypatch)
    net = peer.InceptionV3(output_blocks=(0, 1, 2, 3)).eval()
    with torch.no_grad():
        maps = net(torch.tensor(pictures()).permute(0, 3, 1, 2) / 255)
    ours = inception.network(inception.fold(state), pictures(), 'torch')
    for name, theirs in zip(OUTPUTS, maps, strict=False):
        wrong = deviation(ours[name], theirs.mean((2, 3)).numpy())
        print(f'{name}: {wrong:.1e}')
        assert wrong < TOLERANCE
