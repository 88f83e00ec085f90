"""Nodes and constants of a graph of ONNX while it is being drawn."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from gan_vae.errors import UserError

TYPES = {
    np.dtype(np.float32): TensorProto.FLOAT,
    np.dtype(np.int32): TensorProto.INT32,
    np.dtype(np.bool_): TensorProto.BOOL,
}


class Unknown(UserError):
    """What has no ONNX here."""

    def __init__(self, what: str):
        super().__init__(f'this network cannot be exported to ONNX: it has {what}')


class Value:
    """An array that depends on the inputs: its name in the graph, its shape."""

    def __init__(self, name: str, aval: Any):
        self.name, self.aval = name, aval


class Drawing:
    """Nodes and constants of a graph that is being drawn. first: an input [b, ...]."""

    def __init__(self, first: Value):
        self.first = first
        self.nodes: list = []
        self.constants: list = []
        self.count = ''  # the name of b as int64 [1], once it was needed
        self._numbers = itertools.count()

    def name(self, x: Any) -> str:
        """Of a Value, or of an array that becomes a constant."""
        if isinstance(x, Value):
            return x.name
        return self.constant(x)

    def constant(self, value: Any) -> str:
        """The name of an array that becomes one."""
        array = np.asarray(value)
        if array.dtype == np.float64:
            array = array.astype(np.float32)
        name = f'c{next(self._numbers)}'
        self.constants.append(
            numpy_helper.from_array(np.ascontiguousarray(array), name)
        )
        return name

    def numbers(self, *values: int) -> str:
        """A constant int64 [n]."""
        return self.constant(np.array(values, np.int64))

    def node(
        self,
        kind: str,
        inputs: list[str],
        names: list[str] | None = None,
        outputs: int = 1,
        **attributes,
    ) -> list[str]:
        names = names or [f'v{next(self._numbers)}' for _ in range(outputs)]
        self.nodes.append(helper.make_node(kind, inputs, names, **attributes))
        return names

    def value(self, kind: str, given: list, aval: Any, **attributes) -> Value:
        """Of one node."""
        names = [x if isinstance(x, str) else self.name(x) for x in given]
        (made,) = self.node(kind, names, **attributes)
        return Value(made, aval)

    def expanded(self, x: Any, aval: Any) -> Value:
        """x repeated along its sides of 1, some of which may become b."""
        if all(isinstance(d, int) for d in aval.shape):
            return self.value('Expand', [x, self.numbers(*aval.shape)], aval)
        if not self.count:
            shape = self.value('Shape', [self.first], aval)
            parts = [self.numbers(0), self.numbers(1)]
            self.count = self.value('Slice', [shape, *parts], aval).name
        sides = [_side(d) or self.count for d in aval.shape]
        sides = [d if isinstance(d, str) else self.numbers(d) for d in sides]
        shape = self.value('Concat', sides, aval, axis=0)
        return self.value('Expand', [x, shape], aval)

    def shaped(self, x: Any, aval: Any) -> Value:
        """x in another shape of as many numbers."""
        return self.value('Reshape', [x, self.numbers(*sizes_of(aval.shape))], aval)


def shape_of(x: Any) -> tuple:
    """Of a Value or an array."""
    return x.aval.shape if isinstance(x, Value) else np.shape(x)


def sizes_of(shape: Sequence) -> list[int]:
    """For Reshape: -1 for what hangs on b."""
    sizes = [d if isinstance(d, int) else -1 for d in shape]
    if sizes.count(-1) > 1:
        raise Unknown('a shape with two open sides')
    return sizes


def _side(size: Any) -> int | None:
    """Of a shape: a number, or None for b."""
    if isinstance(size, int):
        return size
    if str(size) != 'b':
        raise Unknown(f'a side of {size}, b being the number of examples')
    return None
