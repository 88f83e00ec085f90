"""The ONNX operators of each primitive of JAX.

A rule takes (drawing, inputs, parameters of the primitive, avals of the outputs) and
gives a Value, or a list of them.

ONNX convolves [N, C, H, W] with kernels [O, I, h, w], JAX here [N, H, W, C] with
[h, w, I, O]. A convolution of a dilated input (a transposed convolution) of stride s
and padding (p, q) is ConvTranspose of the kernel in half a turn, with k - 1 - p pixels
cut off at the low side and k - 1 - q at the high one.
"""

from collections.abc import Callable

import numpy as np
from onnx import TensorProto

from gan_vae.export.drawing import TYPES, Drawing, Unknown, Value, shape_of, sizes_of

UNARY = {
    'neg': 'Neg',
    'exp': 'Exp',
    'log': 'Log',
    'tanh': 'Tanh',
    'logistic': 'Sigmoid',
    'sqrt': 'Sqrt',
    'abs': 'Abs',
    'sign': 'Sign',
    'erf': 'Erf',
    'floor': 'Floor',
    'ceil': 'Ceil',
    'sin': 'Sin',
    'cos': 'Cos',
    'not': 'Not',
    'copy': 'Identity',
    'copy_p': 'Identity',
    'stop_gradient': 'Identity',
}
BINARY = {
    'add': 'Add',
    'add_any': 'Add',
    'sub': 'Sub',
    'mul': 'Mul',
    'div': 'Div',
    'max': 'Max',
    'min': 'Min',
    'pow': 'Pow',
    'eq': 'Equal',
    'lt': 'Less',
    'le': 'LessOrEqual',
    'gt': 'Greater',
    'ge': 'GreaterOrEqual',
    'and': 'And',
    'or': 'Or',
}
REDUCED = {'reduce_max': 'ReduceMax', 'reduce_min': 'ReduceMin'}


def _broadcast(draw: Drawing, given, params, avals):
    (aval,), x = avals, given[0]
    shape, places = params['shape'], params['broadcast_dimensions']
    own = shape_of(x)
    aligned = [1] * len(shape)
    for size, place in zip(own, places, strict=True):
        aligned[place] = size
    y = x
    if list(own) != aligned:
        y = draw.value('Reshape', [x, draw.numbers(*sizes_of(aligned))], aval)
    if aligned == list(shape):
        return y if isinstance(y, Value) else draw.value('Identity', [y], aval)
    return draw.expanded(y, aval)


def _reshape(draw: Drawing, given, params, avals):
    if params['dimensions'] is not None:
        raise Unknown('a reshape with another order')
    return draw.shaped(given[0], avals[0])


def _transpose(draw: Drawing, given, params, avals):
    order = [int(p) for p in params['permutation']]
    return draw.value('Transpose', given, avals[0], perm=order)


def _concatenate(draw: Drawing, given, params, avals):
    return draw.value('Concat', given, avals[0], axis=int(params['dimension']))


def _stack(draw: Drawing, given, params, avals):
    axis = int(params['axis'])
    parts = [draw.value('Unsqueeze', [x, draw.numbers(axis)], avals[0]) for x in given]
    return draw.value('Concat', parts, avals[0], axis=axis)


def _slice(draw: Drawing, given, params, avals):
    starts, ends = params['start_indices'], params['limit_indices']
    steps = params['strides'] or [1] * len(starts)
    shape = given[0].aval.shape
    whole = [
        not isinstance(size, int) or (a == 0 and b == size and s == 1)
        for a, b, s, size in zip(starts, ends, steps, shape, strict=True)
    ]
    axes = [n for n, all_of_it in enumerate(whole) if not all_of_it]
    if any(not isinstance(shape[n], int) for n in axes):
        raise Unknown('a slice of the examples')
    parts = [draw.numbers(*(int(v[n]) for n in axes)) for v in (starts, ends)]
    parts += [draw.numbers(*axes), draw.numbers(*(int(steps[n]) for n in axes))]
    if not axes:
        return draw.value('Identity', given, avals[0])
    return draw.value('Slice', [given[0], *parts], avals[0])


def _split(draw: Drawing, given, params, avals):
    sizes = draw.numbers(*(int(s) for s in params['sizes']))
    names = draw.node(
        'Split',
        [draw.name(given[0]), sizes],
        outputs=len(avals),
        axis=int(params['axis']),
    )
    return [Value(name, aval) for name, aval in zip(names, avals, strict=True)]


def _rev(draw: Drawing, given, params, avals):
    axes = [int(d) for d in params['dimensions']]
    ends = draw.numbers(*[np.iinfo(np.int64).min + 1] * len(axes))
    parts = [draw.numbers(*[-1] * len(axes)), ends, draw.numbers(*axes)]
    return draw.value(
        'Slice', [given[0], *parts, draw.numbers(*[-1] * len(axes))], avals[0]
    )


def _pad(draw: Drawing, given, params, avals):
    x, fill = given
    padding = [tuple(map(int, p)) for p in params['padding_config']]
    if any(inner or low < 0 or high < 0 for low, high, inner in padding):
        raise Unknown('a padding between pixels, or a negative one')
    pads = draw.numbers(*(p[0] for p in padding), *(p[1] for p in padding))
    return draw.value('Pad', [x, pads, draw.name(fill)], avals[0], mode='constant')


def _squeeze(draw: Drawing, given, params, avals):
    return draw.shaped(given[0], avals[0])


def _select(draw: Drawing, given, params, avals):
    which, *cases = given
    if len(cases) != 2:
        raise Unknown('a choice among more than two')
    condition = which
    if isinstance(which, Value) and which.aval.dtype != np.bool_:
        condition = draw.value('Cast', [which], which.aval, to=TensorProto.BOOL)
    return draw.value('Where', [condition, cases[1], cases[0]], avals[0])


def _convert(draw: Drawing, given, params, avals):
    dtype = np.dtype(params['new_dtype'])
    if dtype not in TYPES:
        raise Unknown(f'numbers of type {dtype}')
    return draw.value('Cast', given, avals[0], to=TYPES[dtype])


def _power(draw: Drawing, given, params, avals):
    exponent = params['y']
    if exponent == -1:
        return draw.value('Reciprocal', given, avals[0])
    return draw.value('Pow', [given[0], draw.constant(np.float32(exponent))], avals[0])


def _square(draw: Drawing, given, params, avals):
    return draw.value('Mul', [given[0], given[0]], avals[0])


def _rsqrt(draw: Drawing, given, params, avals):
    return draw.value('Reciprocal', [draw.value('Sqrt', given, avals[0])], avals[0])


def _log1p(draw: Drawing, given, params, avals):
    one = draw.constant(np.float32(1))
    return draw.value('Log', [draw.value('Add', [given[0], one], avals[0])], avals[0])


def _expm1(draw: Drawing, given, params, avals):
    one = draw.constant(np.float32(1))
    return draw.value('Sub', [draw.value('Exp', given, avals[0]), one], avals[0])


def _not_equal(draw: Drawing, given, params, avals):
    return draw.value('Not', [draw.value('Equal', given, avals[0])], avals[0])


def _clamp(draw: Drawing, given, params, avals):
    low, x, high = given
    above = draw.value('Max', [x, low], avals[0])
    return draw.value('Min', [above, high], avals[0])


def _sum(draw: Drawing, given, params, avals):
    axes = draw.numbers(*(int(a) for a in params['axes']))
    return draw.value('ReduceSum', [given[0], axes], avals[0], keepdims=0)


def _reduced(kind: str):
    def rule(draw: Drawing, given, params, avals):
        axes = [int(a) for a in params['axes']]
        return draw.value(kind, given, avals[0], axes=axes, keepdims=0)

    return rule


def _iota(draw: Drawing, given, params, avals):
    shape, dimension = params['shape'], params['dimension']
    if not isinstance(shape[dimension], int):
        raise Unknown('a count of the examples')
    row = np.arange(shape[dimension], dtype=params['dtype'])
    sides = [1] * len(shape)
    sides[dimension] = -1
    return draw.expanded(row.reshape(sides), avals[0])


def _products(draw: Drawing, given, params, avals):
    (left, right), (batch_left, batch_right) = params['dimension_numbers']
    x, y = given
    ranks = [len(shape_of(a)) for a in (x, y)]
    plain = [*left] == [ranks[0] - 1] and [*right] == [0] and ranks[1] == 2
    if plain and not batch_left:
        return draw.value('MatMul', given, avals[0])
    letters = iter('abcdefghijklmnopqrstuvwxyz')
    of_x = [next(letters) for _ in range(ranks[0])]
    of_y = [next(letters) for _ in range(ranks[1])]
    for a, b in zip([*left, *batch_left], [*right, *batch_right], strict=True):
        of_y[b] = of_x[a]
    batch = [of_x[a] for a in batch_left]
    free = [c for n, c in enumerate(of_x) if n not in (*left, *batch_left)]
    free += [c for n, c in enumerate(of_y) if n not in (*right, *batch_right)]
    text = f'{"".join(of_x)},{"".join(of_y)}->{"".join(batch + free)}'
    return draw.value('Einsum', given, avals[0], equation=text)


def _convolution(draw: Drawing, given, params, avals):
    x, kernel = given
    if isinstance(kernel, Value):
        raise Unknown('a convolution whose kernel depends on the input')
    numbers = params['dimension_numbers']
    of_x, of_k, of_y = numbers.lhs_spec, numbers.rhs_spec, numbers.out_spec
    if params['batch_group_count'] != 1:
        raise Unknown('a convolution in groups of examples')
    k = np.transpose(np.asarray(kernel), of_k)  # [O, I, h, w]
    sides = [int(n) for n in k.shape[2:]]
    pads = [tuple(map(int, p)) for p in params['padding']]
    groups, steps = int(params['feature_group_count']), params['window_strides']
    dilated, spread = params['lhs_dilation'], params['rhs_dilation']
    first = draw.value('Transpose', [x], avals[0], perm=[int(n) for n in of_x])
    common = {'group': groups, 'dilations': [int(n) for n in spread]}
    if all(n == 1 for n in dilated):
        cut = {'pads': [p[0] for p in pads] + [p[1] for p in pads]}
        common['strides'] = [int(n) for n in steps]
        if min(cut['pads']) < 0:
            raise Unknown('a convolution with negative padding')
        y = draw.value('Conv', [first, k], avals[0], **common, **cut)
    else:
        if any(n != 1 for n in steps):
            raise Unknown('a convolution of a dilated input in steps')
        reach = [(n - 1) * int(s) for n, s in zip(sides, spread, strict=True)]
        low = [r - p[0] for r, p in zip(reach, pads, strict=True)]
        high = [r - p[1] for r, p in zip(reach, pads, strict=True)]
        beyond = [max(0, -h) for h in high]  # pixels after the last
        if min(low) < 0:
            raise Unknown('a transposed convolution with pixels before the first')
        turned = np.flip(k, tuple(range(2, k.ndim)))
        parts = np.split(turned, groups)  # [O / g, I / g, h, w] each
        turned = np.concatenate([part.swapaxes(0, 1) for part in parts])
        y = draw.value(
            'ConvTranspose',
            [first, turned],
            avals[0],
            strides=[int(n) for n in dilated],
            pads=low + [max(0, h) for h in high],
            output_padding=beyond,
            **common,
        )
    back = [int(n) for n in np.argsort(of_y)]
    return draw.value('Transpose', [y], avals[0], perm=back)


def _gather(draw: Drawing, given, params, avals):
    """Rows or a piece of one side, by numbers that are constant or come in."""
    x, indices = given
    numbers, sizes = params['dimension_numbers'], params['slice_sizes']
    places, shape = [int(n) for n in numbers.start_index_map], shape_of(x)
    if numbers.operand_batching_dims:
        raise Unknown('a gather of each example by its own numbers')
    sides = enumerate(zip(shape, sizes, strict=True))
    if not all(n in places or size == part for n, (size, part) in sides):
        raise Unknown('a gather of parts')
    rank = len(shape_of(indices))
    if rank == 1 and not isinstance(indices, Value):
        starts = [int(n) for n in np.asarray(indices)]
        ends = [n + int(sizes[p]) for n, p in zip(starts, places, strict=True)]
        parts = [draw.numbers(*n) for n in (starts, ends, places)]
        return draw.shaped(draw.value('Slice', [x, *parts], avals[0]), avals[0])
    if len(places) != 1 or numbers.collapsed_slice_dims != tuple(places):
        raise Unknown('a gather from several sides')
    (axis,) = places
    flat = draw.value('Squeeze', [indices, draw.numbers(rank - 1)], avals[0])
    # Gather puts the sides of the indices where the axis was
    others = [n for n in range(len(avals[0].shape)) if n not in numbers.offset_dims]
    if others != list(range(axis, axis + rank - 1)):
        raise Unknown('a gather in another order')
    return draw.value('Gather', [x, flat], avals[0], axis=axis)


TABLE: dict[str, Callable] = {
    'broadcast_in_dim': _broadcast,
    'optimization_barrier': lambda draw, given, params, avals: given,
    'reshape': _reshape,
    'transpose': _transpose,
    'concatenate': _concatenate,
    'stack': _stack,
    'slice': _slice,
    'split': _split,
    'rev': _rev,
    'pad': _pad,
    'squeeze': _squeeze,
    'expand_dims': _squeeze,
    'select_n': _select,
    'convert_element_type': _convert,
    'integer_pow': _power,
    'square': _square,
    'rsqrt': _rsqrt,
    'log1p': _log1p,
    'expm1': _expm1,
    'ne': _not_equal,
    'clamp': _clamp,
    'reduce_sum': _sum,
    'iota': _iota,
    'dot_general': _products,
    'conv_general_dilated': _convolution,
    'gather': _gather,
} | {name: _reduced(kind) for name, kind in REDUCED.items()}
