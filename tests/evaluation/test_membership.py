"""Attacks on who was trained on: planted leaks are found, and no others."""

import dataclasses

import numpy as np
import pytest
from scipy.stats import norm

from gan_vae import data
from gan_vae.data.source import Examples
from gan_vae.errors import UserError
from gan_vae.evaluation import measures, trained_model
from gan_vae.evaluation.metrics import membership
from tests.evaluation.test_trained_model import measure, trained

RANDOM = np.random.default_rng(0)


def test_what_an_attack_finds_is_what_it_should():
    """Of two normal laws d apart the AUC is Phi(d / sqrt 2), and at 1 % of false alarms
    Phi(z_0.01 + d) is found."""
    members, others = RANDOM.normal(-1, 1, 4000), RANDOM.normal(0, 1, 4000)
    found = membership.leak(members, others)
    exact = norm.cdf(1 / np.sqrt(2))
    assert found.low < exact < found.high and found.high - found.low < 0.03
    assert found.tpr == pytest.approx(norm.cdf(norm.ppf(0.01) + 1), abs=0.02)
    same = membership.leak(RANDOM.normal(size=500), RANDOM.normal(size=500))
    assert same.low < 0.5 < same.high and same.tpr < 0.05
    alike = membership.leak(np.zeros(200), np.zeros(300))
    assert (alike.auc, alike.low, alike.high, alike.tpr) == (0.5, 0.5, 0.5, 0.0)
    apart = membership.leak(np.arange(200.0), 1000 + np.arange(200.0))
    assert (apart.auc, apart.low, apart.high, apart.tpr) == (1, 1, 1, 1)
    few = membership.leak(np.arange(5.0), np.arange(99.0))
    assert few.tpr is None
    # by all pairs, one by one
    a, b = RANDOM.integers(0, 9, 30), RANDOM.integers(0, 9, 40)
    pairs = (a[:, None] < b) + 0.5 * (a[:, None] == b)
    assert membership.auc(a, b) == pytest.approx(pairs.mean())


def with_capability(model, **functions):
    method = dataclasses.replace(model.program.method, **functions)
    return model._replace(program=model.program._replace(method=method))


@pytest.mark.slow
def test_a_model_that_copies_is_caught_and_one_that_does_not_is_not(monkeypatch):
    model = trained('dcgan_emoji', **{'data.eval_split': 'test'})
    settings = model.config.data
    train = data.examples(settings, settings.split)
    others = data.examples(settings, 'validation')
    copies = {'train': train.images, 'others': others.images}
    for of, (low, high) in {'train': (0.98, 1.0), 'others': (0.35, 0.65)}.items():
        drawn = copies[of][np.arange(membership.SAMPLES) % len(copies[of])]
        monkeypatch.setattr(
            'gan_vae.methods.sampling.draw', lambda *_, drawn=drawn, **__: drawn
        )
        value, how = measure('membership', model)['membership_nearest']
        assert low <= value <= high, (of, value)
        assert '0.5 is no leak' in how and 'held-out pictures' in how


@pytest.mark.slow
def test_a_reconstruction_of_its_own_pictures_alone_is_caught():
    model = trained('vae_emoji', **{'data.binarize': 'none'})
    settings = model.config.data
    known = {x.tobytes() for x in data.examples(settings, settings.split).images}

    def again(weights, x):
        pixels = np.uint8(np.round((np.asarray(x) + 1) * 127.5))
        keep = [one.tobytes() in known for one in pixels]
        return np.where(np.array(keep)[:, None, None, None], x, 0)

    monkey = pytest.MonkeyPatch()
    monkey.setattr(trained_model, '_again', lambda function, *given: function(*given))
    try:
        found = measure('membership', with_capability(model, reconstruct=again))
    finally:
        monkey.undo()
    assert found['membership_reconstruction'][0] > 0.99
    assert found['membership_reconstruction_tpr'][0] > 0.99
    plain = measure('membership', model)
    assert 0.35 < plain['membership_reconstruction'][0] < 0.65
    train = data.examples(settings, settings.split)
    with pytest.raises(UserError, match='all held-out pictures were trained on'):
        measure('membership', model._replace(examples=train))
    some = train.take(np.arange(40))  # among others they do not count
    both = np.concatenate([some.images, model.examples.images])
    both = model._replace(examples=Examples(both))
    _, how = measure('membership', both)['membership_reconstruction']
    assert f'{model.examples.size} held-out pictures' in how
    same = model.config.copy_and_resolve_references()
    same.data.eval_split = same.data.split
    same.eval.metrics = 'membership'
    with pytest.raises(UserError, match='the same pictures'):
        measures.names(same, model.program, train)
    same.eval.metrics = ''
