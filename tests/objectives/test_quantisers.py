"""Quantisers: levels, indices, gradients, and what they refuse."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_vae.errors import UserError
from gan_vae.objectives import quantisers
from gan_vae.objectives.quantisers import bound, make, usage

LEVELS = ('8,5,5,5', '7,5,4', '3,8')


def fsq(levels):
    return make('fsq', levels, 0, 0, 0.0)


@pytest.mark.parametrize('levels', LEVELS)
def test_every_index_is_one_code_and_every_code_one_index(levels):
    """A bijection over the whole alphabet, which quantising reaches and repeats."""
    own = fsq(levels)
    every = jnp.arange(own.size)
    codes = own.look_up({}, every)
    assert len({tuple(row) for row in np.asarray(codes)}) == own.size
    sizes = np.array(quantisers.parse(levels))
    # z whose bound is in the middle of each level
    half = (sizes - 1) * (1 - quantisers.EDGE) / 2
    offset = np.where(sizes % 2, 0.0, 0.5)
    wanted = np.clip(np.asarray(codes) * (sizes // 2), -half - offset, half - offset)
    z = np.arctanh(np.clip((wanted + offset) / half, -0.9999, 0.9999))
    z -= np.arctanh(offset / half)
    found = own.quantise({}, jnp.asarray(z))
    np.testing.assert_array_equal(found.number, every)
    np.testing.assert_array_equal(found.codes, codes)  # bit for bit
    assert float(found.loss) == 0


def test_levels_are_where_the_paper_has_them():
    """An odd number is symmetric, an even one has 0 at 0 and one more below."""
    z = jnp.linspace(-9, 9, 20001)[:, None]
    for level, edge in ((5, 1.998), (4, 0.9985)):
        b = np.asarray(bound(z, (level,)))
        np.testing.assert_allclose(b.max(), edge, atol=1e-4)
        assert abs(float(bound(jnp.zeros((1, 1)), (level,))[0, 0])) < 1e-6
    digits = np.unique(np.round(np.asarray(bound(z, (8,)))))
    np.testing.assert_array_equal(digits, np.arange(-4, 4))
    # perplexity of one level of normal vectors, measured apart
    normal = jax.random.normal(jax.random.key(0), (200_000, 1))
    for level, expected in ((5, 4.94), (8, 7.82)):
        own = fsq(f'{level},3')
        index = own.quantise({}, jnp.repeat(normal, 2, 1)).number % level
        assert abs(usage(np.bincount(index, minlength=level))[1] - expected) < 0.02


def test_gradients_pass_straight_through():
    z = jax.random.normal(jax.random.key(0), (16, 2))
    own = fsq('5,5')
    through = jax.grad(lambda z: jnp.sum(own.quantise({}, z).codes))(z)
    bounded = jax.grad(lambda z: jnp.sum(bound(z, (5, 5)) / 2))(z)
    np.testing.assert_allclose(through, bounded, rtol=1e-6)


@pytest.mark.parametrize('name', ['vq', 'ema_vq', 'l2_vq'])
def test_a_codebook_gives_its_nearest_vector(name):
    own = make(name, '', 32, 4, 0.25)
    params = own.init(jax.random.key(0))
    z = 3 * jax.random.normal(jax.random.key(1), (50, 4))
    found = own.quantise(params, z)
    book, at = np.asarray(params['codebook']), np.asarray(z)
    if name == 'l2_vq':
        book = book / np.linalg.norm(book, axis=-1, keepdims=True)
        at = at / np.linalg.norm(at, axis=-1, keepdims=True)
    far = ((at[:, None] - book) ** 2).sum(-1)
    np.testing.assert_array_equal(found.number, far.argmin(-1))
    np.testing.assert_allclose(found.codes, book[far.argmin(-1)], rtol=1e-5, atol=1e-6)
    looked_up = own.look_up(params, found.number)
    np.testing.assert_allclose(looked_up, found.codes, rtol=1e-5, atol=1e-6)
    weight = 0.25 if name == 'ema_vq' else 1.25
    np.testing.assert_allclose(found.loss, weight * far.min(-1).mean() / 4, rtol=1e-5)

    # the codebook moves by its own term alone, vectors by what is decoded and 1/4
    def loss(params, z):
        return own.quantise(params, z).loss

    of_book, of_z = jax.grad(loss, (0, 1))(params, z)
    used = np.isin(np.arange(32), found.number)
    moved = np.abs(of_book['codebook']).sum(-1) > 1e-7
    np.testing.assert_array_equal(moved, used & (name != 'ema_vq'))
    if name != 'l2_vq':
        expected = 0.25 * 2 * (at - book[far.argmin(-1)]) / at.size
        np.testing.assert_allclose(of_z, expected, rtol=1e-4, atol=1e-6)


def test_a_codebook_of_averages_goes_to_the_means_of_its_vectors():
    """Two clusters, of which batches have different shares: moving averages of sums
    and counts, from 0 on and without the bias of that."""
    decay = 0.9
    own = make('ema_vq', '', 3, 2, 0.25, decay)
    params = own.init(jax.random.key(0))
    params['codebook'] = jnp.array([[5.0, 0.0], [-5.0, 0.0], [0.0, 99.0]])
    random, history = np.random.default_rng(0), []
    for _ in range(4):
        z = random.normal(size=(12, 2)) + np.where(random.random((12, 1)) < 0.3, 5, -5)
        near = own.quantise(params, jnp.asarray(z)).near
        params = own.follow(params, near)
        history.append((z, z[:, 0] > 0))
    age = decay ** np.arange(3, -1, -1)
    for code, sign in ((0, True), (1, False)):
        sums = sum(
            a * z[at == sign].sum(0) for a, (z, at) in zip(age, history, strict=True)
        )
        counts = sum(
            a * (at == sign).sum() for a, (_, at) in zip(age, history, strict=True)
        )
        np.testing.assert_allclose(params['codebook'][code], sums / counts, rtol=1e-4)
    np.testing.assert_allclose(params['codebook'][2], 0, atol=1e-6)  # of no vector


@pytest.mark.parametrize('name', ['ema_vq', 'vq'])
@pytest.mark.parametrize('restart', [0.0, 0.2])
def test_codes_that_nobody_has_start_anew(name, restart):
    """Eight clusters, and a codebook all of whose codes but one are far away."""
    size = 8
    own = make(name, '', size, 2, 0.25, 0.9, restart)
    params = own.init(jax.random.key(0))
    params['codebook'] = jnp.full((size, 2), 99.0).at[0].set(0.0)
    centres = 4 * np.stack([np.cos(a := np.arange(size) * np.pi / 4), np.sin(a)], -1)
    random = np.random.default_rng(0)

    @jax.jit
    def step(params, z):
        grads = jax.grad(lambda p: own.quantise(p, z).loss)(params)
        near = own.quantise(params, z).near
        params = jax.tree.map(lambda p, g: p - 2.0 * g, params, grads)
        return params if own.follow is None else own.follow(params, near)

    for _ in range(120):
        z = centres[random.integers(size, size=64)] + random.normal(size=(64, 2)) / 9
        params = step(params, jnp.asarray(z))
    counts = np.bincount(own.quantise(params, jnp.asarray(z)).number, minlength=size)
    used, perplexity = usage(counts)
    if restart:
        assert used > 0.7 and perplexity > 5
    else:
        assert used <= 0.5
    assert jax.tree.all(jax.tree.map(lambda a: bool(jnp.isfinite(a).all()), params))


def test_usage_is_that_of_counts():
    assert usage([5, 5, 0, 0]) == (0.5, pytest.approx(2.0))
    assert usage([7] * 10) == (1.0, pytest.approx(10.0))


@pytest.mark.parametrize('levels', ['8,2', '8,x', '', '8,-5', '1', '999999,99999'])
def test_levels_that_there_are_none_of_are_refused(levels):
    with pytest.raises(UserError, match=r'config\.method\.levels'):
        fsq(levels)
