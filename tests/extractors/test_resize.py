"""Each way to resize is its library's, and no two are alike."""

import jax
import numpy as np
import pytest
from PIL import Image

from gan_vae.errors import UserError
from gan_vae.extractors.resize import NAMES, resize

# Input height and width, output size: up, down, mixed, to an odd size, as it is.
SIZES = [(8, 8, 13), (32, 32, 299), (40, 33, 16), (9, 30, 17), (64, 64, 21), (7, 7, 7)]
# F.interpolate(torch.tensor([[[[0., 90, 30], [60, 255, 15]]]]), size=(4, 4),
# mode='bilinear', align_corners=False) of torch 2.13.
GOLDEN = [
    [0.0, 56.25, 67.5, 30.0],
    [15.0, 87.65625, 91.875, 26.25],
    [45.0, 150.46875, 140.625, 18.75],
    [60.0, 181.875, 165.0, 15.0],
]


def pictures(h, w, channels=3):
    random = np.random.RandomState(h * 100 + w)
    return random.randint(256, size=(2, h, w, channels)).astype(np.float32)


def by_loops(images, size):
    """TensorFlow 1: output o lies at o * in / out, between two pixels."""
    n, h, w, channels = images.shape
    out = np.zeros((n, size, size, channels))
    for i in range(size):
        for j in range(size):
            y, x = i * h / size, j * w / size
            top, left = int(y), int(x)
            below, right = min(top + 1, h - 1), min(left + 1, w - 1)
            upper = images[:, top, left] * (left + 1 - x)
            upper = upper + images[:, top, right] * (x - left)
            lower = images[:, below, left] * (left + 1 - x)
            lower = lower + images[:, below, right] * (x - left)
            out[:, i, j] = upper * (top + 1 - y) + lower * (y - top)
    return out


def by_pillow(images, size):
    out = np.zeros((len(images), size, size, images.shape[-1]), np.float32)
    for i, image in enumerate(images):
        for c in range(images.shape[-1]):
            channel = Image.fromarray(np.ascontiguousarray(image[..., c]))
            assert channel.mode == 'F'
            out[i, ..., c] = channel.resize((size, size), Image.Resampling.BICUBIC)
    return np.clip(out, 0, 255)


def same(ours, theirs, tolerance=2e-5):
    assert ours.shape == theirs.shape
    assert np.abs(np.asarray(ours) - theirs).max() <= tolerance * 255


@pytest.mark.parametrize('h, w, size', [s for s in SIZES if s[2] < 100])
def test_tf1_is_the_formula(h, w, size):
    same(resize(pictures(h, w), size, 'tf1'), by_loops(pictures(h, w), size))


@pytest.mark.parametrize('h, w, size', SIZES)
def test_clean_is_pillows_bicubic_on_floats(h, w, size):
    same(resize(pictures(h, w), size, 'clean'), by_pillow(pictures(h, w), size))


def test_torch_is_the_stored_result():
    image = np.array([[0, 90, 30], [60, 255, 15]], np.float32)[None, :, :, None]
    same(resize(image, 4, 'torch'), np.array(GOLDEN)[None, :, :, None], 1e-7)


@pytest.mark.parametrize('how', NAMES)
def test_it_can_be_compiled_and_keeps_flat_pictures(how):
    flat = np.full((1, 20, 12, 2), 77.0, np.float32)
    found = jax.jit(resize, static_argnums=(1, 2))(flat, 15, how)
    same(found, np.full((1, 15, 15, 2), 77.0))


@pytest.mark.parametrize('size', [64, 11])
def test_the_three_differ_grossly(size):
    found = [np.asarray(resize(pictures(24, 24), size, how)) for how in NAMES]
    for i in range(3):
        assert np.abs(found[i] - found[i - 1]).mean() > 5


def test_an_unknown_name_is_a_line():
    with pytest.raises(UserError, match="unknown resize 'tf'.*clean, tf1, torch"):
        resize(pictures(4, 4), 8, 'tf')


@pytest.mark.oracle
@pytest.mark.parametrize('h, w, size', SIZES)
def test_bilinear_is_that_of_the_libraries(torch, h, w, size):
    import torch_fidelity.interpolate_compat_tensorflow as compat

    x = pictures(h, w)
    nchw = torch.tensor(x).permute(0, 3, 1, 2)
    half = torch.nn.functional.interpolate(
        nchw, (size, size), mode='bilinear', align_corners=False
    )
    same(resize(x, size, 'torch'), half.permute(0, 2, 3, 1).numpy())
    tf1 = compat.interpolate_bilinear_2d_like_tensorflow1x(
        nchw, (size, size), align_corners=False
    )
    same(resize(x, size, 'tf1'), tf1.permute(0, 2, 3, 1).numpy())


@pytest.mark.oracle
@pytest.mark.parametrize('h, w, size', [*SIZES, (320, 301, 299), (299, 299, 299)])
@pytest.mark.parametrize('channels', [1, 3])
def test_clean_is_that_of_clean_fid(h, w, size, channels):
    pytest.importorskip('torch', reason='extra oracle')
    cleanfid = pytest.importorskip('cleanfid.resize', reason='extra oracle')
    # It takes colours only, and its resizer for FID is of 299 pixels.
    resizer = (
        cleanfid.build_resizer('clean')
        if size == 299
        else cleanfid.make_resizer('PIL', False, 'bicubic', (size, size))
    )
    x = pictures(h, w, channels)
    colours = np.repeat(x, 3 // channels, -1).astype(np.uint8)
    theirs = np.stack([resizer(image) for image in colours])[..., :channels]
    same(resize(x, size, 'clean'), theirs, 1e-6)
