"""Damage of pictures against libraries that make the same, and what is told of it."""

import io

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from gan_vae.objectives import damage
from gan_vae.objectives.damage import KINDS, TOLD, UNIT

SIDE, COUNT = 32, 24
KEYS = jax.random.split(jax.random.key(0), COUNT)
made = jax.jit(damage.damaged)


def smooth(seed=0, side=64):
    """uint8 [side, side, 3], like a photograph: noise of all scales."""
    random = np.random.default_rng(seed)
    total = sum(
        s
        * ndimage.zoom(random.normal(size=(side // s + 1,) * 2 + (3,)), (s, s, 1))[
            :side, :side
        ]
        for s in (2, 8, 32)
    )
    return np.uint8(np.clip(128 + 6 * total, 0, 255))


PICTURES = jnp.stack([smooth(n, SIDE) / 127.5 - 1 for n in range(COUNT)]).astype('f4')


def psnr(a, b):
    return 10 * np.log10(255**2 / np.mean((np.float64(a) - np.float64(b)) ** 2))


@pytest.mark.parametrize('quality', [10, 30, 75, 90])
@pytest.mark.parametrize('channels', [1, 3])
def test_jpeg_is_what_pillow_makes_of_it(quality, channels):
    x = smooth()[..., :channels]
    buffer = io.BytesIO()
    picture = Image.fromarray(x[..., 0] if channels == 1 else x)
    picture.save(buffer, 'JPEG', quality=quality, subsampling=2)
    theirs = np.asarray(Image.open(buffer)).reshape(x.shape)
    ours = (np.asarray(damage.jpeg(x / UNIT - 1, float(quality))) + 1) * UNIT
    lost = psnr(x, theirs)
    assert psnr(ours, theirs) > lost + 8 and abs(psnr(x, ours) - lost) < 0.3


def test_a_blur_is_that_of_scipy():
    x = smooth() / UNIT - 1
    for radius in (0.5, 1.5, 2.5):
        expected = ndimage.gaussian_filter(
            x, (radius, radius, 0), mode='nearest', radius=(9, 9, 0)
        )
        found = damage.blurred(jnp.asarray(x), radius)
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_what_is_small_keeps_its_means():
    x = smooth() / UNIT - 1
    np.testing.assert_allclose(damage.small(jnp.ones((32, 32, 3)), 4), 1, atol=1e-5)
    y = np.asarray(damage.small(jnp.asarray(x), 2))
    blocks = x.reshape(32, 2, 32, 2, 3).mean((1, 3))
    again = y.reshape(32, 2, 32, 2, 3).mean((1, 3))
    assert np.abs(again - blocks).mean() < 0.2 * np.abs(x - y).mean() + 0.02


def test_what_is_known_is_told_in_the_numbers_of_training():
    assert not damage.told().any()
    row = dict(zip(TOLD, damage.told(25, 1.5, 30, 2), strict=True))
    expected = {'told': 1, 'noise': 0.5, 'blur': 0.5, 'jpeg': 0.7, 'small': 0.5}
    assert row == pytest.approx(expected)
    assert damage.told(noise=0)[0] == 1  # that there is none is known


@pytest.mark.slow
def test_each_kind_does_what_it_says_and_tells_it():
    for number, kind in enumerate(KINDS):
        d = made(KEYS, PICTURES, jnp.full(COUNT, number))
        assert (d.kind == number).all()
        levels = (np.asarray(d.seen) + 1) * UNIT * np.asarray(d.mask)
        np.testing.assert_allclose(levels, np.round(levels), atol=1e-3)
        told = {name: np.asarray(d.told)[:, k] for k, name in enumerate(TOLD)}
        quiet = told['told'] == 0
        assert 0.2 < quiet.mean() < 0.8  # nothing is told of half of them
        assert not np.asarray(d.told)[quiet].any()
        holes = np.asarray(d.mask)[..., 0] == 0
        assert holes.any((1, 2)).all() if kind == 'hole' else not holes.any()
        changed = np.abs(np.asarray(d.seen - PICTURES)).mean((1, 2, 3))
        assert (changed[~holes.any((1, 2))] > 0).mean() > 0.9 or kind == 'hole'
        if kind in told:
            assert (told[kind][~quiet] > 0).all()
    noise = made(KEYS, PICTURES * 0, jnp.zeros(COUNT, int))
    told = np.asarray(noise.told)
    alone = (told[:, 0] > 0) & (told[:, 3] == 0)
    deviation = np.asarray(noise.seen).std((1, 2, 3)) * UNIT
    expected = told[:, 1] * damage.MOST_NOISE
    np.testing.assert_allclose(deviation[alone], expected[alone], rtol=0.05, atol=0.4)


@pytest.mark.slow
def test_damage_is_a_pictures_own():
    """By its key, whatever else is in the batch; and every kind comes up."""
    d = made(KEYS, PICTURES)
    few = made(KEYS[3:5], PICTURES[3:5])
    np.testing.assert_array_equal(few.kind, d.kind[3:5])
    np.testing.assert_allclose(few.seen, d.seen[3:5], atol=1e-6)
    keys = jax.random.split(jax.random.key(1), 200)
    small = jnp.zeros((200, 16, 16, 3))
    kinds = made(keys, small).kind
    assert set(np.asarray(kinds).tolist()) == set(range(len(KINDS)))
