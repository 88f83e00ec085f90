"""The classifier learns its set, is trained once, and knows when it cannot be."""

import jax
import numpy as np
import pytest

from gan_vae.data.source import Examples
from gan_vae.errors import UserError
from gan_vae.extractors import classifier, load


def _stripes(n, labels=True, seed=0):
    """Grey pictures of stripes, across (0) or down (1), under noise."""
    draw = np.random.default_rng(seed)
    kinds = draw.integers(0, 2, n)
    wave = np.sin(np.arange(16) * np.pi / 2 + draw.uniform(0, 6, (n, 1)))
    across = np.broadcast_to(wave[:, :, None], (n, 16, 16))
    x = np.where(kinds[:, None, None] == 0, across, across.swapaxes(1, 2))
    x = 128 + 40 * x + draw.normal(0, 20, x.shape)
    images = np.clip(x, 0, 255).astype(np.uint8)[..., None]
    return Examples(images, kinds.astype(np.int32) if labels else None, ('-', '|'))


@pytest.fixture(autouse=True)
def short(monkeypatch, tmp_path):
    monkeypatch.setenv('GAN_VAE_CACHE', str(tmp_path))
    recipe = {'steps': 40, 'widths': (8, 16), 'batch_size': 32}
    monkeypatch.setattr(classifier, 'RECIPE', classifier.RECIPE | recipe)


def test_learns_is_cached_and_does_not_depend_on_the_batch(monkeypatch, tmp_path):
    examples = _stripes(400)
    extractor = load('classifier', examples=examples)
    assert float(extractor.note.split()[1]) > 0.9
    assert extractor.note.endswith('on 40 examples held out of train')
    fresh = _stripes(50, seed=1)
    out = jax.jit(extractor.apply)(extractor.params, fresh.images)
    assert out['features'].shape == (50, 128) and out['logits'].shape == (50, 2)
    assert np.mean(np.argmax(out['logits'], -1) == fresh.labels) > 0.9
    for n in (1, 7):
        found = jax.jit(extractor.apply)(extractor.params, fresh.images[:n])
        np.testing.assert_allclose(
            found['features'], out['features'][:n], rtol=1e-5, atol=1e-5
        )

    def never(_):
        raise AssertionError('trained again')

    monkeypatch.setattr(classifier, 'train', never)
    again = load('classifier', examples=examples)
    assert again.weights_sha256 == extractor.weights_sha256
    assert again.note == extractor.note
    with pytest.raises(AssertionError, match='again'):  # other data
        load('classifier', examples=_stripes(400, seed=2))
    recipe = classifier.RECIPE | {'dropout': 0.25}
    monkeypatch.setattr(classifier, 'RECIPE', recipe)
    with pytest.raises(AssertionError, match='again'):  # another recipe
        load('classifier', examples=examples)
    monkeypatch.setattr(classifier, 'RECIPE', recipe | {'dropout': 0.5})
    for file in (tmp_path / 'classifiers').iterdir():
        file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(AssertionError, match='again'):  # a torn file
        load('classifier', examples=examples)


@pytest.mark.slow
def test_same_seed_gives_the_same_weights(monkeypatch):
    monkeypatch.setattr(classifier, 'RECIPE', classifier.RECIPE | {'steps': 3})
    (first, _), (second, _) = (classifier.train(_stripes(100)) for _ in range(2))
    jax.tree.map(np.testing.assert_array_equal, first, second)


@pytest.mark.parametrize(
    'examples, message',
    [
        (_stripes(50, labels=False), 'needs labels of two classes'),
        (_stripes(12), '10 examples of each: the set has 2 classes and 12'),
        (_stripes(50)._replace(labels=np.zeros(50, np.int32)), 'the set has 1 classes'),
    ],
)
def test_unfit_sets_are_refused(examples, message):
    with pytest.raises(UserError, match=message) as error:
        load('classifier', examples=examples)
    assert 'use the extractor random' in str(error.value)
