"""The Inception-v3 of FID: TensorFlow's graph of 2015-12-05, with 1008 classes.

    y = relu(W * x + b),    W = w g / sqrt(v + 1e-3),    b = beta - m g / sqrt(v + 1e-3)

for each convolution w and its batch normalisation (g, beta, m, v), folded in float64.
It differs from torchvision's: average pools do not count the padding, the last block's
pool is a maximum, pixels are (x - 128) / 128, and the Inception score takes the logits
without their bias. Szegedy et al. 2015, arXiv:1512.00567; FID: Heusel et al. 2017,
arXiv:1706.08500; IS: Salimans et al. 2016, arXiv:1606.03498.
"""

import functools
import os
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from gan_vae.errors import UserError, unknown
from gan_vae.extractors import Extractor, convolution, weights
from gan_vae.extractors import resize as resizing
from gan_vae.extractors.convolution import windows

EXTRACTOR = {}
SIZE = 299
EPSILON = 1e-3
CLASSES = 1008
SHA256 = '6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2'
# The same bytes under the names that pytorch-fid and torch-fidelity give them.
FILES = tuple(
    f'{who}-2015-12-05-6726825d.pth' for who in ('pt_inception', 'weights-inception')
)


def load(path='', resize: str = 'tf1') -> Extractor:
    """The network with the weights of FID, from a file that the user has.

    Looks at `path`, else at the environment's GAN_VAE_INCEPTION, else for FILES in the
    folder of torch.hub. Never downloads. `resize`: how images come to 299 pixels a side
    ('tf1', 'torch', 'clean': see resize.py). A UserError where the file is missing, is
    another (by SHA-256), or where `resize` is unknown.
    """
    if resize not in resizing.NAMES:
        raise unknown('resize', resize, resizing.NAMES)
    params = fold(weights.read(_find(path), SHA256))
    apply = functools.partial(network, resize=resize)
    return Extractor('inception', SHA256, SIZE, resize, params, apply)


def _find(path) -> Path:
    if given := path or os.environ.get('GAN_VAE_INCEPTION'):
        if Path(given).is_file():
            return Path(given)
        looked = given
    else:
        cache = os.environ.get('XDG_CACHE_HOME', '~/.cache')
        home = os.environ.get('TORCH_HOME', f'{cache}/torch')
        looked = Path(home).expanduser() / 'hub' / 'checkpoints'
        for name in FILES:
            if (looked / name).is_file():
                return looked / name
    raise UserError(
        f'no Inception weights at {looked}: put {FILES[0]} (a release file of '
        f'pytorch-fid, SHA-256 {SHA256}) there, or its path in GAN_VAE_INCEPTION'
    )


def fold(state: dict[str, np.ndarray]) -> dict:
    """Parameters of `network` from a state_dict: {layer: {'kernel', 'bias'}}, float32.

    Kernels are HWIO, [2048, 1008] for 'fc'. A UserError where a tensor is missing or
    has another shape than in `shapes()`.
    """
    for name, shape in shapes().items():
        actual = state[name].shape if name in state else 'missing'
        if actual != shape:
            raise UserError(f'Inception weights: {name} is {actual}, must be {shape}')
    params = {}
    for name in LAYERS:
        w, g, beta, m, v = (
            np.asarray(state[f'{name}.{part}'], np.float64) for part in _PARTS
        )
        scale = g / np.sqrt(v + EPSILON)
        params[name] = {
            'kernel': (w.transpose(2, 3, 1, 0) * scale).astype(np.float32),
            'bias': (beta - m * scale).astype(np.float32),
        }
    # Without its bias: the Inception score is of the unbiased logits.
    params['fc'] = {'kernel': np.ascontiguousarray(state['fc.weight'].T)}
    return params


def network(params: dict, images, resize: str = 'tf1') -> dict:
    """Images [n, H, W, 1 or 3] in 0..255, uint8 or float, RGB -> features, float32.

    'features' [n, 2048] are those of FID; 'logits' [n, 1008] those of the Inception
    score, without the bias; 'pool64', 'pool192', 'pool768' [n, d] are means over the
    picture at earlier depths.
    """
    n, h, w, channels = images.shape
    if channels not in (1, 3):
        raise UserError(f'Inception takes images of 1 or 3 channels, not {channels}')
    images = jnp.broadcast_to(images, (n, h, w, 3))  # grey is three equal channels
    x = _scale(resizing.resize(images.astype(jnp.float32), SIZE, resize))

    def block(name, kind, x):
        return kind(
            lambda layer, x, **how: _conv(params[f'{name}.{layer}'], x, **how), x
        )

    def stem(name, x, **how):
        return _conv(params[name], x, **how)

    x = stem('Conv2d_1a_3x3', x, stride=2)
    x = stem('Conv2d_2a_3x3', x, padding='VALID')
    x = _max_pool(stem('Conv2d_2b_3x3', x))
    taps = {'pool64': _mean(x)}
    x = stem('Conv2d_3b_1x1', x)
    x = _max_pool(stem('Conv2d_4a_3x3', x, padding='VALID'))
    taps['pool192'] = _mean(x)
    for name in ('Mixed_5b', 'Mixed_5c', 'Mixed_5d'):
        x = block(name, _block_a, x)
    x = block('Mixed_6a', _block_b, x)
    for name in ('Mixed_6b', 'Mixed_6c', 'Mixed_6d', 'Mixed_6e'):
        x = block(name, _block_c, x)
    taps['pool768'] = _mean(x)
    x = block('Mixed_7a', _block_d, x)
    x = block('Mixed_7b', functools.partial(_block_e, pool=_average_pool), x)
    x = block('Mixed_7c', functools.partial(_block_e, pool=_last_pool), x)
    features = _mean(x)
    logits = jnp.dot(features, params['fc']['kernel'], precision=lax.Precision.HIGHEST)
    return {'features': features, 'logits': logits, **taps}


def _scale(x):
    """0..255 to the graph's [-1, 1)."""
    return (x - 128) / 128


def _conv(layer, x, stride=1, padding=None):
    """Kernels of stride 1 keep the size of x, those of stride 2 do not look outside."""
    padding = padding or ('SAME' if stride == 1 else 'VALID')
    y = convolution.conv(x, layer['kernel'], stride, padding)
    return jax.nn.relu(y + layer['bias'])


def _chain(conv, x, *layers):
    for layer in layers:
        x = conv(layer, x)
    return x


def _numbered(branch, n):
    return [f'{branch}_{i + 1}' for i in range(n)]


def _mean(x):
    return jnp.mean(x, axis=(1, 2))


def _max_pool(x):
    return windows(x, -jnp.inf, jnp.maximum, 2, 'VALID')


def _last_pool(x):
    """The graph's oddity: a maximum where the block before has the average."""
    return windows(x, -jnp.inf, jnp.maximum, 1, 'SAME')


def _average_pool(x):
    """Over the pixels inside the picture."""
    inside = jnp.ones((1, *x.shape[1:3], 1), x.dtype)
    total, count = (windows(v, 0.0, jnp.add, 1, 'SAME') for v in (x, inside))
    return total / count


def _join(*branches):
    return jnp.concatenate(branches, axis=-1)


def _block_a(conv, x):
    return _join(
        conv('branch1x1', x),
        _chain(conv, x, *_numbered('branch5x5', 2)),
        _chain(conv, x, *_numbered('branch3x3dbl', 3)),
        conv('branch_pool', _average_pool(x)),
    )


def _block_b(conv, x):
    double = _chain(conv, x, *_numbered('branch3x3dbl', 2))
    return _join(
        conv('branch3x3', x, stride=2),
        conv('branch3x3dbl_3', double, stride=2),
        _max_pool(x),
    )


def _block_c(conv, x):
    return _join(
        conv('branch1x1', x),
        _chain(conv, x, *_numbered('branch7x7', 3)),
        _chain(conv, x, *_numbered('branch7x7dbl', 5)),
        conv('branch_pool', _average_pool(x)),
    )


def _block_d(conv, x):
    seven = _chain(conv, x, *_numbered('branch7x7x3', 3))
    return _join(
        conv('branch3x3_2', conv('branch3x3_1', x), stride=2),
        conv('branch7x7x3_4', seven, stride=2),
        _max_pool(x),
    )


def _block_e(conv, x, pool):
    three = conv('branch3x3_1', x)
    double = _chain(conv, x, *_numbered('branch3x3dbl', 2))
    return _join(
        conv('branch1x1', x),
        conv('branch3x3_2a', three),
        conv('branch3x3_2b', three),
        conv('branch3x3dbl_3a', double),
        conv('branch3x3dbl_3b', double),
        conv('branch_pool', pool(x)),
    )


def _layers() -> dict[str, tuple]:
    """{layer: (height, width, inputs, outputs)} of the 94 kernels."""

    def chain(branch, inputs, *kernels):
        """Layers branch_1, branch_2, ... of (height, width, outputs)."""
        layers = {}
        for name, (h, w, outputs) in zip(
            _numbered(branch, len(kernels)), kernels, strict=True
        ):
            layers[name], inputs = (h, w, inputs, outputs), outputs
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
_PARTS = ('conv.weight', 'bn.weight', 'bn.bias', 'bn.running_mean', 'bn.running_var')


def shapes() -> dict[str, tuple]:
    """{name: shape} of the tensors that `fold` reads, as in the file: kernels OIHW."""
    tensors = {'fc.weight': (CLASSES, 2048)}
    for name, (h, w, inputs, outputs) in LAYERS.items():
        tensors[f'{name}.{_PARTS[0]}'] = (outputs, inputs, h, w)
        tensors |= {f'{name}.{part}': (outputs,) for part in _PARTS[1:]}
    return tensors
