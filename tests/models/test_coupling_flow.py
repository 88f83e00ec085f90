"""A flow can be undone, and its log-determinant is that of its Jacobian."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_vae.models.coupling_flow import CouplingFlow


@pytest.fixture(params=[(6, 3), (5, 0)], ids=['classes', 'odd'])
def flow(request):
    """(flow, its parameters, z [4, D], labels): far from the identity, in float64."""
    size, classes = request.param
    flow = CouplingFlow(size, classes)
    label = jnp.arange(4) % classes if classes else None
    with jax.enable_x64(True):  # eight couplings multiply what float32 rounds
        z = jax.random.normal(jax.random.key(1), (4, size))
        params = flow.init(jax.random.key(0), z, label)
        leaves, tree = jax.tree.flatten(params)
        keys = jax.random.split(jax.random.key(2), len(leaves))
        moved = [
            leaf + 0.05 * jax.random.normal(key, leaf.shape)
            for leaf, key in zip(leaves, keys, strict=True)
        ]
        yield flow, jax.tree.unflatten(tree, moved), z, label


@pytest.mark.slow
def test_it_is_undone_and_its_log_determinant_is_its_jacobians(flow):
    flow, params, z, label = flow
    e, log_det = flow.apply(params, z, label)
    again = flow.apply(params, e, label, method='inverse')
    np.testing.assert_allclose(again, z, atol=1e-9)
    assert np.abs(np.sort(e) - np.sort(z)).max() > 0.1  # not a permutation

    def one(z, label):
        label = None if label is None else label[None]
        return flow.apply(params, z[None], label)[0][0]

    for i in range(len(z)):
        jacobian = jax.jacobian(one)(z[i], None if label is None else label[i])
        expected = np.linalg.slogdet(np.asarray(jacobian, np.float64))[1]
        np.testing.assert_allclose(log_det[i], expected, rtol=1e-9, atol=1e-9)


def test_it_starts_as_a_permutation(flow):
    flow, _, z, label = flow
    params = flow.init(jax.random.key(0), z, label)
    e, log_det = flow.apply(params, z, label)
    np.testing.assert_allclose(np.sort(e), np.sort(z), atol=1e-6)
    np.testing.assert_array_equal(log_det, 0)


def test_the_class_is_seen():
    flow = CouplingFlow(4, 2)
    z = jnp.ones((2, 4))
    params = flow.init(jax.random.key(0), z, jnp.array([0, 1]))
    params = jax.tree.map(lambda leaf: leaf + 0.1, params)
    first, second = flow.apply(params, z, jnp.array([0, 1]))[0]
    assert np.abs(first - second).max() > 1e-3
