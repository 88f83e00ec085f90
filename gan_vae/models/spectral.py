"""Spectral normalisation: weights over their largest singular value.

    W / sigma,   sigma = v' W u,   v <- W u / |W u|,   u <- W' v / |W' v|

with one such power iteration at each forward pass of training and none in evaluation;
u and v are constants to the gradient, which goes through W and sigma. Miyato et al.
2018, arXiv:1802.05957.
"""

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax

STARTING_ITERATIONS = 15  # before the first step, as PyTorch does: sigma starts near


def _unit(x, eps):
    return x / jnp.maximum(jnp.sqrt(jnp.sum(x * x)), eps)


def _iterate(matrix, u, eps):
    # Sums, not dot products, which a GPU would round to 10 bits
    v = _unit(jnp.sum(matrix * u, axis=1), eps)
    return _unit(jnp.sum(matrix * v[:, None], axis=0), eps), v


def normalised(layer: nn.Module, weights, train: bool, eps: float = 1e-12):
    """`weights` [..., out] of `layer` over the largest singular value of [n, out].

    The vectors u [out] and v [n] are kept in `layer`'s collection 'spectral', and
    depend on the weights alone: they are equal on all devices. A moving average of them
    serves as well, for they are brought to length 1 where they are used. `eps`: the
    least length that is divided by.
    """
    matrix = weights.reshape(-1, weights.shape[-1])
    fixed = lax.stop_gradient(matrix)

    def start():
        u = jax.random.normal(layer.make_rng('params'), matrix.shape[1:])
        return lax.fori_loop(
            0, STARTING_ITERATIONS, lambda _, u: _iterate(fixed, u, eps)[0], u
        )

    stored_u = layer.variable('spectral', 'u', start)
    stored_v = layer.variable(
        'spectral', 'v', lambda: _unit(jnp.sum(fixed * stored_u.value, axis=1), eps)
    )
    if train and not layer.is_initializing():
        u, v = _iterate(fixed, stored_u.value, eps)
        stored_u.value, stored_v.value = u, v
    else:
        u, v = _unit(stored_u.value, eps), _unit(stored_v.value, eps)
    u, v = lax.stop_gradient((u, v))
    return weights / jnp.sum(matrix * (v[:, None] * u))


def largest(params, variables) -> dict[str, jax.Array]:
    """{layer: its largest singular value} of the layers that are `normalised`.

    v' W u with the vectors kept, of the weights before division: what they grow to.
    """
    values = {}

    def walk(weights, vectors, path):
        if 'u' in vectors:
            (w,) = (x for n, x in weights.items() if n in ('kernel', 'embedding'))
            matrix = w.reshape(-1, w.shape[-1])
            values['/'.join(path)] = vectors['v'] @ matrix @ vectors['u']
            return
        for name, inner in vectors.items():
            walk(weights[name], inner, (*path, name))

    walk(params, variables.get('spectral', {}), ())
    return values
