"""Convolutions of XLA's own are not repeated in a loop on a CPU; ours are."""

import jax
import jax.numpy as jnp
import pytest

from gan_vae.devices import loops
from gan_vae.models import layers


@pytest.mark.parametrize('size, slow', [(8, False), (7, True)])
def test_loops_over_convolutions_without_an_algorithm_are_slow(size, slow):
    layer, x = layers.Conv(16, (3, 3)), jnp.zeros((2, size, size, 16))
    params = layer.init(jax.random.key(0), x)

    @jax.jit
    def within(params, x):
        def gradient(x):
            return jax.grad(lambda x: jnp.sum(layer.apply(params, x) ** 2))(x)

        return jax.lax.map(gradient, x[None])

    assert loops.are_slow(within, params, x) is slow
