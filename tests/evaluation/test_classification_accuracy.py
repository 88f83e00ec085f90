"""Classification accuracy score: high for real pictures, chance for wrong labels."""

import numpy as np
import pytest

from gan_vae.data.readers import toy_shapes
from gan_vae.devices.mesh import mesh_of
from gan_vae.evaluation import panel
from gan_vae.evaluation.card import differences
from gan_vae.evaluation.metrics import cas
from gan_vae.extractors import classifier


@pytest.fixture(autouse=True)
def short(monkeypatch):
    recipe = {'steps': 40, 'widths': (8,), 'batch_size': 32, 'learning_rate': 3e-3}
    monkeypatch.setattr(classifier, 'RECIPE', classifier.RECIPE | recipe)


def shapes(split):
    """Toy shapes by their hue, which is learned sooner than their shape."""
    found = toy_shapes.examples(split, 16, 3)
    labels = (found.factors['hue'] * 3).astype(np.int32)
    return found._replace(labels=labels, class_names=('red', 'green', 'blue'))


@pytest.mark.slow
def test_real_pictures_teach_and_shuffled_labels_do_not(monkeypatch):
    made, real = shapes('train[:400]'), shapes('test[:600]')
    compared = panel.Panel('cas', panel.Pictures('shapes', real), mesh_of(1, 1))
    card = compared.measure(made.images, {}, labels=made.labels)['cas']
    assert card.value > 0.8 and card.spread is None
    weights = [row['n_real'] for row in card.by_class.values()]
    rows = [row['value'] for row in card.by_class.values()]
    assert rows == sorted(rows) and sum(weights) == 600
    assert np.average(rows, weights=weights) == pytest.approx(card.value)
    assert card.null > 0.8 and card.null_n == 300 and card.null_spread is None
    assert card.flags == ('the baseline is of 300 pictures only',)
    assert 'not the ResNet-50' in card.line() and '3 classes of' in card.line()

    calls, fit = [], classifier.fit
    monkeypatch.setattr(classifier, 'fit', lambda *a: calls.append(a) or fit(*a))
    shuffled = np.random.default_rng(0).permutation(made.labels)
    again = compared.measure(made.images, {}, labels=shuffled)['cas']
    assert again.value < 0.55 and again.null == card.null  # chance is 1/3
    assert len(calls) == 1  # the null is kept
    # Another recipe is another protocol.
    monkeypatch.setattr(classifier, 'RECIPE', classifier.RECIPE | {'steps': 1})
    other = card._replace(**cas.about())
    assert differences(card, other)[0].startswith('weights_sha256')


def test_a_class_that_the_samples_lack_is_never_right():
    made, real = shapes('train[:300]'), shapes('test[:200]')
    made = made.take(np.flatnonzero(made.labels < 2))
    found = cas.accuracies(made, real)
    assert found['blue'] == 0 and found[''] > 0.4
