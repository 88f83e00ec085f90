"""Tensors of torch's pickles, read by a machine that runs nothing.

    tensor[i] = storage[offset + sum_k i_k stride_k],   0 <= every index < len(storage)

A pickle is a program. Here it runs on a machine that knows the instructions of a
state_dict alone, looks nothing up and calls nothing: a global is a name, and the few
names below have a meaning. Storages, offsets and strides are then checked against the
bytes in the file.
"""

import io
import math
import pickletools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from gan_vae.extractors.weights.checks import STORAGES, Refused, brief, lengths, numbers

_MAX_INSTRUCTIONS = 2**20  # a network of 10,000 tensors takes 350,000
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_CALLS = (
    'collections.OrderedDict',
    'torch._utils._rebuild_tensor_v2',
    'torch._utils._rebuild_parameter',
)


class _Global(NamedTuple):
    name: str


class _Storage(NamedTuple):
    dtype: np.dtype
    key: str
    length: int


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int
    shape: tuple
    strides: tuple


_MARK = object()
_LITERALS = {
    *('BININT', 'BININT1', 'BININT2', 'LONG1', 'BINFLOAT'),
    *('BINUNICODE', 'SHORT_BINUNICODE', 'SHORT_BINSTRING'),
}


def read_legacy(raw: bytes) -> dict[str, np.ndarray]:
    """{name: array} of torch's file before 1.6.

    Pickles of a magic number, a version, the machine, the tensors and the order of the
    storages; then the storages, each as its length and its elements.
    """
    file = io.BytesIO(raw)
    if unpickle(file) != _LEGACY_MAGIC:
        raise Refused('a pickle, but not of torch: refused')
    if unpickle(file) != 1001 or unpickle(file).get('little_endian') is not True:
        raise Refused('of another version of torch, or of a big-endian machine')
    top = unpickle(file)
    keys = unpickle(file)
    storages = _storages(top)
    if sorted(_checked(str, k) for k in _checked(list, keys)) != sorted(storages):
        raise Refused('the list of storages is not that of the tensors')
    stored = {}
    for key in keys:
        length = int.from_bytes(file.read(8), 'little', signed=True)
        if length != storages[key].length:
            raise Refused(f'truncated, or storage {brief(key)} has another length')
        stored[key] = file.read(length * storages[key].dtype.itemsize)
    return tensors(top, stored.__getitem__)


def unpickle(file):
    """What one pickle describes, built of tuples, lists, dicts, numbers and text."""
    stack, memo = [], {}

    def since_mark():
        at = len(stack) - 1
        while stack[at] is not _MARK:
            at -= 1
            if at < 0:
                raise Refused('a damaged pickle')
        values = stack[at + 1 :]
        del stack[at:]
        return values

    for count, (code, argument, _) in enumerate(pickletools.genops(file)):
        if count > _MAX_INSTRUCTIONS:
            raise Refused('a pickle of absurd length: refused')
        match code.name:
            case 'PROTO' | 'FRAME':
                pass
            case 'STOP':
                return stack.pop()
            case 'MARK':
                stack.append(_MARK)
            case 'NONE':
                stack.append(None)
            case 'NEWTRUE' | 'NEWFALSE':
                stack.append(code.name == 'NEWTRUE')
            case name if name in _LITERALS:
                stack.append(argument)
            case 'EMPTY_DICT':
                stack.append({})
            case 'EMPTY_LIST':
                stack.append([])
            case 'EMPTY_TUPLE':
                stack.append(())
            case 'TUPLE':
                stack.append(tuple(since_mark()))
            case 'TUPLE1' | 'TUPLE2' | 'TUPLE3':
                n = int(code.name[-1])
                stack[-n:] = [tuple(stack[-n:])]
            case 'APPEND' | 'APPENDS':
                more = [stack.pop()] if code.name == 'APPEND' else since_mark()
                _checked(list, stack[-1]).extend(more)
            case 'SETITEM':
                value, key = stack.pop(), stack.pop()
                _checked(dict, stack[-1])[_key(key)] = value
            case 'SETITEMS':
                values = since_mark()
                pairs = zip(values[::2], values[1::2], strict=True)
                _checked(dict, stack[-1]).update((_key(k), v) for k, v in pairs)
            case 'BINPUT' | 'LONG_BINPUT':
                memo[argument] = stack[-1]
            case 'MEMOIZE':
                memo[len(memo)] = stack[-1]
            case 'BINGET' | 'LONG_BINGET':
                stack.append(memo[argument])
            case 'GLOBAL':
                stack.append(_global(*argument.split(' ', 1)))
            case 'STACK_GLOBAL':
                name, module = stack.pop(), stack.pop()
                stack.append(_global(module, name))
            case 'BINPERSID':
                stack.append(_storage(stack.pop()))
            case 'REDUCE':
                arguments, function = stack.pop(), stack.pop()
                stack.append(_call(function, arguments))
            case 'BUILD':  # the versions of the modules, beside the tensors
                stack.pop()
                _checked(dict, stack[-1])
            case name:
                raise Refused(f'the pickle uses {name}, which no state_dict needs')
    raise Refused('a truncated pickle')


def _checked(kind, value):
    if not isinstance(value, kind):
        raise Refused('a damaged pickle')
    return value


def _key(key):
    return _checked((str, int), key)


def _global(module, name) -> _Global:
    name = f'{module}.{name}'
    if name not in _CALLS and name not in STORAGES:
        raise Refused(f'refused: the file asks to import {brief(name)}')
    return _Global(name)


def _storage(described) -> _Storage:
    """('storage', type, key, device, length), in legacy files with a view, or None."""
    kind, of, key, _, length, *view = _checked(tuple, described)
    if kind != 'storage' or _checked(_Global, of).name not in STORAGES:
        raise Refused(f'an unknown storage, {brief(described)}')
    if view not in ([], [None]):
        raise Refused('a storage that is a view of another is not supported')
    (length,) = lengths((length,), 'length of a storage')
    return _Storage(STORAGES[of.name], _checked(str, key), length)


def _call(function, arguments):
    """What torch would have built by this call."""
    match _checked(_Global, function).name:
        case 'collections.OrderedDict' if arguments == ():
            return {}
        case 'torch._utils._rebuild_tensor_v2':
            storage, offset, shape, strides, _, _, *_ = _checked(tuple, arguments)
            (offset,) = lengths((offset,), 'offset')
            shape, strides = lengths(shape, 'shape'), lengths(strides, 'strides')
            tensor = _Tensor(_checked(_Storage, storage), offset, shape, strides)
            return _within(tensor)
        case 'torch._utils._rebuild_parameter':
            return _checked(_Tensor, _checked(tuple, arguments)[0])
    raise Refused(f'refused: the file asks to call {brief(function.name)}')


def _within(tensor: _Tensor) -> _Tensor:
    """The tensor, if all of it lies in its storage."""
    storage, offset, shape, strides = tensor
    if len(shape) != len(strides):
        raise Refused(f'a tensor of shape {shape} and strides {strides}')
    last = sum((n - 1) * s for n, s in zip(shape, strides, strict=True))
    # The second: strides of 0 make gigabytes of one number.
    if 0 not in shape and offset + last >= storage.length:
        raise Refused('a tensor reaches out of bounds of its storage')
    if math.prod(shape) > storage.length:
        raise Refused('a tensor has more elements than its storage')
    return tensor


def _storages(top) -> dict[str, _Storage]:
    """{key: storage} of a dict of tensors."""
    found = {}
    for name, tensor in _checked(dict, top).items():
        if not isinstance(name, str) or not isinstance(tensor, _Tensor):
            raise Refused(
                f'{brief(name)} is not a tensor; save only the state_dict: '
                'torch.save(model.state_dict(), path)'
            )
        storage = tensor.storage
        if found.setdefault(storage.key, storage) != storage:
            raise Refused(f'storage {brief(storage.key)} has two types or lengths')
    return found


def tensors(top, stored: Callable[[str], bytes]) -> dict[str, np.ndarray]:
    """{name: array} of what `unpickle` found; stored(key) gives a storage's bytes."""
    arrays = {s.key: _array(stored(s.key), s) for s in _storages(top).values()}
    found = {}
    for name, (storage, offset, shape, strides) in top.items():
        # Empty tensors may have an offset beyond the end.
        begin, size = (0 if 0 in shape else offset), storage.dtype.itemsize
        found[name] = np.ndarray(
            shape,
            storage.dtype,
            arrays[storage.key],
            begin * size,
            [s * size for s in strides] if 0 not in shape else None,
        )
    return found


def _array(raw: bytes, storage: _Storage) -> np.ndarray:
    if len(raw) != storage.length * storage.dtype.itemsize:
        raise Refused(f'truncated: storage {brief(storage.key)} has {len(raw)} bytes')
    return numbers(raw, storage.dtype)
