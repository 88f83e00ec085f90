"""The same step on one device and on several, by shard_map and by pmap."""

import jax
import numpy as np
import pytest

from gan_vae import config as config_lib
from gan_vae.data.readers import toy_shapes
from gan_vae.data.source import Spec
from gan_vae.data.texts import Text
from gan_vae.devices.mesh import map_step, mesh_of, put
from gan_vae.errors import UserError
from gan_vae.learning.state import named_leaves
from gan_vae.runs.program import build

TEXT = Text('words', ('a', 'red', 'cat'), 3, ('a red cat', 'a cat'))
CAPTIONS = np.random.default_rng(0).integers(0, 4, (64, 2, 3), np.int32)
IMAGES = toy_shapes.examples('train[:64]', 8, 3).images


def run(name, devices, how='shard_map', steps=3, **overrides):
    """Metrics of each step, and the leaves of the last state."""
    config = config_lib.load(
        f'configs/{name}.py:tiny',
        {
            'data.image_size': '8',
            'parallel.devices': str(devices),
            'parallel.map': how,
            **overrides,
        },
    )
    text = TEXT if 'data.text' in overrides else None
    program = build(config, Spec(8, 8, 3, text=text))
    start = jax.jit(program.method.init, out_shardings=program.sharding)
    state, metrics = start(jax.random.key(0)), []
    rows = 8 * program.method.batches_per_step
    for step in range(steps):
        batch = {
            'image': IMAGES[step * rows : (step + 1) * rows],
            'index': np.arange(rows, dtype=np.int32),
            'text': CAPTIONS[step * rows : (step + 1) * rows],
        }
        state, values = program.train_step(state, put(batch, program.mesh))
        metrics.append({k: float(v) for k, v in values.items()})
    return metrics, named_leaves(state)


GAN = (
    'dcgan_emoji',
    {'method.penalty': 'r1', 'data.flip': 'True', 'data.shift': '1'},
)
DROPOUT = pytest.param(
    'dcgan_emoji',
    {'model.discriminator': 'mlp', 'model.dropout': '0.3', 'method.critic_steps': '2'},
    marks=pytest.mark.slow,
)
CAPTIONED = pytest.param(
    'df_gan_art',
    {'data.text': 'words', 'model.width': '4', 'method.penalty_interval': '1'},
    marks=pytest.mark.slow,
)
VAE = pytest.param('vae_emoji', {}, marks=pytest.mark.slow)


@pytest.mark.slow
@pytest.mark.parametrize(
    'name, overrides',
    [GAN, DROPOUT, CAPTIONED, VAE],
    ids=['gan', 'dropout', 'captions', 'vae'],
)
def test_losses_and_gradient_norms_do_not_depend_on_the_device_count(name, overrides):
    one, _ = run(name, 1, **overrides)
    assert any('gradient' in key for key in one[0])
    many, _ = run(name, 4, **overrides)
    for step in range(3):
        for key, value in one[step].items():
            np.testing.assert_allclose(many[step][key], value, rtol=1e-4, atol=1e-5)
    for key, value in one[0].items():  # before Adam has magnified any rounding
        np.testing.assert_allclose(many[0][key], value, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    'name', [pytest.param('dcgan_emoji', marks=pytest.mark.slow), 'vae_emoji']
)
def test_shard_map_and_pmap_agree_bitwise(name):
    (metrics, leaves), (metrics_p, leaves_p) = run(name, 2), run(name, 2, 'pmap')
    assert metrics == metrics_p and leaves.keys() == leaves_p.keys()
    for key, leaf in leaves.items():
        np.testing.assert_array_equal(leaf, leaves_p[key], err_msg=key)


def test_mapping_averages_gradients_once():
    """The trap of shard_map's replication check: pmean(grad) must not scale."""

    def step(w, x):
        gradient = jax.grad(lambda w: (w * x).mean())(w)
        return w, jax.lax.pmean(gradient, 'batch')

    x = np.arange(8, dtype=np.float32)
    for count in (1, 2, 4):
        mesh = mesh_of(count, 8)
        for how in ('shard_map', 'pmap'):
            mapped = map_step(step, mesh, how)
            assert mapped(np.float32(2), put(x, mesh))[1] == 3.5


def test_batch_and_device_counts_are_checked():
    with pytest.raises(UserError, match='batch_size=10 does not divide by 4 devices'):
        mesh_of(0, 10)
    with pytest.raises(UserError, match='devices=9, but there are 4'):
        mesh_of(9, 9)
