"""Which axis is cut, and that a cut tree has the norm and the step of the whole."""

import jax
import numpy as np
import optax
import pytest
from jax.sharding import PartitionSpec

from gan_vae.devices import layout
from gan_vae.devices.mesh import AXIS, mesh_of
from gan_vae.learning import optimizers
from gan_vae.learning.settings import Learning, Settings

SHAPES = {'kernel': (4, 4, 3, 8), 'odd': (3, 8), 'bias': (3,), 'scale': ()}


@pytest.mark.parametrize(
    'shape, n, axis',
    [((8, 4), 4, 0), ((3, 8), 4, 1), ((6,), 4, None), ((), 2, None), ((8,), 1, None)],
)
def test_first_axis_that_divides_is_cut(shape, n, axis):
    assert layout.axis_of(shape, n) == axis


@pytest.mark.parametrize('limit', [0.1, 1e3], ids=['clipped', 'free'])
def test_a_step_on_parts_is_optax_on_the_mean_gradient(limit):
    settings = Settings(learning_rate=0.1, clip_norm=limit, eps=1e-3)
    ours = optimizers.make(Learning(settings, steps=10))
    adam = optax.adam(optax.constant_schedule(0.1), 0.9, 0.999, 1e-3)
    reference = optax.chain(optax.clip_by_global_norm(limit), adam)
    rng = np.random.default_rng(0)
    params = {k: rng.normal(size=s).astype(np.float32) for k, s in SHAPES.items()}
    grads = {k: rng.normal(size=(4, *s)).astype(np.float32) for k, s in SHAPES.items()}
    mean = {k: g.mean(0) for k, g in grads.items()}
    lies = layout.make(True, AXIS)

    def step(params, opt_state, grads):
        own = jax.tree.map(lambda g: g[0], grads)
        return layout.update(lies, ours, own, opt_state, params, None)

    specs = layout.specs(jax.eval_shape(ours.init, params), 4, AXIS)
    whole = PartitionSpec()
    mapped = jax.shard_map(
        step,
        mesh=mesh_of(4, 4),
        in_specs=(whole, specs, PartitionSpec(AXIS)),
        out_specs=(whole, specs, whole),
        check_vma=False,
    )
    params_after, state, norm = jax.jit(mapped)(params, ours.init(params), grads)
    updates, expected = reference.update(mean, reference.init(params), params)
    np.testing.assert_allclose(norm, optax.global_norm(mean), rtol=1e-6)
    for a, b in (
        (params_after, optax.apply_updates(params, updates)),
        (state, expected),
    ):
        jax.tree.map(
            lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-5, atol=1e-7), a, b
        )
    shapes = {k: m.sharding.shard_shape(m.shape) for k, m in state[1][0].mu.items()}
    assert shapes == {'kernel': (1, 4, 3, 8), 'odd': (3, 2), 'bias': (3,), 'scale': ()}
