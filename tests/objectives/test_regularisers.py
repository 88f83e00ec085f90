"""Regularisers against closed forms and published signs."""

import jax
import jax.numpy as jnp
import numpy as np

from gan_vae.objectives import regularisers

A, B = jnp.array([1.0, -2.0, 0.5]), jnp.array([0.0, 1.0, 0.5])


def test_consistency_is_a_cost_of_d_and_diversity_a_reward_of_g():
    np.testing.assert_allclose(regularisers.consistency(A, B), (1 + 9 + 0) / 3)
    images = A.reshape(3, 1, 1, 1) * jnp.ones((3, 2, 2, 1))
    moved = B.reshape(3, 1, 1, 1) * jnp.ones((3, 2, 2, 1))
    np.testing.assert_allclose(regularisers.diversity(images, moved), -10 / 3)
    both = jax.grad(regularisers.consistency, (0, 1))(A, B)
    np.testing.assert_allclose(both[0], -both[1])  # no side is held
    assert np.abs(both[0]).max() > 0


def test_lecam_draws_each_side_to_the_mean_of_the_other():
    averages = {'real': jnp.array(2.0), 'fake': jnp.array(-1.0)}
    value = regularisers.lecam(A, B, averages)
    expected = (4 + 1 + 2.25) / 3 + (4 + 1 + 2.25) / 3
    np.testing.assert_allclose(value, expected, rtol=1e-6)
    rest = regularisers.lecam(jnp.full(3, -1.0), jnp.full(3, 2.0), averages)
    assert rest == 0
    after = regularisers.lecam_averages(averages, {'real': 4.0, 'fake': -3.0}, 0.9)
    np.testing.assert_allclose([after['real'], after['fake']], [2.2, -1.2], rtol=1e-6)


def test_orthogonal_counts_pairs_of_filters_and_not_their_lengths():
    q = jnp.linalg.qr(jax.random.normal(jax.random.key(0), (36, 5)))[0]
    kernel = (q * jnp.arange(1.0, 6)).reshape(3, 3, 4, 5)
    tree = {'conv': {'kernel': kernel, 'bias': jnp.ones(5)}, 'norm': {'scale': A}}
    assert regularisers.orthogonal(tree) < 1e-8
    skew = {'dense': {'kernel': jnp.array([[1.0, 2.0], [0.0, 3.0]])}}  # W^T W: 2 twice
    np.testing.assert_allclose(regularisers.orthogonal(tree | skew), 8.0, rtol=1e-6)


def test_clipping_bounds_every_parameter():
    clipped = regularisers.clip_weights({'w': A, 'b': {'c': 0.001 * B}}, 0.01)
    np.testing.assert_allclose(clipped['w'], [0.01, -0.01, 0.01])
    np.testing.assert_array_equal(clipped['b']['c'], 0.001 * B)


def test_correspondence_is_of_distances_and_not_of_maps():
    """Against a loop over three samples; turned and scaled maps are where they were."""
    random = np.random.default_rng(0)
    maps, source = random.normal(size=(2, 3, 2, 2, 5)).astype(np.float32)

    def shares(h, i):
        h = h.reshape(3, -1)
        h = h / np.linalg.norm(h, axis=1, keepdims=True)
        e = np.array([np.exp(h[i] @ h[j]) for j in range(3) if j != i])
        return e / e.sum()

    pairs = [(shares(maps, i), shares(source, i)) for i in range(3)]
    expected = np.mean([np.sum(p * np.log(p / q)) for p, q in pairs])
    found = regularisers.correspondence([maps, maps], [source, maps])
    np.testing.assert_allclose(found, expected / 2, rtol=1e-5)
    turn = np.linalg.qr(random.normal(size=(5, 5)))[0].astype(np.float32)
    assert abs(regularisers.correspondence([3 * maps @ turn], [maps])) < 1e-6
