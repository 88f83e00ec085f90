"""pix2pix: sizes as published, whom each loss reaches, pairs that stay together."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from gan_vae import config as config_lib
from gan_vae import data, methods, models
from gan_vae.config import Reads, default
from gan_vae.data import augment
from gan_vae.data.pictures import Fit, fit
from gan_vae.data.source import Spec
from gan_vae.errors import UserError
from gan_vae.methods.gan import duel
from gan_vae.methods.pix2pix.method import NAME
from gan_vae.models import spade
from gan_vae.objectives.adversarial import LOSSES

ROWS, SIDE = 4, 16
SETTINGS = {
    'data.image_size': SIDE,
    'data.batch_size': ROWS,
    'model.width': 4,
    'model.discriminator_width': 4,
    'method.absolute_weight': 3.0,
    'method.adversarial_weight': 0.7,
}
PAIRS = jax.random.uniform(jax.random.key(1), (ROWS, SIDE, SIDE, 6), minval=-1)


def made(**changes):
    config = default.get_config('pix2pix')
    default.update(config, SETTINGS | changes)
    method = methods.make(Reads(config), Spec(SIDE, SIDE, 6))
    return method, method.train_step.args[0]


@pytest.mark.parametrize(
    'side, width, parameters',
    [
        (256, 64, 54_413_955),
        (64, 64, 29_244_035),
        (64, 32, 7_314_755),
        (32, 32, 4_168_003),
    ],
)
def test_the_published_network_has_its_size(side, width, parameters):
    network = models.make('translator', 'pix2pix', image_size=side, width=width)
    x = jnp.zeros((1, side, side, 3))
    params = jax.eval_shape(network.init, jax.random.key(0), x)['params']
    assert sum(a.size for a in jax.tree.leaves(params)) == parameters


@pytest.mark.parametrize(
    'labels, parameters',
    [(19, 92_538_819), (151, 96_492_483)],
)
def test_spade_has_its_size(labels, parameters):
    """92.5 million of 19 labels, as NVlabs/SPADE prints when it is made."""
    network = models.make('translator', 'spade', image_size=256, width=64)
    m = jnp.zeros((1, 256, 256, labels))
    params = jax.eval_shape(network.init, jax.random.key(0), m)['params']
    assert sum(a.size for a in jax.tree.leaves(params)) == parameters


def test_a_map_scales_and_shifts_what_is_normalised():
    h = jax.random.normal(jax.random.key(0), (2, 6, 6, 3)) * 5 + 2
    m = jax.random.normal(jax.random.key(1), (2, 6, 6, 4))
    layer = spade.Spade(hidden=8)
    params = layer.init(jax.random.key(2), h, m)['params']
    plain = (h - h.mean((1, 2), keepdims=True)) / h.std((1, 2), keepdims=True)
    both = layer.apply({'params': params}, jnp.zeros_like(h), m)  # 0 normalised is 0
    np.testing.assert_allclose(
        layer.apply({'params': params}, h, jnp.zeros_like(m)), plain, atol=1e-4
    )
    change = (layer.apply({'params': params}, h, m) - both) / plain - 1
    doubled = (layer.apply({'params': params}, 2 * plain, m) - both) / plain - 1
    np.testing.assert_allclose(change, doubled, atol=1e-2)
    assert float(jnp.abs(change).mean()) > 0.05 and float(jnp.abs(both).mean()) > 0.05


@pytest.mark.slow
@pytest.mark.parametrize('name', ['unet', 'spade'])
def test_a_picture_is_made_of_itself_alone(name):
    """In training as later, whatever else is in the batch."""
    network = models.make('translator', name, image_size=SIDE, width=4)
    x = PAIRS[..., :3]
    variables = network.init(jax.random.key(0), x)
    assert variables.keys() == {'params'}
    every = network.apply(variables, x, True)
    np.testing.assert_allclose(network.apply(variables, x[1:2]), every[1:2], atol=1e-5)
    assert float(jnp.std(every)) > 1e-3
    # a skip carries what the smallest map does not hold
    corner = x.at[0, 0, 0].add(0.5)
    assert (network.apply(variables, corner)[0, 0, 0] != every[0, 0, 0]).any()


@pytest.mark.slow
def test_each_network_has_its_own_loss():
    method, own = made(**{'method.loss': 'non_saturating'})
    state = method.init(jax.random.key(0))
    keys = jax.random.split(jax.random.key(2), ROWS)
    rows = PAIRS, {'augment': keys, 'own': keys}
    x, y = PAIRS[..., :3], PAIRS[..., 3:]
    g = models.make('translator', 'unet', image_size=SIDE, width=4)
    loss = LOSSES['non_saturating']

    def logits(params, g_params):
        fake = jnp.concatenate([x, g.apply({'params': g_params}, x)], -1)
        both = jnp.concatenate([PAIRS, fake])
        return jnp.split(own.judge(params, state.variables[duel.D], both)[0], 2)

    def of_g(params):
        error = jnp.mean(jnp.abs(y - g.apply({'params': params}, x)))
        return 3 * error + 0.7 * loss.generator(logits(state.params[duel.D], params)[1])

    def of_d(params):
        return loss.discriminator(*logits(params, state.params[NAME]))

    grads, (_, metrics) = jax.jit(partial(duel.gradient, own))(
        state, state.params, state.variables, rows
    )
    for name, objective, told in ((NAME, of_g, 'loss'), (duel.D, of_d, 'loss_d')):
        value, expected = jax.jit(jax.value_and_grad(objective))(state.params[name])
        np.testing.assert_allclose(metrics[told], value, rtol=1e-5)
        jax.tree.map(
            lambda a, b: np.testing.assert_allclose(a, b, rtol=5e-3, atol=2e-6),
            grads[name],
            expected,
        )


@pytest.mark.slow
def test_what_it_shows_is_given_made_and_wanted():
    method, _ = made()
    state = method.init(jax.random.key(0))
    shown = method.show(state.weights(), PAIRS)
    x, again, y = jnp.split(shown, 3, 2)
    np.testing.assert_array_equal(x, PAIRS[..., :3])
    np.testing.assert_array_equal(y, PAIRS[..., 3:])
    np.testing.assert_array_equal(again, method.translation(state.weights(), x))
    batch = {'image': PAIRS, 'mask': jnp.ones(ROWS)}
    found = method.finish(method.evaluate_step(state, batch))
    error = np.mean(np.abs(np.asarray(again - y)))
    np.testing.assert_allclose(found['absolute_error'], error, rtol=1e-5)
    # a trained one is told of single pictures alone
    config = default.get_config('pix2pix')
    default.update(config, SETTINGS)
    opened = methods.make(Reads(config), Spec(SIDE, SIDE, 3))
    np.testing.assert_allclose(
        opened.translation(state.weights(), x), again, rtol=1e-5, atol=1e-6
    )
    with pytest.raises(UserError, match='pairs:FOLDER,FOLDER'):
        opened.evaluate_step(state, {'image': x, 'mask': jnp.ones(ROWS)})


def test_both_of_a_pair_meet_the_same_change():
    keys = jax.random.split(jax.random.key(0), 32)
    random = np.random.default_rng(0)
    one = random.integers(0, 256, (32, 8, 8, 3), np.uint8)
    found = augment.make(True, 2, 'none')(keys, np.concatenate([one, 255 - one], -1))
    np.testing.assert_allclose(found[..., :3], -found[..., 3:], atol=1e-6)
    assert (np.asarray(found[..., :3]) != one / 127.5 - 1).any()


def test_names_pair_pictures_of_two_folders(tmp_path):
    random = np.random.default_rng(0)
    for folder, suffix, names in (('a', 'png', 'xyz'), ('b', 'jpg', 'yzw')):
        (tmp_path / folder / 'in').mkdir(parents=True)
        for name in names:
            pixels = random.integers(0, 256, (20, 30, 3), np.uint8)
            Image.fromarray(pixels).save(tmp_path / folder / 'in' / f'{name}.{suffix}')
    name = f'pairs:{tmp_path / "a"},{tmp_path / "b"}'
    change = {'data.name': name, 'data.image_size': '16'}
    settings = config_lib.load('configs/pix2pix.py', change).data
    found = data.examples(settings, 'all')
    assert found.images.shape == (2, 16, 16, 6) and '2 pictures without' in found.note
    assert found.captions == ('in/y', 'in/z')
    with Image.open(tmp_path / 'a/in/y.png') as picture:
        y = fit(picture, Fit.of(settings))
    np.testing.assert_array_equal(found.images[0, ..., :3], y)
    for bad, message in (('a', 'write pairs:FOLDER,FOLDER'), ('a,none', 'no folder')):
        places = ','.join(str(tmp_path / part) for part in bad.split(','))
        wrong = config_lib.load('configs/pix2pix.py', {'data.name': f'pairs:{places}'})
        with pytest.raises(UserError, match=message):
            data.examples(wrong.data, 'all')
