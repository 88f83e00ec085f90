"""Sets prepared by TFDS: found without TensorFlow, read exactly, or one line."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from configs import default
from gan_vae import data
from gan_vae.data import prepared
from gan_vae.data.pictures import Fit
from gan_vae.errors import UserError


def load(name, split, folder, how, storage='memory'):
    settings = default.get_config().data
    settings.update(name=name, dir=folder, categories='', storage=storage)
    settings.update(image_size=how.size, channels=how.channels)
    return data.examples(settings, split)


@pytest.mark.parametrize(
    'name, message',
    [
        ('cifar10', 'gan_vae.data.prepare cifar10'),
        ('cifer10', "did you mean 'cifar10'"),
        ('emojji', "did you mean 'emoji'"),
        ('noto_emoji', 'gan_vae.data.prepare noto_emoji'),
        ('../x', 'unknown data set'),
    ],
)
def test_missing_set_names_folder_command_and_alternative(name, message, tmp_path):
    before = 'tensorflow' in sys.modules
    with pytest.raises(UserError) as error:
        load(name, 'train', str(tmp_path), Fit(32, 3))
    text = str(error.value)
    assert (
        message in text
        and str(tmp_path) in text
        and 'emoji' in text
        and '\n' not in text
    )
    assert ('tensorflow' in sys.modules) == before


def test_mnist_is_read_whole_and_cached(tfds_dir):
    found = load('mnist', 'test', tfds_dir, Fit(28, 1))
    assert found.images.shape == (10_000, 28, 28, 1)
    assert np.bincount(found.labels).tolist() == [
        980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009,
    ]  # fmt: skip
    np.testing.assert_allclose(found.images.mean() / 255, 0.1325, atol=1e-4)
    again = load('mnist', 'test', tfds_dir, Fit(28, 1), 'stream')
    np.testing.assert_array_equal(found.images, again.images)
    with pytest.raises(UserError, match="no split 'tset'; it has"):
        load('mnist', 'tset', tfds_dir, Fit(28, 1))


def test_a_category_in_words_is_no_class(monkeypatch):
    tfds = pytest.importorskip('tensorflow_datasets')
    features = {
        'image': tfds.features.Image(shape=(4, 4, 3)),
        'category': tfds.features.Text(),
    }
    example = {'image': np.full((4, 4, 3), 7, np.uint8), 'category': b'cat'}
    builder = SimpleNamespace(
        name='words',
        info=SimpleNamespace(
            features=tfds.features.FeaturesDict(features),
            splits={'train': SimpleNamespace(num_examples=1)},
        ),
        as_dataset=lambda split, shuffle_files: [example],
    )
    monkeypatch.setattr(tfds, 'builder_from_directory', lambda folder: builder)
    monkeypatch.setattr(tfds, 'as_numpy', lambda examples: examples)
    about = {}
    ((image, label, caption),) = prepared._parse(Path('x/1'), 'train', Fit(4, 3), about)
    assert (image == 7).all() and (label, caption, about) == (-1, '', {})


def test_cifar10_has_its_classes(tfds_dir):
    found = load('cifar10', 'test[:100]', tfds_dir, Fit(32, 3))
    assert found.images.shape == (100, 32, 32, 3) and found.class_names[0] == 'airplane'
