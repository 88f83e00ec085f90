"""The deep image prior: where it ends, what stays, and what is said of mistakes."""

import json

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from gan_vae import images
from gan_vae.art import __main__ as art
from gan_vae.art import deep_prior
from gan_vae.art.degradations import WHOLE, Hole
from gan_vae.evaluation.pairs import psnr


@pytest.fixture(scope='module')
def smooth():
    """A picture [24, 20, 3] in [-1, 1] of a few soft colours and white."""
    drawn = np.random.default_rng(0).normal(size=(24, 20, 3))
    found = ndimage.gaussian_filter(drawn, (3, 3, 0))
    return np.clip(found / found.std() + 0.5, -1, 1).astype(np.float32)


def test_clipped_noise_has_its_mean_and_variance():
    e = np.random.default_rng(0).standard_normal(400_000)
    x = np.float32([-1, -0.9, 0, 0.5, 1])
    for deviation in (0.2, 0.02):
        mean, variance = deep_prior.clipped(x, deviation)
        drawn = np.clip(x + deviation * e[:, None], -1, 1)
        np.testing.assert_allclose(mean, drawn.mean(0), atol=0.004 * deviation)
        np.testing.assert_allclose(variance, drawn.var(0), rtol=0.01)


@pytest.mark.slow
def test_it_ends_before_the_noise_comes(smooth):
    rng = np.random.default_rng(1)
    noisy = smooth + rng.normal(0, 0.2, smooth.shape).astype(np.float32)
    y = images.from_uint8(images.to_uint8(noisy))
    whole = WHOLE
    best = deep_prior.restore(y, smooth.shape, whole, noise=0.2, steps=600)
    on = deep_prior.restore(y, smooth.shape, whole, steps=600)
    assert 0.9 < best.excess <= 1 and best.steps < 500 and on.steps == 600
    given, ended, too_far = (
        psnr(images.to_uint8(smooth)[None], images.to_uint8(x)[None])[0]
        for x in (y, best.picture, on.picture)
    )
    assert ended > given + 2 and ended > too_far + 0.5


@pytest.mark.slow
def test_it_learns_nothing_of_what_is_hidden(smooth):
    """What lies under a hole of y changes no bit of what is made."""
    mask = np.ones((24, 20, 1), np.float32)
    mask[8:14, 5:12] = 0
    how = Hole()
    made = [
        deep_prior.restore(y, smooth.shape, how, mask, 0.01, steps=20)
        for y in (smooth * mask, smooth * mask + 5 * (1 - mask))
    ]
    assert made[0].excess == made[1].excess
    np.testing.assert_array_equal(*(each.picture for each in made))


@pytest.mark.slow
def test_the_tools_need_no_model(smooth, tmp_path, capsys):
    file, out = tmp_path / 'given.png', tmp_path / 'out'
    given = images.to_uint8(smooth)
    images.save_png(file, given)
    words = ['inpaint', file, '--box=3,4,5,6', f'--out={out}', '--steps=4', '--num=2']
    assert art.main([*map(str, words)]) == 0
    hole = np.zeros((24, 20), bool)
    hole[4:10, 3:8] = True
    names = ('best', 'sample0', 'sample1')
    made = [
        np.asarray(Image.open(out / f'0000{n}-{name}.png'))
        for n, name in enumerate(names)
    ]
    for number, picture in enumerate(made):
        np.testing.assert_array_equal(picture[~hole], given[~hole])
        assert all((picture[hole] != other[hole]).any() for other in made[:number])
    told = json.loads((tmp_path / 'out.json').read_text())
    assert told['made']['run'] is None and told['found']['steps'] == 4
    said = capsys.readouterr().out
    assert 'plausible, not recovered' in said and '20x24 pixels, 4 steps' in said
    again = ['reproduce', str(out / '00001-sample0.png'), f'--out={tmp_path / "again"}']
    assert art.main(again) == 0
    words = ['upscale', file, '--factor=3', '--steps=2', f'--out={tmp_path / "up"}']
    assert art.main([*map(str, words)]) == 0
    larger = np.asarray(Image.open(tmp_path / 'up/00000-best.png')).astype(np.float32)
    assert larger.shape == (72, 60, 3)
    inside = ((larger > 0) & (larger < 255)).all(-1)
    inside = inside.reshape(24, 3, 20, 3).all((1, 3))
    means = larger.reshape(24, 3, 20, 3, 3).mean((1, 3))
    assert inside.mean() > 0.2 and np.abs(means - given)[inside].max() <= 0.5


@pytest.mark.parametrize('method', ['prior', 'filter'])
def test_a_method_that_is_named_is_used_at_any_size(tmp_path, capsys, method):
    """Also by denoise for a picture over the size worked on, which is filtered else."""
    file = tmp_path / 'large.png'
    images.save_png(file, np.zeros((80, 24, 3), np.uint8))
    words = ['denoise', str(file), f'--method={method}', '--size=16']
    words += ['--steps=2'] if method == 'prior' else []
    assert art.main([*words, f'--out={tmp_path / "out"}']) == 0
    said = capsys.readouterr().out
    assert ('by a filter' in said) == (method == 'filter')
    assert ('worked on at' in said) == (method == 'prior')


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['colourise', 'PICTURE'], 'colourise needs a model'),
        (['denoise', 'PICTURE', '--restarts=3'], '--restarts is of a model'),
        (['inpaint', 'PICTURE', '--box=0,0,9,9', '--prompt=x'], '--prompt is of a'),
        (['deblur', 'PICTURE', '--step=best'], '--step is of a model'),
        (['deblur', 'POINT'], 'POINT is 1x1: too small'),
        (['denoise', 'PICTURE', '--size=0'], '--size=0: must be from 1'),
        (['denoise', 'PICTURE', '--sigma=-1'], '--sigma=-1.0: must be from 0 to 255'),
        (['upscale', 'PICTURE', '--factor=20'], '--size=480 takes it'),
        (['upscale', 'PICTURE', '--factor=1'], '--factor=1: must be at least 2'),
        (['upscale', 'PICTURE', '--factor=900'], 'over the 2048 pixels'),
        (['inpaint', 'PICTURE', '--box=0,0,20,24'], 'everything is missing'),
        (['inpaint', 'PICTURE'], 'has no transparent part'),
    ],
)
def test_mistakes_are_one_line(smooth, tmp_path, refused, words, message):
    images.save_png(tmp_path / 'PICTURE', images.to_uint8(smooth))
    images.save_png(tmp_path / 'POINT', np.zeros((1, 1, 3), np.uint8))
    refused(words, message, tmp_path)
