"""Self-attention against its sums, one place at a time."""

import jax
import jax.numpy as jnp
import numpy as np

from gan_vae.models.attention import SelfAttention

X = jax.random.normal(jax.random.key(0), (2, 4, 6, 16))


def made(gamma):
    variables = jax.jit(SelfAttention().init)(jax.random.key(1), X)
    assert variables['params']['gamma'] == 0
    params = variables['params'] | {'gamma': jnp.asarray(gamma)}
    return params, jax.jit(lambda x: SelfAttention().apply({'params': params}, x))


def test_it_starts_as_the_identity():
    _, attention = made(0.0)
    np.testing.assert_array_equal(attention(X), X)


def test_it_is_the_sum_over_places():
    params, attention = made(0.7)
    kernels = [params[f'Conv_{i}']['kernel'] for i in range(4)]
    theta, phi, g, out = (np.asarray(k, np.float64)[0, 0] for k in kernels)
    assert [k.shape for k in (theta, phi, g, out)] == [
        (16, 2),
        (16, 2),
        (16, 8),
        (8, 16),
    ]
    x = np.asarray(X, np.float64)
    expected = x.copy()
    for b in range(2):
        cells = [
            x[b, i : i + 2, j : j + 2].reshape(4, -1) for i in (0, 2) for j in (0, 2, 4)
        ]
        keys = [(cell @ phi).max(0) for cell in cells]
        values = [(cell @ g).max(0) for cell in cells]
        for i in range(4):
            for j in range(6):
                weights = np.exp([x[b, i, j] @ theta @ key for key in keys])
                seen = sum(w * v for w, v in zip(weights, values, strict=True))
                expected[b, i, j] += 0.7 * (seen / weights.sum()) @ out
    np.testing.assert_allclose(attention(X), expected, atol=1e-5)


def test_it_knows_no_places():
    """Whole 2x2 cells that change places take their results with them."""
    _, attention = made(0.7)
    order = np.random.default_rng(0).permutation(6)

    def moved(x):
        cells = x.reshape(2, 2, 2, 3, 2, 16).transpose(0, 1, 3, 2, 4, 5)
        cells = cells.reshape(2, 6, 2, 2, 16)[:, order].reshape(2, 2, 3, 2, 2, 16)
        return cells.transpose(0, 1, 3, 2, 4, 5).reshape(x.shape)

    np.testing.assert_allclose(attention(moved(X)), moved(attention(X)), atol=1e-5)
