"""What config.parallel does to a run: memory and time, not its losses."""

import functools

import jax
import numpy as np
import pytest

from gan_vae import config as config_lib
from gan_vae.data.readers import toy_shapes
from gan_vae.data.source import Spec
from gan_vae.devices.mesh import put
from gan_vae.errors import UserError
from gan_vae.learning.state import abstract_state, named_leaves, sha256
from gan_vae.runs import program as run_programs
from gan_vae.runs.checkpoint import Checkpoints
from gan_vae.runs.program import build

IMAGES = toy_shapes.examples('train[:96]', 8, 3).images
SETTINGS = {
    'data.image_size': '8',
    'optimizer.eps': '1e-3',  # as small as usual, Adam magnifies rounding
    'optimizer.clip_norm': '1.0',
}
MLP_GAN = (
    ('model.generator', 'mlp'),
    ('model.discriminator', 'mlp'),
    ('model.dropout', '0.3'),
    ('method.penalty', 'r1'),
    ('method.penalty_gamma', '1.0'),
    ('method.augment', 'color'),
)
MLPS = (('model.generator', 'mlp'), ('model.discriminator', 'mlp'))
TERMS = (  # a lazy penalty, images and latents changed, moving means, weights
    *MLPS,
    ('method.loss', 'relativistic'),
    ('method.penalty', 'r1_r2'),
    ('method.penalty_gamma', '1.0'),
    ('method.penalty_interval', '2'),
    ('method.consistency', 'bcr,zcr'),
    ('method.lecam_weight', '0.3'),
    ('method.lecam_start_step', '1'),
    ('method.orthogonal_weight', '1e-3'),
)
WGANS = [
    (*MLPS, ('method.loss', 'wasserstein'), ('method.penalty', name))
    for name in ('wgan_gp', 'dragan')
]
GAN, VAE = ('dcgan_emoji', ()), ('vae_emoji', ())
SLOW_GAN = pytest.param(('dcgan_emoji', MLP_GAN), marks=pytest.mark.slow)
SLOW_TERMS = pytest.param(('dcgan_emoji', TERMS), marks=pytest.mark.slow)


@functools.cache
def program(name, overrides, devices, **parallel):
    settings = SETTINGS | dict(overrides) | {'parallel.devices': str(devices)}
    settings |= {f'parallel.{k}': v for k, v in parallel.items()}
    config = config_lib.load(f'configs/{name}.py:tiny', settings)
    return build(config, Spec(8, 8, 3))


def start(made):
    init = jax.jit(made.method.init, out_shardings=made.sharding)
    return init(jax.random.key(0))


@pytest.mark.parametrize('parallel', [{}, {'shard_state': 'True'}, {'map': 'pmap'}])
def test_a_step_is_compiled_with_the_state(compilations, parallel):
    made = program('dcgan_emoji', MLPS, 2, **parallel)
    index = np.arange(8, dtype=np.int32)
    batch = put({'image': IMAGES[:8], 'index': index}, made.mesh)
    state = run_programs.start(made, 0, batch)
    before = compilations()
    made.train_step(state, batch)
    assert (compilations() > before) == (parallel == {'map': 'pmap'})


def go(made, state, steps):
    """(state, metrics of each step), from where the state stands."""
    metrics, rows = [], 8 * made.method.batches_per_step
    for step in range(int(state.step), int(state.step) + steps):
        batch = {
            'image': IMAGES[step * rows : (step + 1) * rows],
            'index': np.arange(rows, dtype=np.int32),
        }
        state, values = made.train_step(state, put(batch, made.mesh))
        metrics.append({k: float(v) for k, v in named_leaves(values).items()})
    return state, metrics


@functools.cache
def run(*arguments, **parallel):
    """The leaves of the state after 5 steps, and the metrics of each."""
    state, metrics = go(made := program(*arguments, **parallel), start(made), 5)
    return named_leaves(state), metrics


def assert_close(metrics, expected, tolerance=1e-5):
    for found, wanted in zip(metrics, expected, strict=True):
        assert found.keys() == wanted.keys()
        for key, value in wanted.items():
            np.testing.assert_allclose(
                found[key], value, rtol=tolerance, atol=tolerance, err_msg=key
            )


@pytest.mark.slow
@pytest.mark.parametrize(
    'case, devices, parts',
    [
        pytest.param(('dcgan_emoji', MLP_GAN), 2, '2', marks=pytest.mark.slow),
        pytest.param(('dcgan_emoji', TERMS), 2, '2', marks=pytest.mark.slow),
        pytest.param(('dcgan_emoji', WGANS[0]), 2, '2', marks=pytest.mark.slow),
        pytest.param(('dcgan_emoji', WGANS[1]), 2, '2', marks=pytest.mark.slow),
        (VAE, 1, '4'),
    ],
    ids=['mlp_gan', 'terms', 'wgan_gp', 'dragan', 'vae'],
)
def test_parts_of_a_batch_are_the_batch(case, devices, parts):
    """Without BatchNorm: losses and gradient norms of noise, dropout, augmentation and
    the gradient penalty included."""
    _, expected = run(*case, 1)
    _, metrics = run(*case, devices, accumulate=parts)
    assert any('gradient' in key for key in expected[0])
    assert_close(metrics, expected)


@pytest.mark.slow
def test_statistics_of_a_batch_move_once_a_part():
    leaves, expected = run(*GAN, 1)
    parts, metrics = run(*GAN, 1, accumulate='2')
    name = 'variables/generator/batch_stats/BatchNorm_0/var'
    whole, halved = (1 - np.mean(x[name]) for x in (leaves, parts))
    np.testing.assert_allclose(1 - 0.9**5, whole, rtol=0.1)  # from 1 to nearly 0
    np.testing.assert_allclose(1 - 0.9**10, halved, rtol=0.1)
    assert all(np.isfinite(v) for values in metrics for v in values.values())
    assert abs(metrics[0]['loss_g'] - expected[0]['loss_g']) > 1e-6


@pytest.mark.slow
@pytest.mark.parametrize('devices', [2, pytest.param(4, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    'case', [pytest.param(GAN, marks=pytest.mark.slow), VAE], ids=['gan', 'vae']
)
def test_a_state_in_parts_takes_the_same_steps(case, devices):
    leaves, expected = run(*case, 2)
    parts, metrics = run(*case, devices, shard_state='True')
    assert_close(metrics, expected)
    assert parts.keys() == leaves.keys()
    for key, leaf in leaves.items():
        assert parts[key].shape == leaf.shape
        np.testing.assert_allclose(parts[key], leaf, rtol=1e-4, atol=1e-5, err_msg=key)


@pytest.mark.slow
@pytest.mark.parametrize('case', [GAN, VAE], ids=['gan', 'vae'])
def test_a_state_in_parts_takes_its_share_of_memory(case):
    def held(devices, shard_state):
        state = start(program(*case, devices, shard_state=shard_state))
        first = jax.devices()[0]
        return sum(
            shard.data.nbytes
            for leaf in jax.tree.leaves((state.opt_state, state.ema))
            for shard in leaf.addressable_shards
            if shard.device == first
        )

    copy = held(4, 'False')
    assert held(1, 'True') == copy
    for devices in (2, 4):
        assert 1 <= held(devices, 'True') * devices / copy < 1.02


@pytest.mark.slow
def test_a_checkpoint_of_parts_goes_on_with_any_number_of_devices(tmp_path):
    four = program(*VAE, 4, shard_state='True')
    state, _ = go(four, start(four), 2)
    leaves = named_leaves(state)
    key = jax.random.key(1)
    pictures = np.asarray(four.generate(state.weights(), key, 4))
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(state, {'state_sha256': sha256(leaves)})
    checkpoints.wait()
    _, expected = go(four, state, 1)
    for devices, parts in ((2, 'True'), (1, 'True'), (2, 'False')):
        other = program(*VAE, devices, shard_state=parts)
        abstract = abstract_state(other.method.init, other.sharding)
        restored, _ = checkpoints.restore(abstract)
        found = named_leaves(restored)
        assert all((found[name] == leaf).all() for name, leaf in leaves.items())
        made = other.generate(restored.weights(), key, 4)
        np.testing.assert_allclose(made, pictures, atol=1e-5)
        assert_close(go(other, restored, 1)[1], expected)
    checkpoints.close()


@pytest.mark.parametrize(
    'case', [SLOW_GAN, SLOW_TERMS, VAE], ids=['mlp_gan', 'terms', 'vae']
)
def test_computing_activations_again_changes_no_loss(case):
    assert_close(run(*case, 1, remat='True')[1], run(*case, 1)[1], 1e-6)


@pytest.mark.slow
@pytest.mark.parametrize('case', [GAN, VAE], ids=['gan', 'vae'])
def test_bfloat16_keeps_a_state_of_float32(case):
    leaves, metrics = run(*case, 1, dtype='bfloat16')
    plain, expected = run(*case, 1)
    assert {k: v.dtype for k, v in leaves.items()} == {
        k: v.dtype for k, v in plain.items()
    }
    assert all(np.isfinite(v) for values in metrics for v in values.values())
    for key in ('loss', 'loss_d', 'loss_g'):
        if key in metrics[0]:
            np.testing.assert_allclose(metrics[0][key], expected[0][key], rtol=2e-2)
            assert metrics[0][key] != expected[0][key]


def test_what_does_not_fit_together_is_one_line():
    with pytest.raises(UserError, match=r'is 4 each.*parallel.accumulate=3'):
        program(*VAE, 2, accumulate='3')
    with pytest.raises(UserError, match='shard_state needs config.parallel.map=shard'):
        program(*VAE, 2, shard_state='True', map='pmap')


def test_the_share_of_a_device_is_stated():
    text = '2 device(s), 4 of the 8 images of an update on each'
    assert program(*VAE, 2).rows == text
    assert program(*VAE, 2, accumulate='2').rows == text + ', 2 at a time'
