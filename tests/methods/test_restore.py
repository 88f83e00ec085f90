"""A network that restores: where it looks, what it learns, what an evaluation says."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_vae import config as config_lib
from gan_vae import methods, models
from gan_vae.art import network as windows
from gan_vae.config import Reads, default
from gan_vae.data.source import Spec
from gan_vae.errors import UserError
from gan_vae.models.restorer import MARGIN
from gan_vae.objectives.damage import KINDS, TOLD
from gan_vae.training import loop

SPEC, ROWS = Spec(16, 16, 3), 14


def made():
    config = default.with_variant(default.get_config('restore'), 'tiny')
    config.data.image_size, config.model.width = 16, 4
    config.parallel.devices = 1
    config.optimizer.learning_rate = 4e-3
    return methods.make(Reads(config), SPEC)


def lively(params, scale=1.0):
    """Parameters none of which are 0, so that all places count."""
    leaves, tree = jax.tree.flatten(params)
    random = np.random.default_rng(0)
    return jax.tree.unflatten(
        tree, [jnp.float32(scale * random.normal(size=a.shape) / 6) for a in leaves]
    )


@pytest.mark.slow
def test_a_pixel_depends_on_those_within_the_margin():
    network = models.make('restorer', 'residual_unet', width=2)
    side = 160
    y, told = jnp.zeros((1, side, side, 3)), jnp.zeros((1, len(TOLD)))
    params = lively(network.init(jax.random.key(0), y, y, y[..., :1], told), 4.0)
    y = jax.random.normal(jax.random.key(1), y.shape)
    for middle in (80, 81, 83):
        slope = jax.grad(
            lambda y, at=middle: network.apply(params, y, y, 0 * y[..., :1] + 1, told)[
                0, at, at
            ].sum()
        )(y)
        rows = np.nonzero(np.asarray(jnp.abs(slope)).sum((0, 2, 3)))[0]
        assert middle - MARGIN <= rows.min() and rows.max() <= middle + MARGIN
        assert np.ptp(rows) > 50  # and it does see far


@pytest.mark.slow
def test_windows_leave_no_seam(monkeypatch):
    """The picture in windows is the picture at once, of any size."""
    network = models.make('restorer', 'residual_unet', width=2)
    told = np.zeros(len(TOLD), np.float32)
    y = np.random.default_rng(0).uniform(-1, 1, (212, 301, 3)).astype(np.float32)
    mask = (np.random.default_rng(1).random((212, 301, 1)) < 0.8).astype(np.float32)
    few = [a[None, :16, :16] for a in (y, y, mask)]
    params = lively(network.init(jax.random.key(0), *few, told[None]))

    def function(weights, *given):
        return network.apply(weights, *given)

    monkeypatch.setattr(windows, 'ROUND', 4)
    monkeypatch.setattr(windows, 'WINDOW', 10_000)
    whole = windows.restored(function, params, y, mask, told)
    assert whole.shape == y.shape
    monkeypatch.setattr(windows, 'WINDOW', 112)
    parts = windows.restored(function, params, y, mask, told)
    np.testing.assert_allclose(parts, whole, atol=1e-4)
    assert np.abs(whole).max() > 0.1


@pytest.mark.slow
def test_only_the_kinds_that_are_chosen_are_learned_and_measured():
    """Of grey pictures a hole, which the filter fills with grey, is no error."""
    errors = {}
    for kinds in ('hole', 'faded, scratch'):
        config = default.with_variant(default.get_config('restore'), 'tiny')
        config.data.image_size, config.model.width = 16, 4
        config.parallel.devices, config.method.damage = 1, kinds
        method = methods.make(Reads(config), SPEC)
        state = jax.jit(method.init)(jax.random.key(0))
        x, index = np.zeros((64, 16, 16, 3), np.float32), np.arange(64)
        batch = {'image': x, 'index': index.astype(np.int32)}
        _, metrics = jax.jit(method.train_step)(state, batch)
        errors[kinds] = float(metrics['absolute_error'])
        batch['mask'] = np.ones(64, np.float32)
        found = method.finish(jax.jit(method.evaluate_step)(state, batch))
        measured = {n for n in found if n.startswith('psnr_') and n.count('_') == 1}
        assert measured == {f'psnr_{kind}' for kind in kinds.split(', ')}
    assert errors['hole'] < errors['faded, scratch'] / 10


@pytest.mark.slow
def test_it_learns_to_take_damage_away():
    """A few hundred steps on four pictures."""
    method = made()
    state = jax.jit(method.init)(jax.random.key(0))
    rows = np.linspace(-1, 1, 16, dtype=np.float32)
    plane = rows[:, None, None] + 0 * rows[None, :, None]
    pictures = np.stack([plane, -plane, plane.swapaxes(0, 1), 0 * plane])
    x = np.repeat(pictures[np.arange(ROWS) % 4], 3, -1)
    batch = {'image': x, 'index': np.arange(ROWS, dtype=np.int32)}
    evaluated = batch | {'mask': np.ones(ROWS, np.float32)}
    evaluate = jax.jit(method.evaluate_step)
    before = method.finish(evaluate(state, evaluated))
    for kind in KINDS:  # the last layer is 0: it begins as the filter
        assert abs(before[f'psnr_{kind}'] - before[f'psnr_{kind}_filter']) < 1e-3, kind
    step = jax.jit(method.train_step)
    for _ in range(400):
        state, _ = step(state, batch)
    state = state.replace(ema=state.params)
    after = method.finish(evaluate(state, evaluated))
    for kind in ('small', 'scratch'):
        assert after[f'psnr_{kind}'] > after[f'psnr_{kind}_filter'] + 0.5, kind


@pytest.mark.slow
def test_the_sharp_one_begins_at_a_plain_one(tmp_path):
    """Its network alone is taken; its loss has the terms of both."""
    small = {'data.name': 'toy_shapes', 'data.image_size': '16', 'model.width': '4'}
    small |= {'parallel.devices': '1', 'train.steps': '2', 'data.batch_size': '4'}
    plain, sharp = (
        config_lib.load(f'configs/{name}.py:tiny', small | more)
        for name, more in (
            ('restore', {}),
            ('restore_gan', {'train.init_from': str(tmp_path / 'plain')}),
        )
    )
    loop.train(plain, tmp_path / 'plain')
    loop.train(sharp, tmp_path / 'sharp')
    records = [json.loads(line) for line in open(tmp_path / 'sharp/metrics.jsonl')]
    terms = next(r for r in records if 'train/loss_d' in r)
    weights = 1.0, 0.1, 0.01 * 0  # the ramp has just begun
    names = 'absolute_error', 'feature_distance', 'loss_g'
    total = sum(w * terms[f'train/{n}'] for w, n in zip(weights, names, strict=True))
    np.testing.assert_allclose(terms['train/loss'], total, rtol=1e-4)
    config = json.loads((tmp_path / 'sharp/config.json').read_text())
    assert config['method']['name'] == 'restore_gan'
    other = config_lib.load(
        'configs/restore_gan.py:tiny',
        small | {'train.init_from': str(tmp_path / 'plain'), 'model.width': '6'},
    )
    with pytest.raises(UserError, match='the networks must be the same'):
        loop.train(other, tmp_path / 'other')
