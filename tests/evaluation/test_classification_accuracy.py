"""The classification accuracy score: high for real pictures, chance for wrong labels."""

import numpy as np
import pytest

from gan_vae.data import toy_shapes
from gan_vae.evaluation import classification_accuracy, panel
from gan_vae.evaluation.card import differences
from gan_vae.evaluation.extractors import classifier
from gan_vae.training.step import mesh_of


@pytest.fixture(autouse=True)
def short(monkeypatch):
    recipe = {'steps': 150, 'widths': (8, 16, 32), 'learning_rate': 3e-3}
    monkeypatch.setattr(classifier, 'RECIPE', classifier.RECIPE | recipe)


def test_real_pictures_teach_and_shuffled_labels_do_not(monkeypatch):
    made = toy_shapes.load('train[:1500]', 32, 1)
    real = toy_shapes.load('test', 32, 1)
    reference = panel.Pictures('toy_shapes test', real)
    compared = panel.Panel('cas', reference, mesh_of(1, 1))
    card = compared.measure(made.images, {}, labels=made.labels)['cas']
    assert card.value > 0.8 and card.spread is None
    weights = [row['n_real'] for row in card.by_class.values()]
    rows = [row['value'] for row in card.by_class.values()]
    assert rows == sorted(rows) and sum(weights) == 1000
    assert np.average(rows, weights=weights) == pytest.approx(card.value)
    assert 0.4 < card.null <= 1 and card.null_n == 500 and card.null_spread is None
    assert card.flags == ('the null is of 500 pictures only',)
    assert 'not the ResNet-50' in card.line() and '3 classes of' in card.line()

    shuffled = np.random.default_rng(0).permutation(made.labels)
    calls = []
    fit = classifier.fit
    monkeypatch.setattr(classifier, 'fit', lambda *a: calls.append(a) or fit(*a))
    again = compared.measure(made.images, {}, labels=shuffled)['cas']
    assert abs(again.value - 1 / 3) < 0.1 and again.null == card.null
    assert len(calls) == 1  # the null is kept

    recipe = classifier.RECIPE | {'steps': 1}
    monkeypatch.setattr(classifier, 'RECIPE', recipe)
    other = compared.measure(made.images, {}, labels=made.labels)['cas']
    assert differences(card, other)[0].startswith('weights_sha256')


def test_a_class_that_the_samples_lack_is_never_right(monkeypatch):
    monkeypatch.setattr(classifier, 'RECIPE', classifier.RECIPE | {'steps': 20})
    made, real = toy_shapes.load('train[:200]', 32, 1), toy_shapes.load('test', 32, 1)
    made = made.take(np.flatnonzero(made.labels < 2))
    found = classification_accuracy.accuracies(made, real)
    assert found['triangle'] == 0 and found[''] > 0.2
