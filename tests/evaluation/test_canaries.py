"""Planted pictures of noise: where they are, and what a model that keeps them shows."""

import numpy as np
import pytest

from gan_vae import data
from gan_vae.data.readers.canaries import COUNT
from gan_vae.data.settings import Settings
from gan_vae.errors import UserError
from gan_vae.evaluation import measures, trained_model
from gan_vae.evaluation.metrics import canaries
from tests.evaluation.test_membership import with_capability
from tests.evaluation.test_trained_model import measure, trained


def test_exposure_of_one_that_is_first_last_and_unknown():
    others = np.arange(1.0, 128)
    assert canaries.exposure(np.zeros(3), others) == 7.0  # log2 128
    assert canaries.exposure(np.full(3, 999.0), others) == 0.0
    assert canaries.exposure(np.array([0.0, 999.0]), others) == 3.5
    random = np.random.default_rng(0)
    unknown = canaries.exposure(random.random(4000), random.random(4000))
    assert unknown == pytest.approx(np.log2(np.e), abs=0.1)


@pytest.mark.slow
def test_they_have_captions_as_the_set_has():
    settings = Settings(
        name='canaries:art:sprouts', image_size=16, split='train[:20]', text='words'
    )
    found = data.training(settings)
    assert found.captions[-1] == 'noise' and 'noise' in found.text.words
    assert len(found.tokens) == found.size == 20 + COUNT
    held_out = data.examples(settings, 'test[:5]', found.text)
    assert held_out.tokens.shape[::2] == (5, found.text.length)


@pytest.mark.slow
def test_a_model_that_keeps_them_is_caught_and_one_that_does_not_is_not(monkeypatch):
    changes = {'data.name': 'canaries:emoji', 'data.categories': ''}
    model = trained('vae_emoji', **changes, **{'data.binarize': 'none'})
    settings = model.config.data
    train, test = (data.examples(settings, split) for split in ('train[:64]', 'test'))
    planted, spare = (data.examples(settings, split) for split in ('planted', 'spare'))
    assert settings.split == 'train[:64]' and train.size == 64 + COUNT
    np.testing.assert_array_equal(train.images[64:], planted.images)
    known = {x.tobytes() for x in planted.images}
    assert len(known) == COUNT
    for others in (spare, test):
        assert not known & {x.tobytes() for x in others.images}

    def again(weights, x):
        pixels = np.uint8(np.round((np.asarray(x) + 1) * 127.5))
        keep = [one.tobytes() in known for one in pixels]
        return np.where(np.array(keep)[:, None, None, None], x, 0)

    monkeypatch.setattr(trained_model, '_again', lambda f, *given: f(*given))
    found = measure('canaries', with_capability(model, reconstruct=again))
    assert found['canaries_reconstruction'][0] == 1.0
    assert found['canaries_reconstruction_exposure'][0] == pytest.approx(np.log2(101))
    plain = measure('canaries', model)
    assert 0.35 < plain['canaries_reconstruction'][0] < 0.65
    model.config.unlock()
    model.config.eval.metrics = 'canaries'
    measures.names(model.config, model.program, test)
    model.config.data.name = 'emoji'
    with pytest.raises(UserError, match='train on canaries:emoji'):
        measures.names(model.config, model.program, test)
