"""A network of one style: its loss, its normalisation, what the run folder holds."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from gan_vae import config as config_lib
from gan_vae import data, images
from gan_vae.art import __main__ as art
from gan_vae.data.source import Source
from gan_vae.errors import UserError
from gan_vae.extractors import style
from gan_vae.methods import make
from gan_vae.methods.fast_style import method as fast_style
from gan_vae.models.transform import Transform
from gan_vae.training import loop

CONFIG = 'configs/fast_style_emoji.py:tiny'


def built(tmp_path, **overrides):
    picture = np.random.default_rng(0).integers(0, 256, (40, 24, 3), dtype=np.uint8)
    file = tmp_path / 'style.png'
    images.save_png(file, picture)
    settings = {'method.style': str(file), 'method.style_size': '32'} | overrides
    config = config_lib.load(CONFIG, settings | {'parallel.devices': '1'})
    examples = data.examples(config.data, config.data.split)
    return config, make(config, examples.spec), examples


@pytest.mark.slow
def test_the_loss_is_the_objective_of_each_picture(tmp_path):
    config, method, examples = built(
        tmp_path, **{'method.style_weight': '0.7', 'method.variation_weight': '0.3'}
    )
    state = jax.jit(method.init)(jax.random.key(0))
    batch = Source(examples, 3).batch(0)
    x = np.asarray(images.from_uint8(batch['image']))
    batch = batch | {'image': x, 'mask': np.float32([1, 1, 0])}
    sums = method.evaluate_step(state, batch)
    params = style.network('random')
    wanted = style.moments(params, fast_style.read(config.method.style, 32))
    made = method.translation(state.weights(), x)
    rough = sum(float(np.mean(np.diff(made[:2], axis=a) ** 2)) for a in (1, 2))
    total = 2 * 0.3 * rough + sum(
        float(style.loss(params, y, style.content_maps(params, p), wanted, 0.7))
        for y, p in list(zip(made, x, strict=True))[:2]
    )
    np.testing.assert_allclose(sums['loss'], total, rtol=1e-4)
    assert sums['count'] == 2


def test_each_picture_is_normalised_by_itself_and_of_any_size():
    net = Transform(width=4, blocks=1)
    x = jax.random.uniform(jax.random.key(0), (2, 20, 36, 3), minval=-1.0)
    params, apply = jax.jit(net.init)(jax.random.key(1), x), jax.jit(net.apply)
    made = apply(params, x)
    assert made.shape == x.shape and float(jnp.abs(made).max()) < 1
    for one in range(2):
        np.testing.assert_allclose(
            apply(params, x[one : one + 1])[0], made[one], atol=2e-5
        )


@pytest.mark.slow
def test_the_run_folder_is_enough(tmp_path, capsys):
    """Trained, its style's file lost: it still restyles, and trains no more."""
    config, _, _ = built(tmp_path)
    run = tmp_path / 'run'
    loop.train(config, run)
    (tmp_path / 'style.png').unlink()
    content, plain = tmp_path / 'content.png', tmp_path / 'plain'
    given = np.random.default_rng(1).integers(0, 256, (27, 18, 3), dtype=np.uint8)
    images.save_png(content, given)
    words = ['style', str(content), '--method=fast', f'--workdir={run}']
    out = tmp_path / 'out'
    assert art.main([*words, f'--out={out}']) == 0
    made = np.asarray(Image.open(out / '00000.png'))
    assert made.shape == given.shape and np.abs(made.astype(int) - given).max() > 20
    assert art.main([*words, '--strength=0', f'--out={plain}']) == 0
    np.testing.assert_array_equal(np.asarray(Image.open(plain / '00000.png')), given)
    for more, said in (
        ([str(content)], 'takes CONTENT alone'),
        (['--weights=1'], '--method=fast has one'),
        (['--method=patch'], 'needs none'),
        (['--steps=3'], 'done in one'),
    ):
        capsys.readouterr()
        assert art.main([*words, *more]) == 2
        told = capsys.readouterr().err
        assert said in told and told.count('\n') == 1
    config.train.steps = 6
    with pytest.raises(UserError, match=r'config.method.style=.*style.png'):
        loop.train(config, tmp_path / 'anew')


@pytest.mark.parametrize(
    ('changed', 'said'),
    [
        ({'data.channels': '1'}, 'needs config.data.channels=3'),
        ({'data.image_size': '30'}, 'multiples of 4'),
        ({'method.style_features': 'alexnet'}, 'alexnet'),
        ({'model.transform': 'unet'}, 'config.model.transform'),
    ],
)
def test_settings_that_cannot_be_are_one_line(tmp_path, changed, said):
    with pytest.raises(UserError, match=said):
        built(tmp_path, **changed)
