"""EfficientNet-Lite0: pictures get their names, and features their known values."""

import os
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from PIL import Image

from gan_vae.errors import UserError
from gan_vae.extractors import efficientnet_lite0, load

NAME = 'efficientnet_lite0'


@pytest.mark.parametrize('size, stride', [(3, 1), (3, 2), (5, 1), (5, 2)])
@pytest.mark.parametrize('image', [(8, 8), (7, 10)])
def test_depthwise_is_the_grouped_convolution(size, stride, image):
    draw = np.random.default_rng(0)
    x = draw.normal(size=(2, *image, 6)).astype(np.float32)
    kernel = draw.normal(size=(size, size, 1, 6)).astype(np.float32)
    expected = lax.conv_general_dilated(
        x,
        kernel,
        (stride, stride),
        'SAME',
        dimension_numbers=('NHWC', 'HWIO', 'NHWC'),
        feature_group_count=6,
    )
    depthwise = jax.jit(efficientnet_lite0._depthwise, static_argnums=2)
    found = depthwise(x, (kernel, np.ones(6, np.float32)), stride)
    np.testing.assert_allclose(found, expected + 1, atol=1e-5)


def test_missing_package_is_one_line_with_the_command(monkeypatch):
    monkeypatch.setattr(efficientnet_lite0, 'PACKAGE', 'no-such-package')
    with pytest.raises(UserError, match=r"pip install 'gan_vae\[perceptual\]'"):
        load('efficientnet_lite0')


def test_golden_features(extractor, apply, noise):
    out = apply(extractor.params, noise[:3])
    assert {name: value.shape for name, value in out.items()} == {
        'features': (3, 1280),
        'logits': (3, 1000),
        'b2': (3, 24),
        'b4': (3, 40),
    }
    golden = {
        'b2': [3.641884, 7.249162, 0.089502, 5.181113],
        'b4': [4.357468, -2.949268, 3.594656, -9.164878],
        'features': [0.093611, 0.0, 0.053310, 0.006173],
        'logits': [0.446272, 1.745508, -0.359192, -0.281663],
    }
    for name, values in golden.items():
        np.testing.assert_allclose(out[name][0, :4], values, atol=1e-4)


@pytest.mark.slow
def test_batches_do_not_matter(extractor, apply, noise):
    whole = apply(extractor.params, noise)['features']
    for n in (1, 7):
        found = apply(extractor.params, noise[:n])['features']
        np.testing.assert_allclose(found, whole[:n], atol=1e-5)


@pytest.mark.parametrize(
    'name, labels',
    [('f16.png', {895}), ('golden_gate.jpg', {718, 839})],  # warplane; pier, bridge
)
def test_labels_of_photographs(name, labels, extractor, apply):
    folder = os.environ.get('GAN_VAE_TEST_DATA')
    if not folder:
        pytest.skip('set GAN_VAE_TEST_DATA to a folder with pictures/f16.png')
    _names(Image.open(Path(folder) / 'pictures' / name), labels, extractor, apply)


@pytest.mark.oracle
@pytest.mark.parametrize(
    'name, labels',
    [
        ('chelsea', {281, 282, 285}),  # cats
        ('coffee', {967}),  # espresso
        ('rocket', {657, 744}),  # missile, projectile
    ],
)
def test_labels_of_scikit_image_pictures(name, labels, extractor, apply):
    data = pytest.importorskip('skimage.data', reason='pip install scikit-image')
    _names(Image.fromarray(getattr(data, name)()), labels, extractor, apply)


def _names(picture, labels, extractor, apply):
    """All of up to two `labels`, or two of three, are among the first three."""
    resized = picture.convert('RGB').resize((224, 224), Image.Resampling.BILINEAR)
    logits = apply(extractor.params, np.asarray(resized)[None])['logits'][0]
    assert len(labels & {*np.argsort(-logits)[:3].tolist()}) >= min(len(labels), 2)
    assert int(jnp.argmax(logits)) in labels | {540}  # 540: the rocket's platform


@pytest.mark.oracle
def test_equal_to_the_pytorch_network(extractor, apply):
    torch = pytest.importorskip('torch', reason='extra oracle')
    lite = pytest.importorskip(
        'efficientnet_lite_pytorch', reason='pip install efficientnet-lite-pytorch'
    )
    network = lite.EfficientNet.from_name('efficientnet-lite0').eval()
    file = efficientnet_lite0._file()
    network.load_state_dict(torch.load(file, weights_only=True))
    images = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3), np.uint8)
    with torch.no_grad():
        x = (torch.tensor(images).permute(0, 3, 1, 2).float() - 127) / 128
        features = network.extract_features(x).mean((2, 3)).numpy()
        logits = network(x).numpy()
    out = apply(extractor.params, images)
    np.testing.assert_allclose(out['features'], features, atol=3e-4 * features.mean())
    np.testing.assert_allclose(out['logits'], logits, atol=3e-4 * abs(logits).mean())
