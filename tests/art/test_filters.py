"""Large pictures are restored at their own size, and nearer to the clean one."""

import re

import numpy as np
import pytest
from PIL import Image

from gan_vae.art import __main__ as art
from gan_vae.art import filters
from gan_vae.art.degradations import Blurred
from gan_vae.evaluation.pairs import psnr


def scene(height=240, width=320):
    """A picture of gradients, edges, thin lines and grain, uint8 [H, W, 3]."""
    y, x = np.mgrid[:height, :width]
    clean = np.stack([x * 200 / width, y * 200 / height, 80 + 40 * np.sin(x / 17)], -1)
    clean[60:150, 90:200] = (220, 40, 60)
    clean[(x - 230) ** 2 + (y - 160) ** 2 < 50**2] = (20, 120, 200)
    clean[::23, :, 1] = 240
    return clean.clip(0, 255).astype(np.uint8)


def ratio(a, b):
    return psnr(a[None], b[None])[0]


def shrunk(image):
    return np.asarray(Image.fromarray(image).resize((256, 192), Image.LANCZOS))


@pytest.fixture(scope='module')
def noisy():
    noise = 25 * np.random.default_rng(0).standard_normal(scene().shape)
    return np.clip(np.round(scene() + noise), 0, 255).astype(np.uint8)


FILTER = '--method=filter'


def made(tool, picture, tmp_path, *flags):
    Image.fromarray(picture).save(tmp_path / 'given.png')
    words = [tool, str(tmp_path / 'given.png'), f'--out={tmp_path / "out"}', *flags]
    assert art.main(words) == 0
    return np.asarray(Image.open(tmp_path / 'out' / '00000-best.png'))


def test_a_denoised_picture_is_nearer_at_its_own_size(noisy, tmp_path, capsys):
    clean, result = scene(), made('denoise', noisy, tmp_path, FILTER)
    assert ratio(result, clean) > ratio(noisy, clean) + 6
    alone = ratio(shrunk(noisy), shrunk(clean))
    assert ratio(shrunk(result), shrunk(clean)) > alone + 2
    out = capsys.readouterr().out
    found = re.search(r'noise of this picture is about ([0-9.]+) grey levels', out)
    assert 22 < float(found[1]) < 26 and 'takes more than that' not in out


def test_the_smallest_picture_has_no_noise(tmp_path, capsys):
    made('denoise', scene()[:4, :4], tmp_path, FILTER)
    assert 'about 0.0 grey levels' in capsys.readouterr().out


def test_less_noise_than_the_flag_says_is_reported(tmp_path, capsys):
    made('denoise', scene(), tmp_path, FILTER, '--sigma=25')
    assert 'takes more than that away: try --sigma=' in capsys.readouterr().out


@pytest.mark.slow
def test_a_model_smaller_than_the_picture_gives_its_own_size(
    models, noisy, tmp_path, capsys
):
    few = ['--steps=2', '--restarts=1', '--num=1']
    run, small = f'--workdir={models["vae_emoji"]}', noisy[40:120, 60:160]
    result = made('denoise', small, tmp_path, run, *few)
    assert result.shape == (80, 100, 3)
    clean = scene()[40:120, 60:160]
    assert ratio(result, clean) > ratio(small, clean) + 3
    assert '100x80, worked on at 32x32' in capsys.readouterr().out
    words = ['--box=30,20,9,8', run, *few, '--force']
    result = made('inpaint', clean, tmp_path, *words)
    changed = (result != clean).any(-1)
    assert changed[20:28, 30:39].mean() > 0.9
    changed[20:28, 30:39] = False
    assert not changed.any()
    result = made('colourise', clean, tmp_path, run, *few, '--force')
    kept = ((result > 0) & (result < 255)).all(-1)
    luma = np.float32([0.299, 0.587, 0.114])
    assert np.abs(result @ luma - clean @ luma)[kept].max() < 1.01


@pytest.mark.slow
def test_a_blurred_picture_is_sharper(tmp_path):
    clean, radius = scene(), 1.5
    blurred = np.asarray(Blurred(radius).seen(clean[None].astype(np.float32)))[0]
    blurred = np.round(blurred).astype(np.uint8)
    result = made('deblur', blurred, tmp_path, FILTER)
    assert ratio(result, clean) > ratio(blurred, clean) + 2
    # a small one by the untrained network, without a model
    result = made('deblur', blurred[:24, :30], tmp_path, '--steps=2', '--force')
    assert result.shape == (24, 30, 3)


def test_the_noise_of_a_picture_is_estimated():
    rng = np.random.default_rng(0)
    for deviation in (0.02, 0.2):
        y = np.linspace(-1, 1, 64)[:, None, None] + np.zeros((64, 48, 3))
        y = y + deviation * rng.standard_normal(y.shape)
        assert filters.noise_of(y) == pytest.approx(deviation, rel=0.1)
    flat = np.full((20, 30, 3), 0.25)
    np.testing.assert_allclose(filters.denoised(flat, 0.1), flat, atol=1e-6)
    np.testing.assert_allclose(filters.deblurred(flat, 2.0, 0.01), flat, atol=1e-6)


def test_a_hole_is_filled_as_smoothly_as_its_edge():
    """A ramp comes back; what is seen is kept; and large holes do not overshoot."""
    ramp = np.linspace(-0.9, 0.9, 40)[:, None, None] + np.zeros((40, 31, 3))
    missing = np.zeros((40, 31), bool)
    missing[9:31, 8:20] = True
    x = filters.filled(np.where(missing[..., None], 0, ramp), missing)
    np.testing.assert_allclose(x, ramp, atol=0.05)
    np.testing.assert_array_equal(x[~missing], np.float32(ramp)[~missing])
    y = np.where(missing[..., None], 0, np.sign(ramp))
    assert np.abs(filters.filled(y, missing)).max() <= 1
    seen = np.arange(40 * 31).reshape(40, 31) == 7
    one = filters.filled(np.full((40, 31, 1), 0.5) * seen[..., None], ~seen)
    np.testing.assert_allclose(one, 0.5, atol=1e-3)


def test_the_method_without_a_model_is_that_of_the_size(tmp_path, capsys):
    clean = scene()[:100, :80]
    result = made('inpaint', clean, tmp_path, '--box=30,40,9,8')
    changed = (result != clean).any(-1)
    changed[40:48, 30:39] = False
    assert not changed.any()
    assert ratio(result, clean) > 30
    made('denoise', clean, tmp_path, '--force')
    assert capsys.readouterr().out.count('80x100 pixels, by a filter') == 2
    made('denoise', clean[:16, :20], tmp_path, '--steps=2', '--force')
    assert '2 steps without a model' in capsys.readouterr().out


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['denoise', 'a.png', '--method=priors'], "did you mean 'prior'"),
        (['denoise', 'a.png', '--method=filter', '--steps=3'], 'of --method=prior'),
        (['inpaint', 'a.png', '--box=1,1,2,2', '--method=x'], 'prior'),
    ],
)
def test_mistakes_of_the_method_are_one_line(words, message, tmp_path, refused):
    Image.fromarray(scene()[:20, :20]).save(tmp_path / 'a.png')
    refused(words, message, tmp_path)
