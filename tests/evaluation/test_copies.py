"""Copies are found with few pictures and none held out; new samples pass as new."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_vae import config as config_lib
from gan_vae import data
from gan_vae.devices.mesh import mesh_of
from gan_vae.evaluation import copies
from gan_vae.training import loop


@pytest.mark.parametrize('m', [10, 150])
def test_new_samples_of_the_law_of_the_data_are_seldom_near(m):
    """A p-value of at most t has a chance of about t."""
    values = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        train, fake = (rng.normal(size=(n, 8)).astype(np.float32) for n in (m, 64))
        values.append(copies.nearness(fake, train)['p_value'])
    assert np.mean(np.array(values) <= 0.05) <= 0.08
    assert np.mean(np.array(values) <= copies.SURE) <= 0.01


def pictures(split):
    settings = config_lib.load('configs/vae_emoji.py:tiny', {}).data
    return data.examples(settings, split)


def noisy(images, seed=0):
    noise = np.random.default_rng(seed).normal(0, 2, images.shape)
    return np.clip(np.round(images + noise), 0, 255).astype(np.uint8)


@pytest.mark.slow
def test_who_copies_is_told_once():
    train, mesh = pictures('train[:60]'), mesh_of(1, 1)
    new = np.asarray(pictures('test').images[:40])
    copied, mirrored = noisy(train.images[:40]), noisy(train.images[:40, :, ::-1])
    check = copies.Check(train, False, mesh)
    assert check.warning(new, 1) == check.warning(mirrored, 2) == ''
    line = check.warning(copied, 3)
    assert line.startswith('warning: at step 3 40 of 40 samples are nearer')
    assert check.warning(copied, 4) == ''
    assert 'step 5' in copies.Check(train, True, mesh).warning(mirrored, 5)
    many = train.take(np.arange(copies.MOST + 1) % 60)
    assert copies.Check(many, False, mesh).warning(copied, 6) == ''


@pytest.mark.slow
@pytest.mark.parametrize('copying', [True, False])
def test_a_run_that_copies_says_so(tmp_path, copying):
    config = config_lib.load('configs/vae_emoji.py:tiny', {'train.num_samples': '32'})
    setup = loop.set_up(config, tmp_path)
    state = jax.jit(setup.program.method.init)(jax.random.key(0))
    own = jnp.asarray(setup.gallery.examples.images[:32]) / 127.5 - 1.0
    draw = (lambda *_: own) if copying else setup.program.generate
    gallery = setup.gallery._replace(program=setup.program._replace(generate=draw))
    lines = []

    class Writer:
        def __getattr__(self, name):
            return lambda *values: name == 'say' and lines.append(values[0])

    gallery.draw(Writer(), state, 7)
    assert ['at step 7 32 of 32' in line for line in lines] == [True] * copying
