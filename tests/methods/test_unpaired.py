"""Picture to picture without pairs: CUT and CycleGAN."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_vae import config as config_lib
from gan_vae import data, methods, models
from gan_vae.config import Reads, default
from gan_vae.data.source import Spec
from gan_vae.errors import UserError
from gan_vae.methods.cyclegan import method as cyclegan
from gan_vae.objectives.contrastive import patch_nce, picked

SIDE, ROWS = 16, 3
PAIRS = jax.random.uniform(jax.random.key(1), (ROWS, SIDE, SIDE, 6), minval=-1)
X, Y = PAIRS[..., :3], PAIRS[..., 3:]
KEYS = jax.random.split(jax.random.key(2), ROWS)


def made(name, **changes):
    config = default.get_config(name)
    small = {'data.image_size': SIDE, 'model.width': 2, 'model.blocks': 2}
    small |= {'model.discriminator_width': 2, 'data.batch_size': ROWS}
    default.update(config, small | changes)
    method = methods.make(Reads(config), Spec(SIDE, SIDE, 6))
    return method, method.train_step.args[0]


@pytest.mark.parametrize('name', ['resnet', 'resnet_smooth'])
@pytest.mark.parametrize(
    'blocks, width, parameters',
    [(9, 64, 11_378_179), (6, 64, 7_837_699), (6, 32, 1_965_059), (4, 32, 1_374_723)],
)
def test_the_residual_network_is_as_published(name, blocks, width, parameters):
    network = models.make('translator', name, width=width, blocks=blocks)
    x = jnp.zeros((1, 64, 64, 3))
    variables = jax.eval_shape(network.init, jax.random.key(0), x)
    assert sum(a.size for a in jax.tree.leaves(variables)) == parameters
    assert jax.eval_shape(network.apply, variables, x).shape == x.shape


@pytest.mark.slow
@pytest.mark.parametrize('name', ['resnet', 'resnet_smooth'])
def test_a_picture_is_normalised_by_itself(name):
    network = models.make('translator', name, width=2, blocks=2)
    variables = network.init(jax.random.key(0), X)
    every = network.apply(variables, X)
    np.testing.assert_allclose(network.apply(variables, X[1:2]), every[1:2], atol=1e-5)
    maps = network.apply(variables, X, method='features')
    assert [m.shape[1] for m in maps] == [16, 16, 8, 4, 4]
    np.testing.assert_array_equal(maps[0], X)


def test_the_smooth_network_leaves_no_grid_in_a_flat_image():
    flat = jnp.full((1, SIDE, SIDE, 3), 0.3)
    for name, smooth in (('resnet', False), ('resnet_smooth', True)):
        network = models.make('translator', name, width=4, blocks=1)
        variables = network.init(jax.random.key(0), X)
        image = network.apply(variables, flat)
        assert (jnp.ptp(image, (1, 2)).max() < 1e-5) == smooth


@pytest.mark.slow
def test_patches_of_what_is_made_are_told_among_those_given():
    method, own = made('cut', **{'method.patches': 9, 'method.nce_weight': 3.0})
    state = method.init(jax.random.key(0))
    params = state.params[own.name]
    (image, value), (metrics, _) = own.create(params, {}, PAIRS, KEYS)
    network = models.make('translator', 'resnet', width=2, blocks=2)
    g = {'params': params['network']}
    np.testing.assert_allclose(image, network.apply(g, X), rtol=1e-5, atol=1e-6)

    def nce(x, made):
        maps = [network.apply(g, i, method='features') for i in (made, x)]
        total = 0.0
        for head, *pair in zip(params['heads'].values(), *maps, strict=True):
            a, b = (picked(KEYS, m, 9) for m in pair)
            q, k = (
                jax.nn.relu(v @ head['Dense_0']['kernel'] + head['Dense_0']['bias'])
                @ head['Dense_1']['kernel']
                + head['Dense_1']['bias']
                for v in (a, b)
            )
            total += jnp.mean(patch_nce(q, k)) / 5
        return total

    both = nce(X, image), nce(Y, network.apply(g, Y))
    np.testing.assert_allclose(metrics['nce'], both[0], rtol=1e-4)
    np.testing.assert_allclose(value, 3 * (both[0] + both[1]) / 2, rtol=1e-4)
    real, fake = own.shown(PAIRS, image)
    np.testing.assert_array_equal(real, Y)
    np.testing.assert_array_equal(fake, image)


@pytest.mark.slow
def test_the_way_there_and_back():
    method, own = made('cyclegan')
    state = method.init(jax.random.key(0))
    g = state.params[cyclegan.G]
    total, (_, metrics) = cyclegan.translators_loss(own, state, g, {}, (PAIRS, KEYS))
    network = models.make('translator', 'resnet', width=2, blocks=2)

    def there(x):
        return network.apply({'params': g['there']}, x)

    def back(y):
        return network.apply({'params': g['back']}, y)

    def apart(a, b):
        return float(jnp.mean(jnp.abs(a - b)))

    def fooled(kind, images):
        d = state.params[cyclegan.D][kind], state.variables[cyclegan.D][kind]
        return float(jnp.mean((own.judge(*d, images)[0] - 1) ** 2))

    cycle = apart(back(there(X)), X) + apart(there(back(Y)), Y)
    identity = apart(there(Y), Y) + apart(back(X), X)
    adversarial = fooled('second', there(X)) + fooled('first', back(Y))
    np.testing.assert_allclose(metrics['cycle'], cycle, rtol=1e-5)
    expected = adversarial + 10 * cycle + 5 * identity
    np.testing.assert_allclose(total, expected, rtol=1e-5)
    seen = {'first': back(Y), 'second': there(X)}
    d = state.params[cyclegan.D], state.variables[cyclegan.D]
    total, _ = cyclegan.discriminators_loss(own, *d, (PAIRS, seen, KEYS))
    expected = 0.0
    for kind, real in (('first', X), ('second', Y)):
        of = d[0][kind], d[1][kind]
        logits = own.judge(*of, jnp.concatenate([real, seen[kind]]))[0]
        a, b = np.split(np.asarray(logits), 2)
        expected += 0.5 * np.mean((a - 1) ** 2) + 0.5 * np.mean(b**2)
    np.testing.assert_allclose(total, expected, rtol=1e-5)


def test_a_pool_gives_old_pictures_half_of_the_time():
    """A thousand pictures of one pixel, in batches: none twice, none lost."""
    pool, count = jnp.zeros((50, 1, 1, 1)), jnp.int32(0)
    query, old, every, fresh = jax.jit(cyclegan.queried), [], [], set()
    for start in range(0, 1000, 8):
        images = jnp.arange(start, start + 8, dtype=jnp.float32).reshape(8, 1, 1, 1)
        keys = jax.random.split(jax.random.key(start), 8)
        seen, pool, count = query(pool, count, images + 1, keys)
        seen = np.asarray(seen).ravel()
        if start >= 56:
            old += list(seen != np.arange(start + 1, start + 9))
            new = seen == np.arange(start + 1, start + 9)
            every, fresh = every + list(seen[~new]), fresh | set(seen[new])
        else:
            same = np.minimum(50 - start, 8)
            np.testing.assert_array_equal(
                seen[:same], np.arange(start + 1, start + 9)[:same]
            )
    assert int(count) == 50 and 0.45 < np.mean(old) < 0.55
    assert len(every) == len(set(every)) and not fresh & set(every)
    kept = np.asarray(pool).ravel()
    assert len(set(kept)) == 50 and not set(kept) & set(every)


@pytest.mark.parametrize('name', ['cut', 'cyclegan'])
def test_an_opened_one_takes_pictures_of_the_first_kind(name):
    method, _ = made(name)
    state = method.init(jax.random.key(0))
    config = default.get_config(name)
    small = {'data.image_size': SIDE, 'model.width': 2, 'model.blocks': 2}
    small |= {'model.discriminator_width': 2, 'data.batch_size': ROWS}
    default.update(config, small)
    opened = methods.make(Reads(config), Spec(SIDE, SIDE, 3))
    weights = state.weights()
    np.testing.assert_allclose(
        opened.translation(weights, X), method.translation(weights, X), atol=1e-6
    )
    with pytest.raises(UserError, match='unpaired:SET,SET'):
        opened.show(weights, X)


def test_two_sets_come_together_by_chance(tmp_path):
    def load(name):
        change = {'data.name': name, 'data.image_size': '16'}
        return data.examples(config_lib.load('configs/cut.py', change).data, 'test[:9]')

    found = load('unpaired:toy_shapes,toy_shapes')
    assert found.images.shape == (9, 16, 16, 6)
    a, b = found.images[..., :3], found.images[..., 3:]
    assert (a != b).any((1, 2, 3)).sum() > 3
    assert sorted(x.sum() for x in a) == sorted(x.sum() for x in b)
    for name, message in (
        ('unpaired:toy_shapes', 'write unpaired:SET,SET'),
        ('unpaired:toy_shapes,toy_rolls', 'is not of pictures'),
        (f'unpaired:toy_shapes,{tmp_path / "none"}', 'unknown data set'),
    ):
        with pytest.raises(UserError, match=message):
            load(name)
