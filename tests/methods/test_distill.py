"""A small decoder that learns of an exported one: what it reads, and what it learns."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import export

from gan_vae import config as config_lib
from gan_vae import methods, models
from gan_vae.config import Reads, default
from gan_vae.data.source import Spec
from gan_vae.devices.mesh import put
from gan_vae.errors import UserError
from gan_vae.methods.distill import method as distill
from gan_vae.methods.distill import teacher
from gan_vae.runs.program import build
from gan_vae.training import loop

SPEC, DIM = Spec(16, 16, 3, ('round', 'square')), 6


def config_of(file, **keys):
    config = default.with_variant(default.get_config('distill'), 'tiny').unlock()
    keys = {'method.feature_weight': 0.5, 'method.teacher': str(file)} | keys
    sizes = {'data.image_size': 16, 'model.width': 4, 'model.latent_dim': DIM}
    default.update(config, sizes | {'method.conditional': True} | keys)
    return config


@pytest.fixture(scope='module')
def decoder():
    """(a network of the student's own form, its parameters)."""
    network = models.make(
        'decoder', 'conv', image_size=16, width=4, latent_dim=DIM, outputs=3
    )
    zeros = jnp.zeros((1, DIM + 2))
    return network, network.init(jax.random.key(5), zeros)['params']


@pytest.fixture(scope='module')
def file(decoder, tmp_path_factory):
    """What `gan_vae export --to=jax` writes, of that network."""
    network, params = decoder

    def draw(z, label):
        z = jnp.concatenate([z, jax.nn.one_hot(label, 2)], -1)
        return jnp.clip(network.apply({'params': params}, z), -1, 1)

    return written(draw, tmp_path_factory.mktemp('teacher'))


def written(draw, folder, *more):
    (b,) = export.symbolic_shape('b')
    z = jax.ShapeDtypeStruct((b, DIM), jnp.float32)
    label = jax.ShapeDtypeStruct((b,), jnp.int32)
    raw = export.export(jax.jit(draw))(*([z] if more else [z, label])).serialize()
    (folder / teacher.FILE).write_bytes(bytes(raw))
    return folder


def test_the_teachers_own_network_makes_no_error_and_another_does(file, decoder):
    made = methods.make(Reads(config_of(file)), SPEC)
    state = made.init(jax.random.key(0))
    batch = {
        'image': jnp.zeros((8, 16, 16, 3)),
        'label': jnp.arange(8) % 2,
        'index': jnp.arange(8),
        'mask': jnp.ones(8),
    }
    other = made.finish(made.evaluate_step(state, batch))
    same = state.replace(ema={distill.NAME: decoder[1]})
    same = made.finish(made.evaluate_step(same, batch))
    assert same['absolute_error'] < 1e-6 and other['absolute_error'] > 0.01
    turned = batch | {'label': 1 - batch['label']}
    assert made.finish(made.evaluate_step(state, turned)) != other
    weights = state.weights()
    pictures = made.generate(weights, jax.random.key(1), 4)
    z = made.latents.prior(jax.random.key(1), 4)
    by_class = made.latents.decode(weights, z, jnp.array([0, 1, 0, 1]))
    np.testing.assert_array_equal(pictures, by_class)


@pytest.mark.slow
def test_it_comes_nearer_and_two_devices_are_one(file):
    after = []
    for devices in (1, 2):
        keys = {'parallel.devices': devices, 'data.batch_size': 8}
        config = config_of(file, **keys, **{'optimizer.learning_rate': 3e-3})
        program = build(Reads(config), SPEC)
        state = jax.jit(program.method.init, out_shardings=program.sharding)(
            jax.random.key(0)
        )
        images, label = np.zeros((8, 16, 16, 3), np.uint8), np.arange(8) % 2
        batch = {'image': images, 'label': label, 'index': np.arange(8)}
        batch = put(batch, program.mesh)
        errors = []
        for _ in range(30):
            state, metrics = program.train_step(state, batch)
            errors.append(float(metrics['absolute_error']))
        assert np.mean(errors[-5:]) < 0.8 * np.mean(errors[:5])
        after.append(errors[:5])
    np.testing.assert_allclose(*after, rtol=1e-4)


@pytest.mark.parametrize(
    'keys, said',
    [
        ({'method.teacher': 'nowhere'}, 'there is no nowhere'),
        ({'model.latent_dim': 7}, r'takes latents of \(6,\)'),
        ({'method.conditional': False}, 'takes a class: .*conditional=True'),
        ({'data.image_size': 32}, 'draws 16x16 pixels of 3'),
    ],
)
def test_a_teacher_that_does_not_fit_is_a_line(file, keys, said):
    config = config_of(file, **keys)
    size = config.data.image_size
    made = methods.make(Reads(config), Spec(size, size, 3, SPEC.class_names))
    batch = {'image': jnp.zeros((2, size, size, 3)), 'label': jnp.zeros(2, int)}
    state = jax.eval_shape(made.init, jax.random.key(0))
    with pytest.raises(UserError, match=said):
        jax.eval_shape(made.train_step, state, batch)


@pytest.mark.parametrize('share', [0.0, 0.5, 0.99])
def test_a_damaged_teacher_is_a_line(file, share, tmp_path):
    raw = (file / teacher.FILE).read_bytes()
    (tmp_path / teacher.FILE).write_bytes(raw[: int(share * len(raw))])
    with pytest.raises(UserError, match='export the model again'):
        teacher.read(str(tmp_path), DIM, True, SPEC.shape)


@pytest.mark.slow
def test_a_run_goes_on_by_its_own_teacher_alone(tmp_path):
    folder = tmp_path / 'teacher'
    folder.mkdir()

    def draw(scale):
        return lambda z: jnp.tanh(scale * jnp.ones((8, 8, 3)) * z[:, :1, None, None])

    config = config_lib.load('configs/distill.py:tiny')
    config.unlock()
    config.method.teacher, config.model.latent_dim = str(folder), DIM
    config.data.image_size, config.method.feature_weight = 8, 0.0
    config.train.steps = 2
    written(draw(1.0), folder, 'no class')
    loop.train(config, tmp_path / 'run')
    written(draw(2.0), folder, 'no class')
    with pytest.raises(UserError, match='a file that config.method names have changed'):
        loop.train(config, tmp_path / 'run')
