"""A function of JAX as a graph of ONNX.

  f(x [b, ...], ...) -> y      traced to a jaxpr, and each primitive to ONNX operators

b, the number of examples, stays open. What does not depend on the inputs is computed
here and becomes a constant: weights, embeddings, noise that is fixed. Convolutions are
XLA's own. A primitive without a rule in operators.py is a UserError by its name, as are
loops.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax import export
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal
from onnx import helper

from gan_vae.export.drawing import TYPES, Drawing, Unknown, Value
from gan_vae.export.operators import BINARY, TABLE, UNARY
from gan_vae.models import convolutions

OPSET, IR = 17, 8


def traced(function: Callable, shapes: Sequence[tuple[tuple, Any]]) -> ClosedJaxpr:
    """The jaxpr of a function of arrays [b, *shape] of those (shape, dtype)."""
    (b,) = export.symbolic_shape('b')
    arguments = [jax.ShapeDtypeStruct((b, *shape), dtype) for shape, dtype in shapes]
    with convolutions.plain():
        return jax.jit(function).trace(*arguments).jaxpr


def graph(jaxpr: ClosedJaxpr, inputs: Sequence[str], output: str, about: dict):
    """The ONNX ModelProto of a jaxpr of one output, with the names of its arrays.

    about: {name: text}, which the model carries. A UserError where the jaxpr has what
    ONNX has not.
    """
    values = [
        Value(name, var.aval)
        for name, var in zip(inputs, jaxpr.jaxpr.invars, strict=True)
    ]
    drawn = Drawing(values[0])
    (result,) = _walk(drawn, jaxpr.jaxpr, jaxpr.consts, values)
    drawn.node('Identity', [drawn.name(result)], names=[output])
    proto = helper.make_graph(
        drawn.nodes,
        'gan_vae',
        [_info(v.name, v.aval) for v in values],
        [_info(output, jaxpr.jaxpr.outvars[0].aval)],
        drawn.constants,
    )
    opsets = [helper.make_opsetid('', OPSET)]
    model = helper.make_model(proto, producer_name='gan_vae', opset_imports=opsets)
    model.ir_version = IR
    for key, text in about.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, text
    return model


def _info(name: str, aval):
    shape = [d if isinstance(d, int) else 'b' for d in aval.shape]
    return helper.make_tensor_value_info(name, TYPES[np.dtype(aval.dtype)], shape)


def _walk(draw: Drawing, jaxpr: Jaxpr, consts: Sequence, arguments: Sequence) -> list:
    """What a jaxpr gives of arguments: Values, or arrays that are constant."""
    known: dict = dict(zip(jaxpr.constvars, consts, strict=True))
    known |= dict(zip(jaxpr.invars, arguments, strict=True))

    def read(atom):
        return atom.val if isinstance(atom, Literal) else known[atom]

    for equation in jaxpr.eqns:
        given = [read(atom) for atom in equation.invars]
        made = _equation(draw, equation, given)
        known |= dict(zip(equation.outvars, made, strict=True))
    return [read(atom) for atom in jaxpr.outvars]


def _equation(draw: Drawing, equation, given: list) -> list:
    name, params = equation.primitive.name, equation.params
    if inner := _inner(params):
        return _walk(draw, *inner, given)
    if name == 'dim_as_value':
        raise Unknown('a number that hangs on that of the examples')
    shapes = [d for var in equation.outvars for d in var.aval.shape]
    open_shape = not all(isinstance(d, int) for d in shapes)
    if not open_shape and not any(isinstance(x, Value) for x in given):
        made = equation.primitive.bind(*given, **params)
        return list(made) if equation.primitive.multiple_results else [made]
    avals = [var.aval for var in equation.outvars]
    if name in UNARY:
        return [draw.value(UNARY[name], given, avals[0])]
    if name in BINARY:
        return [draw.value(BINARY[name], given, avals[0])]
    rule = TABLE.get(name)
    if rule is None:
        raise Unknown(f'the operation {name}')
    made = rule(draw, given, params, avals)
    return made if isinstance(made, list) else [made]


def _inner(params: dict) -> tuple[Jaxpr, Sequence] | None:
    """The jaxpr of a call, and its constants."""
    for key in ('jaxpr', 'call_jaxpr', 'fun_jaxpr'):
        found = params.get(key)
        if isinstance(found, ClosedJaxpr):
            if 'length' in params or 'body_jaxpr' in params:
                return None  # a loop
            return found.jaxpr, found.consts
        if isinstance(found, Jaxpr) and 'length' not in params:
            return found, []
    return None
