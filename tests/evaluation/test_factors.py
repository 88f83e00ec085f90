"""A classifier of factors tells what was painted, and says where it cannot."""

import numpy as np
import pytest

from gan_vae.data.source import Examples
from gan_vae.errors import UserError
from gan_vae.evaluation import factors

COLOURS = ('red', 'green', 'blue', 'none')


def _painted(n, seed=0):
    """Pictures with a bar of a colour, or none, at the left or the right; the speckle,
    which is not drawn, is a factor that nothing can see."""
    draw = np.random.default_rng(seed)
    colour, side, speckle = (draw.integers(0, k, n) for k in (4, 2, 2))
    images = draw.integers(100, 140, (n, 32, 32, 3))
    for image, c, s in zip(images, colour, side, strict=True):
        if c < 3:
            image[:, 18 * s : 18 * s + 14, c] = 255
    found = {'colour': colour, 'side': 5.0 * side, 'speckle': speckle}
    known = {'colour': COLOURS, 'speckle': ('no', 'yes')}
    return Examples(images.astype(np.uint8), factors=found, factor_values=known)


@pytest.fixture(autouse=True)
def short(monkeypatch, tmp_path):
    monkeypatch.setenv('GAN_VAE_CACHE', str(tmp_path))
    recipe = {'widths': (8, 16), 'features': 64, 'batch_size': 32, 'steps': 150}
    monkeypatch.setattr(factors, 'RECIPE', factors.RECIPE | recipe)


@pytest.mark.slow
def test_it_sees_what_was_painted_and_is_trained_once(monkeypatch):
    known = factors.load(_painted(400), _painted(100, 1))
    assert known.names == ('colour', 'side', 'speckle')
    assert known.values == (COLOURS, ('0.0', '5.0'), ('no', 'yes'))
    colour, _, speckle = known.accuracy
    assert colour > 0.95 and 0.3 < speckle < 0.7
    fresh = _painted(60, 2)
    found, bars = known.of(fresh.images), fresh.factors['colour'] < 3
    assert np.mean(found[:, 0] == fresh.factors['colour']) > 0.95
    assert np.mean(5.0 * found[bars, 1] == fresh.factors['side'][bars]) > 0.95

    def never(*_):
        raise AssertionError('trained again')

    monkeypatch.setattr(factors.classifier, 'fit_several', never)
    assert factors.load(_painted(400), _painted(100, 1)).accuracy == known.accuracy


def test_accuracy_is_of_the_pictures_that_do_not_lack_the_factor(monkeypatch):
    """A classifier that sees red, left and no speckle everywhere is always right in
    the pictures of a colour if all of those are red, however many have none."""
    held_out = _painted(200, 1)
    rows = np.flatnonzero(np.isin(held_out.factors['colour'], [0, 3]))
    held_out = held_out.take(rows)
    monkeypatch.setattr(factors, 'RECIPE', factors.RECIPE | {'steps': 1})
    monkeypatch.setattr(
        factors.Factors, 'of', lambda _, images: np.zeros((len(images), 3), int)
    )
    colour, side, _ = factors.load(_painted(64), held_out).accuracy
    assert colour == 1 and 0.3 < side < 0.7


def test_what_has_no_factors_is_refused():
    known = _painted(64)
    with pytest.raises(UserError, match='no factors'):
        factors.load(known._replace(factors=None), known)
    with pytest.raises(UserError, match='did you mean .colour'):
        factors.check('color', known)
