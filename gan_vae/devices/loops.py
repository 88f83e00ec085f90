"""Whether a computation that is repeated is better written out.

In a loop it is compiled once. But XLA:CPU computes its own convolutions (those that
models/convolutions.py has no algorithm for) 27 times slower in a loop: 4.4 s for 0.16 s
of five 3x3 convolutions from 3 to 64 channels of 64 images of 32x32, with gradients.
"""

import jax


def are_slow(function: jax.stages.Wrapped, *arguments) -> bool:
    """Whether a loop over `function`, which jax.jit returned, would be slow here."""
    if jax.default_backend() != 'cpu':
        return False
    return _has_convolutions(function.trace(*arguments).jaxpr.jaxpr)


def _has_convolutions(jaxpr) -> bool:
    return any(
        equation.primitive.name == 'conv_general_dilated'
        or any(map(_has_convolutions, _jaxprs_in(equation.params.values())))
        for equation in jaxpr.eqns
    )


def _jaxprs_in(values) -> list:
    inner = []
    for value in values:
        if isinstance(value, tuple | list):
            inner += _jaxprs_in(value)
        elif hasattr(value, 'eqns'):
            inner.append(value)
        elif hasattr(value, 'jaxpr'):
            inner.append(value.jaxpr)
    return inner
