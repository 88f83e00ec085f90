"""Whether a computation that is repeated is better written out.

In a loop it is compiled once. But XLA:CPU computes its own convolutions (those that
models/convolutions.py has no algorithm for) 27 times slower in a loop: 4.4 s for 0.16 s
of five 3x3 convolutions from 3 to 64 channels of 64 images of 32x32, with gradients.
"""

import jax
from jax.extend.core import Jaxpr, subjaxprs


def are_slow(function: jax.stages.Wrapped, *arguments) -> bool:
    """Whether a loop over `function`, which jax.jit returned, would be slow here."""
    if jax.default_backend() != 'cpu':
        return False
    return _has_convolutions(function.trace(*arguments).jaxpr.jaxpr)


def _has_convolutions(jaxpr: Jaxpr) -> bool:
    return any(
        equation.primitive.name == 'conv_general_dilated' for equation in jaxpr.eqns
    ) or any(map(_has_convolutions, subjaxprs(jaxpr)))
