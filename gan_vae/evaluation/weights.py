"""Arrays out of other people's files of weights, running nothing that a file asks for.

    tensor[i] = storage[offset + sum_k i_k stride_k],   0 <= every index < len(storage)

A `.pth` file is a program for the pickle machine, in one of two wrappers of torch. Here
it runs on a machine that knows the instructions of a state_dict alone, looks nothing up
and calls nothing: a global is a name, and the few names below have a meaning. Storages,
offsets and strides are then checked against the bytes in the file.
`.safetensors` is a JSON header and bytes, `.npz` a zip of arrays without pickles.
"""

import hashlib
import io
import json
import math
import pickletools
import zipfile
from pathlib import Path
from typing import NamedTuple

import ml_dtypes
import numpy as np

from gan_vae.errors import UserError

# A network of 10,000 tensors takes 350,000 instructions, or a header of 1 MB.
_MAX_INSTRUCTIONS = 2**20
_MAX_HEADER = 2**22
_MAX_DIMENSIONS = 32
# Trained weights hardly compress: beyond this, an archive was made to fill the memory.
_MAX_RATIO, _MAX_SLACK = 20, 2**26
_COMPRESSIONS = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED

_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_STORAGES = {
    'torch.DoubleStorage': np.dtype('<f8'),
    'torch.FloatStorage': np.dtype('<f4'),
    'torch.HalfStorage': np.dtype('<f2'),
    'torch.BFloat16Storage': np.dtype(ml_dtypes.bfloat16),
    'torch.LongStorage': np.dtype('<i8'),
    'torch.IntStorage': np.dtype('<i4'),
    'torch.ShortStorage': np.dtype('<i2'),
    'torch.CharStorage': np.dtype('i1'),
    'torch.ByteStorage': np.dtype('u1'),
    'torch.BoolStorage': np.dtype('?'),
}
_SAFETENSORS = dict(
    zip(
        ('F64', 'F32', 'F16', 'BF16', 'I64', 'I32', 'I16', 'I8', 'U8', 'BOOL'),
        _STORAGES.values(),
        strict=True,
    )
)
_CALLS = (
    'collections.OrderedDict',
    'torch._utils._rebuild_tensor_v2',
    'torch._utils._rebuild_parameter',
)


class _Refused(Exception):
    """What is wrong with the file; `read` adds its name."""


def read(path, sha256: str = '') -> dict[str, np.ndarray]:
    """{name: array} of a state_dict in .pth, .pt, .safetensors or .npz, by content.

    Arrays keep dtype and shape, may share memory, and are not writeable. `sha256`, if
    given, must be the file's. A UserError for whatever else a file may hold: nothing in
    it is run, and no array reaches outside its bytes.
    """
    raw = _bytes(path)
    if sha256 and (found := hashlib.sha256(raw).hexdigest()) != sha256.lower():
        raise UserError(
            f'{path} has SHA-256 {found}, not {sha256}: get the file again, or another'
        )
    try:
        return _read(raw)
    except _Refused as e:
        raise UserError(f'{path}: {e}') from None
    except Exception as e:  # a hostile file finds every exception there is
        reason = _shown(f'{type(e).__name__}: {e}')
        raise UserError(
            f'{path} is damaged or not a file of weights ({reason}); get it again'
        ) from None


def sha256_of(path) -> str:
    """The file's SHA-256 in hexadecimal, read in pieces."""
    try:
        with open(path, 'rb') as file:
            return hashlib.file_digest(file, 'sha256').hexdigest()
    except OSError as e:
        raise UserError(f'cannot read {path}: {e.strerror}') from None


def _bytes(path) -> bytes:
    try:
        if Path(path).exists() and not Path(path).is_file():
            raise UserError(f'{path} is not a file; give a file of weights')
        return Path(path).read_bytes()
    except OSError as e:
        raise UserError(f'cannot read {path}: {e.strerror}') from None
    except MemoryError:
        raise UserError(f'{path} is larger than the memory') from None


def _read(raw: bytes) -> dict[str, np.ndarray]:
    if raw[:4] == b'PK\3\4':
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            return _read_zip(archive, len(raw))
    if raw[8:9] == b'{':
        return _read_safetensors(raw)
    if raw[:1] == b'\x80':
        return _read_legacy(raw)
    raise _Refused('not a .pth, .safetensors or .npz file; give one of these')


# Archives


def _read_zip(archive: zipfile.ZipFile, size: int) -> dict[str, np.ndarray]:
    members = archive.infolist()
    names = {m.filename for m in members}
    if len(names) < len(members):
        raise _Refused('two members of the archive have the same name')
    if sum(m.file_size for m in members) > _MAX_RATIO * size + _MAX_SLACK:
        raise _Refused('expands to many times its size (a zip bomb): refused')
    if any(m.compress_type not in _COMPRESSIONS for m in members):
        raise _Refused('an archive of unusual compression: refused')
    if names and all(n.endswith('.npy') for n in names):
        return {m.filename[:-4]: _npy(_member(archive, m)) for m in members}
    pickles = [n for n in names if n.split('/')[1:] == ['data.pkl']]
    if len(pickles) != 1:
        raise _Refused('an archive of something else than weights')
    if any(m.compress_type != zipfile.ZIP_STORED for m in members):
        raise _Refused('compressed, which torch never does: refused')
    folder = pickles[0].removesuffix('data.pkl')
    if f'{folder}byteorder' in names:
        if _member(archive, f'{folder}byteorder') != b'little':
            raise _Refused('written on a big-endian machine, which is not supported')
    top = _unpickle(io.BytesIO(_member(archive, pickles[0])))
    storages = _storages(top)

    def stored(key):
        if (name := f'{folder}data/{key}') not in names:
            raise _Refused(f'truncated: storage {_shown(key)} is missing')
        return _member(archive, name)

    return _tensors(top, {s.key: _array(stored(s.key), s) for s in storages.values()})


def _member(archive: zipfile.ZipFile, name) -> bytes:
    """The bytes of a member; `archive.read` would unpack more than it declares."""
    with archive.open(name) as file:
        return file.read(archive.getinfo(file.name).file_size)


def _npy(raw: bytes) -> np.ndarray:
    file = io.BytesIO(raw)
    version = np.lib.format.read_magic(file)
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in readers:
        raise _Refused(f'.npy of unknown version {version}')
    shape, fortran, dtype = readers[version](file)
    if dtype not in _STORAGES.values():
        raise _Refused(f'an array of {_shown(dtype)} in .npz; save it as numbers')
    shape = _lengths(shape, 'shape')
    rest = raw[file.tell() :]
    if math.prod(shape) * dtype.itemsize != len(rest):
        raise _Refused(f'an array of shape {shape} has {len(rest)} bytes')
    return _numbers(rest, dtype).reshape(shape, order='F' if fortran else 'C')


# Safetensors


def _read_safetensors(raw: bytes) -> dict[str, np.ndarray]:
    length = int.from_bytes(raw[:8], 'little')
    if length > min(_MAX_HEADER, len(raw) - 8):
        raise _Refused(f'a header of {length} bytes: truncated, or not safetensors')
    header = json.loads(raw[8 : 8 + length], object_pairs_hook=_unique)
    header.pop('__metadata__', None)
    start = 8 + length
    end, arrays = 0, {}
    for name, entry in sorted(
        header.items(), key=lambda item: _lengths(item[1]['data_offsets'], 'offsets')
    ):
        begin, stop = _lengths(entry['data_offsets'], 'offsets')
        if entry['dtype'] not in _SAFETENSORS:
            raise _Refused(f'{_shown(name)} has unknown dtype {_shown(entry["dtype"])}')
        dtype = _SAFETENSORS[entry['dtype']]
        shape = _lengths(entry['shape'], 'shape')
        if begin != end or stop - begin != math.prod(shape) * dtype.itemsize:
            raise _Refused(f'the offsets of {_shown(name)} are not those of its shape')
        end = stop
        if start + end > len(raw):
            raise _Refused('truncated: the header promises more bytes')
        arrays[name] = _numbers(raw[start + begin : start + end], dtype).reshape(shape)
    if start + end != len(raw):
        raise _Refused('bytes after the last tensor')
    return arrays


def _unique(pairs):
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Refused('a name twice in the header')
    return found


# Pickles


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


def _read_legacy(raw: bytes) -> dict[str, np.ndarray]:
    """Pickles of a magic number, a version, the machine, the tensors and the order of
    the storages; then the storages, each as its length and its elements."""
    file = io.BytesIO(raw)
    if _unpickle(file) != _LEGACY_MAGIC:
        raise _Refused('a pickle, but not of torch: refused')
    if _unpickle(file) != 1001 or _unpickle(file).get('little_endian') is not True:
        raise _Refused('of another version of torch, or of a big-endian machine')
    top = _unpickle(file)
    keys = _unpickle(file)
    storages = _storages(top)
    if sorted(_checked(str, k) for k in _checked(list, keys)) != sorted(storages):
        raise _Refused('the list of storages is not that of the tensors')
    arrays = {}
    for key in keys:
        length = int.from_bytes(file.read(8), 'little', signed=True)
        if length != storages[key].length:
            raise _Refused(f'truncated, or storage {_shown(key)} has another length')
        data = file.read(length * storages[key].dtype.itemsize)
        arrays[key] = _array(data, storages[key])
    return _tensors(top, arrays)


def _unpickle(file):
    """What one pickle describes, built of tuples, lists, dicts, numbers and text."""
    stack, memo = [], {}

    def since_mark():
        at = len(stack) - 1
        while stack[at] is not _MARK:
            at -= 1
            if at < 0:
                raise _Refused('a damaged pickle')
        values = stack[at + 1 :]
        del stack[at:]
        return values

    for count, (code, argument, _) in enumerate(pickletools.genops(file)):
        if count > _MAX_INSTRUCTIONS:
            raise _Refused('a pickle of absurd length: refused')
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
                raise _Refused(f'the pickle uses {name}, which no state_dict needs')
    raise _Refused('a truncated pickle')


def _checked(kind, value):
    if not isinstance(value, kind):
        raise _Refused('a damaged pickle')
    return value


def _key(key):
    return _checked((str, int), key)


def _global(module, name) -> _Global:
    name = f'{module}.{name}'
    if name not in _CALLS and name not in _STORAGES:
        raise _Refused(f'refused: the file asks to import {_shown(name)}')
    return _Global(name)


def _storage(described) -> _Storage:
    """('storage', type, key, device, length), in legacy files with a view, or None."""
    kind, of, key, _, length, *view = _checked(tuple, described)
    if kind != 'storage' or _checked(_Global, of).name not in _STORAGES:
        raise _Refused(f'an unknown storage, {_shown(described)}')
    if view not in ([], [None]):
        raise _Refused('a storage that is a view of another is not supported')
    (length,) = _lengths((length,), 'length of a storage')
    return _Storage(_STORAGES[of.name], _checked(str, key), length)


def _call(function, arguments):
    """What torch would have built by this call."""
    match _checked(_Global, function).name:
        case 'collections.OrderedDict' if arguments == ():
            return {}
        case 'torch._utils._rebuild_tensor_v2':
            storage, offset, shape, strides, _, _, *_ = _checked(tuple, arguments)
            (offset,) = _lengths((offset,), 'offset')
            shape, strides = _lengths(shape, 'shape'), _lengths(strides, 'strides')
            tensor = _Tensor(_checked(_Storage, storage), offset, shape, strides)
            return _within(tensor)
        case 'torch._utils._rebuild_parameter':
            return _checked(_Tensor, _checked(tuple, arguments)[0])
    raise _Refused(f'refused: the file asks to call {_shown(function.name)}')


def _within(tensor: _Tensor) -> _Tensor:
    """The tensor, if all of it lies in its storage."""
    storage, offset, shape, strides = tensor
    if len(shape) != len(strides):
        raise _Refused(f'a tensor of shape {shape} and strides {strides}')
    last = sum((n - 1) * s for n, s in zip(shape, strides, strict=True))
    # The second: strides of 0 make gigabytes of one number.
    if 0 not in shape and offset + last >= storage.length:
        raise _Refused('a tensor reaches out of bounds of its storage')
    if math.prod(shape) > storage.length:
        raise _Refused('a tensor has more elements than its storage')
    return tensor


# Shared


def _storages(top) -> dict[str, _Storage]:
    """{key: storage} of a dict of tensors."""
    found = {}
    for name, tensor in _checked(dict, top).items():
        if not isinstance(name, str) or not isinstance(tensor, _Tensor):
            raise _Refused(
                f'{_shown(name)} is not a tensor; save only the state_dict: '
                'torch.save(model.state_dict(), path)'
            )
        storage = tensor.storage
        if found.setdefault(storage.key, storage) != storage:
            raise _Refused(f'storage {_shown(storage.key)} has two types or lengths')
    return found


def _tensors(top: dict[str, _Tensor], arrays: dict[str, np.ndarray]) -> dict:
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
        raise _Refused(f'truncated: storage {_shown(storage.key)} has {len(raw)} bytes')
    return _numbers(raw, storage.dtype)


def _numbers(raw: bytes, dtype: np.dtype) -> np.ndarray:
    if dtype.kind == 'b':  # other bytes than 0 and 1 are no bools to NumPy
        found = np.frombuffer(raw, np.uint8) != 0
        found.flags.writeable = False
        return found
    return np.frombuffer(raw, dtype)


def _lengths(values, what: str) -> tuple[int, ...]:
    if not isinstance(values, tuple | list) or len(values) > _MAX_DIMENSIONS:
        raise _Refused(f'damaged {what}')
    for n in values:
        if type(n) is not int or n < 0:
            raise _Refused(f'out of bounds: {what} {_shown(n)}')
    return tuple(values)


def _shown(value) -> str:
    """At most 80 characters, printable: the text is a stranger's."""
    text = value if isinstance(value, str) else type(value).__name__
    if isinstance(value, int | np.dtype):
        text = str(value)
    return ascii(text)[1:-1][:80]
