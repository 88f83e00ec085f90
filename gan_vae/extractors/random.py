"""Random convolutional features: a network of VGG's shape that was never trained.

    y = relu(W * x),    W ~ U(-b, b),  b^2 = 6 / (9 channels of x),

He's initialisation (He et al. 2015, arXiv:1502.01852), which keeps the second moment of
the signal from layer to layer. Embeddings of such networks say more than those of
ImageNet on data that is far from it: Naeem et al. 2020, arXiv:2002.09797.
"""

import jax
import jax.numpy as jnp
import numpy as np

from gan_vae.extractors import Extractor
from gan_vae.extractors.convolution import vgg16
from gan_vae.extractors.resize import resize
from gan_vae.learning import state

EXTRACTOR = {'maps': True, 'style': True}
SIZE = 64
SEED = 2020
_BLOCKS = ((16, 16), (32, 32), (64, 64, 64), (64, 64, 64), (64, 64, 64))


def load() -> Extractor:
    """Features [n, 128]: means of maps 'relu3_3' [16, 16, 64] and 'relu5_3' [4, 4, 64].

    Images are resized to 64; one channel is repeated to three.
    """
    params = draw()
    sha256 = state.sha256(state.named_leaves(params))
    return Extractor('random', sha256, SIZE, 'torch', params, apply)


def draw() -> dict[str, np.ndarray]:
    """The kernels HWIO by layer, the same bits with every release of NumPy and JAX.

    Only the bits of Philox are promised by NumPy, not what its distributions make of
    them; so the uniform numbers are made here, by operations that round exactly.
    """
    bits = np.random.Philox(SEED)
    params, channels = {}, 3
    for block, widths in enumerate(_BLOCKS, 1):
        for layer, width in enumerate(widths, 1):
            shape = (3, 3, channels, width)
            uniform = (bits.random_raw(np.prod(shape)) >> np.uint64(11)) * 2.0**-53
            bound = np.sqrt(6 / (9 * channels))
            kernel = (2 * uniform - 1) * bound
            params[f'conv{block}_{layer}'] = np.float32(kernel.reshape(shape))
            channels = width
    return params


def style_network() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """{layer: (kernel HWIO, zeros for its bias)}."""
    return _with_zeros(draw())


def _with_zeros(kernels):
    return {k: (v, np.zeros(v.shape[-1], np.float32)) for k, v in kernels.items()}


def apply(params: dict, images) -> dict[str, jax.Array]:
    """uint8 (or float 0..255) [n, H, W, 1 or 3] -> features and the two maps."""
    x = resize(jnp.asarray(images, jnp.float32), SIZE, 'torch')
    x = jnp.broadcast_to(x, (*x.shape[:3], 3)) / 127.5 - 1
    maps = vgg16(_with_zeros(params), x)
    out = {f'relu{block}_3': maps[f'conv{block}_3'] for block in (3, 5)}
    features = [taps.mean((1, 2)) for taps in out.values()]
    return out | {'features': jnp.concatenate(features, -1)}
