"""Less memory for more time: batches in parts, and activations computed twice.

  grad E_B[f] = 1/k sum_i grad E_{B_i}[f],  B = B_1, ..., B_k of equal size,

one part after the other; and the gradient of y = f(x) from x alone, by computing f
again: Chen et al. 2016, arXiv:1604.06174.

Memory falls only if the next computation begins after the last has ended. XLA:CPU
drops optimization barriers, so that the parts' activations would be alive together and
`jax.checkpoint` is undone by common subexpressions; a dependence on data holds
everywhere: what begins next gets 0 times what ended last added.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp


def accumulated(gradient: Callable, parts: int) -> Callable:
    """`gradient` over a batch as the mean of its values over `parts` of the rows.

    gradient(params, variables, rows) -> (gradients, (variables, metrics)), of means
    over rows; `rows`: a tree of arrays [B, ...], B divisible by `parts`. Each part
    starts from the variables that the one before left. (Unrolled: convolutions in a
    loop are slow on a CPU.)
    """
    if parts == 1:
        return gradient

    def run(params, variables, rows):
        first, *others = _split(rows, parts)
        grads, (variables, metrics) = gradient(params, variables, first)
        total = grads, metrics
        for part in others:
            params = _after(total, params)
            grads, (variables, metrics) = gradient(params, variables, part)
            total = jax.tree.map(jnp.add, total, (grads, metrics))
        grads, metrics = jax.tree.map(lambda x: x / parts, total)
        return grads, (variables, metrics)

    return run


def recomputed(remat: bool) -> Callable:
    """A decorator: what a function of arrays keeps for its gradient, if `remat`, is its
    arguments alone. It must not close over arrays that are differentiated.
    """
    return _recomputed if remat else lambda function: function


def _recomputed(function: Callable) -> Callable:
    @jax.custom_vjp
    def run(*arguments):
        return function(*arguments)

    def backward(arguments, cotangent):
        return jax.vjp(function, *_after(cotangent, arguments))[1](cotangent)

    run.defvjp(lambda *arguments: (function(*arguments), arguments), backward)
    return run


def _after(done, tree):
    """`tree`, that cannot be used before all of `done` is computed."""
    ends = [x.ravel()[0] for x in jax.tree.leaves(done) if _floating(x)]
    zero = 0 * sum((end.astype(jnp.float32) for end in ends), jnp.zeros(()))
    return jax.tree.map(lambda x: x + zero.astype(x.dtype) if _floating(x) else x, tree)


def _floating(x) -> bool:
    return jnp.issubdtype(x.dtype, jnp.floating)


def _split(rows, parts: int) -> list:
    size = len(jax.tree.leaves(rows)[0]) // parts
    starts = [part * size for part in range(parts)]
    return [jax.tree.map(lambda x, a=a: x[a : a + size], rows) for a in starts]
