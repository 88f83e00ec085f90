"""Each form of a convolution or pool is that of XLA, on the shapes that occur."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from gan_vae.extractors import convolution


def plain(x, kernel, stride, padding):
    return lax.conv_general_dilated(
        x, kernel, (stride,) * 2, padding, dimension_numbers=('NHWC', 'HWIO', 'NHWC')
    )


def draw(*shape):
    return np.random.RandomState(sum(shape)).randn(*shape).astype(np.float32)


def assert_close(ours, theirs):
    """In NumPy: the maximum that XLA:CPU takes can overlook a NaN."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() < 1e-5 * np.abs(theirs).max()


@pytest.mark.parametrize('padding', ['SAME', 'VALID'])
@pytest.mark.parametrize('size', [(3, 3), (1, 7), (7, 1)])
def test_minimal_filtering_is_the_convolution(size, padding):
    """An even and an odd side: the last tile may be half outside."""
    x, kernel = draw(2, 8, 17, 16), draw(*size, 16, 24)
    ours = jax.jit(convolution.minimal, static_argnums=2)(x, kernel, padding)
    theirs = plain(x, kernel, 1, padding)
    assert_close(ours, theirs)


@pytest.mark.parametrize(
    'size, image, channels, stride, form',
    [
        ((3, 3), 19, 3, 2, 'conv_general_dilated'),
        ((1, 1), 73, 64, 1, 'dot_general'),
        ((3, 3), 73, 80, 1, 'dot_general'),
        ((3, 3), 35, 96, 1, 'conv_general_dilated'),
        ((5, 5), 35, 48, 1, 'conv_general_dilated'),
        ((1, 7), 17, 128, 1, 'dot_general'),
        ((7, 1), 17, 192, 1, 'dot_general'),
        ((1, 3), 8, 384, 1, 'conv_general_dilated'),
    ],
)
def test_the_form_is_chosen_by_shape(monkeypatch, size, image, channels, stride, form):
    """And is always XLA's convolution where there is a GPU."""
    x, kernel = draw(1, image, image, channels), draw(*size, channels, 8)

    def forms():
        text = str(jax.make_jaxpr(lambda *a: convolution.conv(*a, stride))(x, kernel))
        return {f for f in ('conv_general_dilated', 'dot_general') if f in text}

    monkeypatch.setattr(jax, 'default_backend', lambda: 'cpu')
    assert forms() == {form}
    ours = jax.jit(convolution.conv, static_argnums=2)(x, kernel, stride)
    theirs = plain(x, kernel, stride, 'SAME')
    assert_close(ours, theirs)
    monkeypatch.setattr(jax, 'default_backend', lambda: 'gpu')
    assert forms() == {'conv_general_dilated'}


@pytest.mark.parametrize('size', [8, 17])
@pytest.mark.parametrize('stride, padding', [(2, 'VALID'), (1, 'SAME')])
@pytest.mark.parametrize(
    'start, ours, theirs',
    [(-jnp.inf, jnp.maximum, lax.max), (0.0, jnp.add, lax.add)],
)
def test_pools_are_those_of_xla(size, stride, padding, start, ours, theirs):
    x = draw(2, size, size, 5) - 9  # so that a padding of zeros would win
    window, strides = (1, 3, 3, 1), (1, stride, stride, 1)
    expected = lax.reduce_window(x, start, theirs, window, strides, padding)
    found = convolution.windows(x, start, ours, stride, padding)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
