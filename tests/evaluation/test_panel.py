"""The panel: baselines, flags, names, and independence of batches and devices."""

import numpy as np
import pytest

from gan_vae import extractors, models
from gan_vae.data.source import Examples
from gan_vae.devices.mesh import mesh_of
from gan_vae.errors import UserError
from gan_vae.evaluation import panel, plan
from gan_vae.evaluation.card import Card, differences
from gan_vae.evaluation.metrics import fd
from gan_vae.extractors import features


def pictures(n, seed, shade=128):
    noise = np.random.default_rng(seed).normal(shade, 40, (n, 8, 8, 1))
    return np.clip(noise, 0, 255).astype(np.uint8)


@pytest.fixture(autouse=True)
def means(monkeypatch, tmp_path):
    """An extractor of four means of a picture, and a cache of its own."""
    monkeypatch.setenv('GAN_VAE_CACHE', str(tmp_path))

    def apply(params, images):
        rows = images.astype('float32').reshape(len(images), 4, -1).mean(-1)
        return {'features': rows * params, 'maps': images}

    made = extractors.Extractor('random', 'ab' * 32, 0, 'none', np.float32(0.5), apply)
    monkeypatch.setattr(extractors, 'load', lambda name, **settings: made)
    return made


def panel_of(names, n=200, devices=1):
    reference = panel.Pictures('noise train', Examples(pictures(n, 0)))
    held = panel.Pictures('noise test', Examples(pictures(120, 9)))
    return panel.Panel(names, reference, mesh_of(devices, devices), held)


@pytest.mark.parametrize('devices, batch', [(1, 7), (2, 32), (4, 50), (4, 1000)])
def test_features_depend_on_neither_batch_nor_devices(means, devices, batch):
    images = pictures(50, 3)
    found = features.extract(means, images, mesh_of(devices, devices), batch)
    want = images.astype(np.float32).reshape(50, 4, -1).mean(-1) / 2
    assert found.keys() == {'features'}  # not the maps: memory
    np.testing.assert_allclose(found['features'], want, rtol=1e-6)


def test_reference_is_extracted_once(means, monkeypatch):
    examples, mesh = Examples(pictures(30, 1)), mesh_of(1, 1)
    first = features.of_reference(means, examples, mesh)
    monkeypatch.setattr(features, 'extract', None)
    again = features.of_reference(means, examples, mesh)
    np.testing.assert_array_equal(first['features'], again['features'])
    with pytest.raises(TypeError):  # other weights: not from the cache
        features.of_reference(means._replace(weights_sha256='00'), examples, mesh)
    with pytest.raises(TypeError):  # one other pixel
        changed = pictures(30, 1)
        changed[7, 3, 3, 0] ^= 1
        features.of_reference(means, Examples(changed), mesh)


def test_torn_cache_is_made_again(means):
    examples, mesh = Examples(pictures(30, 1)), mesh_of(1, 1)
    first = features.of_reference(means, examples, mesh)
    (file,) = (features.cache.root() / 'features').glob('*.npz')
    file.write_bytes(file.read_bytes()[:300])
    again = features.of_reference(means, examples, mesh)
    np.testing.assert_array_equal(first['features'], again['features'])


def test_null_is_biased_as_the_value_is():
    """Few pictures against many: both sides of the null are as large as the value's."""
    cards = panel_of('fd_random', 400).measure(pictures(60, 7), {})
    card = cards['fd_random']
    assert abs(card.value - card.null) < 5 * card.null_spread


def test_cards_hold_value_null_and_protocol():
    samples = pictures(100, 5, shade=150)
    cards = panel_of('fd_random,kid_random').measure(samples, {'run': 'r'})
    card = cards['fd_random']
    real = pictures(200, 0).astype(np.float32).reshape(200, 4, -1).mean(-1) / 2
    fake = samples.astype(np.float32).reshape(100, 4, -1).mean(-1) / 2
    np.testing.assert_allclose(card.value, fd.distance_of(real, fake), rtol=1e-5)
    assert (card.n_real, card.n_fake, card.null_n) == (200, 100, 100)
    assert card.value > 20 * card.null > 0 and card.spread < card.value / 5
    assert not card.flags and 'real against real' in card.line()
    assert card == Card(**card.to_dict())._replace(flags=())
    kid = cards['kid_random']
    assert kid.value > kid.null + 3 * kid.null_spread


def test_real_samples_score_as_the_null():
    cards = panel_of('fd_random,pr_random,dc_random', 400).measure(pictures(200, 7), {})
    for card in cards.values():
        assert abs(card.value - card.null) < 5 * max(card.null_spread, card.spread)


def test_order_of_samples_does_not_matter():
    samples, compared = pictures(60, 4), panel_of('fd_random,kid_random,pr_random,swd')
    for name, card in compared.measure(samples, {}).items():
        again = compared.measure(samples[::-1], {})[name]
        np.testing.assert_allclose(again.value, card.value, rtol=1e-6)


def test_originality_finds_planted_copies():
    compared = panel_of('originality_random', 300)
    samples = pictures(100, 8)
    clean = compared.measure(samples, {})
    copied = np.concatenate([samples[:80], pictures(300, 0)[:20]])
    found = compared.measure(copied, {})
    assert clean['near_random'].value <= 0.05 and clean['near_p_random'].value > 1e-3
    assert found['near_random'].value >= 0.2 and found['near_p_random'].value < 1e-6
    sheet = compared.sheets(copied)['originality_random']
    tiles = sheet[2:, 2:].reshape(-1, 10, 8, 10, 1)[:, :8, :, :8]  # rows of 4 pairs
    tiles = tiles[:5]  # the copies
    np.testing.assert_array_equal(tiles[:, :, 0::2], tiles[:, :, 1::2])


def test_few_pictures_are_flagged():
    cards = panel_of('fd_random', 4).measure(pictures(4, 1), {})
    no_baseline, biased = cards['fd_random'].flags
    assert 'no baseline' in no_baseline and 'dimensions' in biased


def test_features_that_the_model_was_trained_by_are_flagged(means):
    reference = panel.Pictures('noise train', Examples(pictures(60, 0)))
    mesh = mesh_of(1, 1)
    seen = panel.Panel('fd_random,swd', reference, mesh, seen='random')
    cards = seen.measure(pictures(60, 1), {})
    assert 'trained by the features of random' in cards['fd_random'].flags[-1]
    others = [
        *cards['swd'].flags,
        *panel_of('fd_random', 60).measure(pictures(60, 1), {})['fd_random'].flags,
    ]
    assert not any('trained by' in flag for flag in others)
    assert models.sees('discriminator', 'projected_class') == 'efficientnet_lite0'
    assert models.sees('discriminator', 'dcgan') == ''


def test_cards_of_other_protocols_differ():
    compared = panel_of('fd_random')
    a = compared.measure(pictures(50, 1), {})['fd_random']
    b = compared.measure(pictures(60, 1), {})['fd_random']
    assert differences(a, a) == []
    assert differences(a, b) == ['n_fake: 50, 60']


def names(text):
    return plan.parse(text).results


def test_names():
    assert names('fid, is,swd') == ['fid', 'is', 'swd']
    assert names('fd_random,pr_random')[:2] == ['fd_random', 'precision_random']
    assert names('') == []


@pytest.mark.parametrize(
    'names, message',
    [
        ('fdi', "did you mean 'fid'"),
        ('fd', 'unknown'),
        ('kid_', 'another extractor of'),
        ('kid_incption', "did you mean 'inception'"),
        ('swd_random', 'takes no extractor'),
        ('modes_random', 'has no classes'),
    ],
)
def test_unknown_names_are_one_line(names, message):
    with pytest.raises(UserError, match=message):
        panel_of(names)


def test_samples_of_another_size_or_type_are_refused(means):
    with pytest.raises(UserError, match='size 16x16x1, and must have 8x8x1'):
        panel_of('swd').measure(np.zeros((4, 16, 16, 1), np.uint8), {})
    floats = pictures(4, 1) / 127.5 - 1
    with pytest.raises(UserError, match='samples are float64: give uint8'):
        panel_of('swd').measure(floats, {})
    with pytest.raises(UserError, match='pictures are float64: give uint8'):
        features.extract(means, floats, mesh_of(1, 1))
    real = panel.Pictures('mine', Examples(floats))
    with pytest.raises(UserError, match='pictures of mine are float64'):
        panel.Panel('swd', real, mesh_of(1, 1))
