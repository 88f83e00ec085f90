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

from gan_vae import files
from gan_vae.errors import UserError, unknown
from gan_vae.extractors import Extractor, convolution, weights
from gan_vae.extractors import resize as resizing
from gan_vae.extractors.convolution import windows

EXTRACTOR = {}
SIZE = 299
EPSILON = 1e-3
SHA256 = '6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2'
_PARTS = ('conv.weight', 'bn.weight', 'bn.bias', 'bn.running_mean', 'bn.running_var')
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
        looked = files.expand(home) / 'hub' / 'checkpoints'
        for name in FILES:
            if (looked / name).is_file():
                return looked / name
    raise UserError(
        f'no Inception weights at {looked}: put {FILES[0]} (a release file of '
        f'pytorch-fid, SHA-256 {SHA256}) there, or its path in GAN_VAE_INCEPTION'
    )


def fold(state: dict[str, np.ndarray]) -> dict:
    """Parameters of `network` from a state_dict: {layer: {'kernel', 'bias'}}, float32.

    Kernels are HWIO, [2048, 1008] for 'fc', which has no bias: the Inception score is
    of the unbiased logits.
    """
    params = {'fc': {'kernel': np.ascontiguousarray(state['fc.weight'].T)}}
    for key in state:
        if not key.endswith('.conv.weight'):
            continue
        name = key.removesuffix('.conv.weight')
        w, g, beta, m, v = (
            np.asarray(state[f'{name}.{part}'], np.float64) for part in _PARTS
        )
        scale = g / np.sqrt(v + EPSILON)
        params[name] = {
            'kernel': (w.transpose(2, 3, 1, 0) * scale).astype(np.float32),
            'bias': (beta - m * scale).astype(np.float32),
        }
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

    def conv(layer, x, **how):
        return _conv(params[layer], x, **how)

    def block(name, kind, x, *how):
        return kind(lambda layer, x, **kw: conv(f'{name}.{layer}', x, **kw), x, *how)

    x = conv('Conv2d_1a_3x3', x, stride=2)
    x = conv('Conv2d_2a_3x3', x, padding='VALID')
    x = _max_pool(conv('Conv2d_2b_3x3', x))
    taps = {'pool64': _mean(x)}
    x = conv('Conv2d_3b_1x1', x)
    x = _max_pool(conv('Conv2d_4a_3x3', x, padding='VALID'))
    taps['pool192'] = _mean(x)
    for letter in 'bcd':
        x = block(
            f'Mixed_5{letter}', _block_a, x, ('branch5x5', 2), ('branch3x3dbl', 3)
        )
    x = block('Mixed_6a', _block_b, x)
    for letter in 'bcde':
        x = block(
            f'Mixed_6{letter}', _block_a, x, ('branch7x7', 3), ('branch7x7dbl', 5)
        )
    taps['pool768'] = _mean(x)
    x = block('Mixed_7a', _block_c, x)
    x = block('Mixed_7b', _block_d, x, _average_pool)
    x = block('Mixed_7c', _block_d, x, _last_pool)
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


def _chain(conv, x, branch, n):
    """Layers branch_1 to branch_n."""
    for i in range(1, n + 1):
        x = conv(f'{branch}_{i}', x)
    return x


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


def _block_a(conv, x, *chains):
    return _join(
        conv('branch1x1', x),
        *(_chain(conv, x, *chain) for chain in chains),
        conv('branch_pool', _average_pool(x)),
    )


def _block_b(conv, x):
    double = _chain(conv, x, 'branch3x3dbl', 2)
    return _join(
        conv('branch3x3', x, stride=2),
        conv('branch3x3dbl_3', double, stride=2),
        _max_pool(x),
    )


def _block_c(conv, x):
    seven = _chain(conv, x, 'branch7x7x3', 3)
    return _join(
        conv('branch3x3_2', conv('branch3x3_1', x), stride=2),
        conv('branch7x7x3_4', seven, stride=2),
        _max_pool(x),
    )


def _block_d(conv, x, pool):
    three = conv('branch3x3_1', x)
    double = _chain(conv, x, 'branch3x3dbl', 2)
    return _join(
        conv('branch1x1', x),
        conv('branch3x3_2a', three),
        conv('branch3x3_2b', three),
        conv('branch3x3dbl_3a', double),
        conv('branch3x3dbl_3b', double),
        conv('branch_pool', pool(x)),
    )
