"""Noise-contrastive estimation of patches."""

import jax
import jax.numpy as jnp
import numpy as np

from gan_vae.objectives.contrastive import TEMPERATURE, patch_nce, picked

Q = jax.random.normal(jax.random.key(0), (3, 16, 8))


def test_chance_is_the_number_of_patches_and_the_same_place_is_told():
    np.testing.assert_allclose(patch_nce(0 * Q + 1, 0 * Q + 1), np.log(16), rtol=1e-5)
    right, wrong = patch_nce(Q, Q), patch_nce(Q, jnp.roll(Q, 1, 1))
    assert (right < 0.1).all() and (wrong > np.log(16)).all()
    # as written out, of vectors of length 1
    a = np.asarray(Q[0] / np.linalg.norm(Q[0], axis=-1, keepdims=True), np.float64)
    b = np.asarray(Q[1] / np.linalg.norm(Q[1], axis=-1, keepdims=True), np.float64)
    scores = a @ b.T / TEMPERATURE
    each = np.log(np.exp(scores).sum(1)) - np.diag(scores)
    np.testing.assert_allclose(patch_nce(Q[:1], Q[1:2])[0], each.mean(), rtol=1e-4)


def test_negatives_are_of_the_same_image_and_have_no_gradient():
    other = Q.at[1].add(1.0)
    changed = patch_nce(Q, other) != patch_nce(Q, Q)
    np.testing.assert_array_equal(changed, [False, True, False])
    of_q, of_k = jax.grad(lambda q, k: patch_nce(q, k).sum(), (0, 1))(Q, other)
    assert jnp.abs(of_q).max() > 1e-4 and not of_k.any()


def test_places_are_different_ones_and_the_same_for_both():
    keys = jax.random.split(jax.random.key(1), 3)
    maps = jnp.arange(3 * 36).reshape(3, 6, 6, 1)
    found = np.asarray(picked(keys, maps, 10))[..., 0]
    assert found.shape == (3, 10) and all(len(set(row)) == 10 for row in found)
    twice = np.asarray(picked(keys, 2 * maps, 10))[..., 0]
    np.testing.assert_array_equal(twice, 2 * found)
    assert picked(keys, maps, 99).shape == (3, 36, 1)
