"""Files of weights give their arrays bit for bit; hostile ones give one line."""

import hashlib
import io
import json
import pickle
import struct
import tracemalloc
import zipfile

import ml_dtypes
import numpy as np
import pytest

from gan_vae.errors import UserError
from gan_vae.extractors import weights

VALUES = np.arange(6, dtype=np.float32) / 7
OS_SYSTEM = b'cposix\nsystem\n'


# An assembler of pickles: each function gives the bytes that push its value.


def text(s):
    return b'X' + struct.pack('<I', len(s.encode())) + s.encode()


def integer(n):
    encoded = pickle.encode_long(n)
    return b'\x8a' + bytes([len(encoded)]) + encoded


def tuple_(*parts):
    return b'(' + b''.join(parts) + b't'


def ints(*values):
    return tuple_(*map(integer, values))


def global_(name):
    module, _, name = name.rpartition('.')
    return f'c{module}\n{name}\n'.encode()


def call(name, *arguments):
    return global_(name) + tuple_(*arguments) + b'R'


def storage(kind='Float', key='0', length=6, tag='storage', view=b''):
    type_ = global_(f'torch.{kind}Storage')
    return (
        tuple_(text(tag), type_, text(key), text('cpu'), integer(length), view) + b'Q'
    )


def tensor(of=None, offset=0, shape=(2, 3), strides=(3, 1)):
    return call(
        'torch._utils._rebuild_tensor_v2',
        storage() if of is None else of,
        integer(offset),
        ints(*shape),
        ints(*strides),
        b'\x89',
        call('collections.OrderedDict'),
    )


def state(**tensors):
    items = b''.join(text(k) + v for k, v in tensors.items())
    metadata = b'}' + text('_metadata') + b'}s'
    return call('collections.OrderedDict') + b'(' + items + b'u' + metadata + b'b'


def legacy_file(path, body, storages):
    parts = [integer(0x1950A86A20F9469CFC6C), integer(1001)]
    parts += [b'}' + text('little_endian') + b'\x88s', body]
    parts += [b'](' + b''.join(text(k) for k in storages) + b'e']
    out = b''.join(b'\x80\x02' + part + b'.' for part in parts)
    for values in storages.values():
        out += struct.pack('<q', len(values)) + values.tobytes()
    path.write_bytes(out)


def zip_file(path, body, storages):
    with zipfile.ZipFile(path, 'w') as archive:
        archive.writestr('net/data.pkl', b'\x80\x02' + body + b'.')
        archive.writestr('net/byteorder', 'little')
        for key, values in storages.items():
            archive.writestr(f'net/data/{key}', values.tobytes())


both = pytest.mark.parametrize('wrap', [legacy_file, zip_file])


def refused(path, *words):
    with pytest.raises(UserError) as e:
        weights.read(path)
    line = str(e.value)
    assert '\n' not in line and len(line) < 400
    assert str(path) in line
    said = line.replace(str(path), '')
    assert all(word in said for word in words), line


@both
def test_a_state_dict_gives_its_arrays_views_and_types(tmp_path, wrap):
    kinds = {'Half': np.float16, 'BFloat16': ml_dtypes.bfloat16, 'Long': np.int64}
    kinds |= {'Byte': np.uint8, 'Bool': np.bool_, 'Double': np.float64}
    storages = {'0': VALUES} | {k: np.array([0, 1, 2, 3], t) for k, t in kinds.items()}
    body = state(
        whole=tensor(),
        turned=tensor(offset=1, shape=(2, 2), strides=(1, 3)),
        scalar=tensor(offset=5, shape=(), strides=()),
        empty=tensor(offset=6, shape=(0, 3), strides=(3, 1)),
        parameter=call(
            'torch._utils._rebuild_parameter', tensor(), b'\x88', b'N'
        ),  # fmt: skip
        **{k: tensor(storage(k, k, 4), 0, (4,), (1,)) for k in kinds},
    )
    wrap(tmp_path / 'net.pth', body, storages)
    found = weights.read(tmp_path / 'net.pth')
    expected = {
        'whole': VALUES.reshape(2, 3),
        'turned': np.array([[1, 4], [2, 5]], np.float32) / 7,
        'scalar': VALUES[5],
        'empty': np.zeros((0, 3), np.float32),
        'parameter': VALUES.reshape(2, 3),
        **{k: storages[k] for k in kinds},
    }
    assert found.keys() == expected.keys()
    for name, array in found.items():
        assert array.dtype == expected[name].dtype
        np.testing.assert_array_equal(array, expected[name], name, strict=False)
        assert array.shape == expected[name].shape and not array.flags.writeable


def nested_reduce():
    """eval, reached through getattr of a module that a call gives."""
    module = call('builtins.__import__', text('builtins'))
    evaluate = global_('builtins.getattr') + tuple_(module, text('eval')) + b'R'
    return evaluate + tuple_(text('1/0')) + b'R'


HOSTILE = {
    'os.system': (OS_SYSTEM + tuple_(text('true')) + b'R', 'posix.system'),
    'its value as a tensor': (state(a=OS_SYSTEM + ints(1) + b'R'), 'posix.system'),
    'nested': (nested_reduce(), 'builtins.getattr'),
    'getattr': (call('builtins.getattr', text('')), 'builtins.getattr'),
    'by stack': (text('posix') + text('system') + b'\x93', 'posix.system'),
    'a name with lines': (text('a\nb') + text('\x1b[2J') + b'\x93', r'a\nb.\x1b[2J'),
    'instance': (b'(' + text('true') + b'iposix\nsystem\n', 'INST'),
    'object': (OS_SYSTEM + b')\x81', 'posix.system'),
    'a dotted path': (b'\x8c\x05torch\x8c\x0ahub.sha256\x93', 'torch.hub.sha256'),
    'torch itself': (global_('torch.load'), 'torch.load'),
    'extension': (b'\x82\x01', 'EXT1'),
    'a storage called': (global_('torch.FloatStorage') + ints(9) + b'R', 'call'),
    'a tensor called': (state(a=tensor() + b')R'), 'pickle'),
    'build on a global': (global_('collections.OrderedDict') + b'N}\x86b', 'pickle'),
    'unknown storage': (tensor(storage(tag='module')), 'storage'),
    'a storage of text': (text('storage') + b'Q', 'pickle'),
    'a storage without type': (
        tuple_(text('storage'), text('F'), text('0'), text('cpu'), integer(6)) + b'Q',
        'pickle',
    ),
    'a viewed storage': (tensor(storage(view=ints(0, 1, 2))), 'view'),
    'offset beyond': (state(a=tensor(offset=1)), 'out of bounds'),
    'negative offset': (state(a=tensor(offset=-1)), 'out of bounds'),
    'strides beyond': (state(a=tensor(strides=(4, 1))), 'out of bounds'),
    'negative strides': (state(a=tensor(offset=5, strides=(-3, -1))), 'out of bounds'),
    'shape beyond': (state(a=tensor(shape=(3, 3))), 'out of bounds'),
    'wrapping offset': (state(a=tensor(offset=2**64)), 'out of bounds'),
    'wrapping strides': (state(a=tensor(strides=(2**62, 1))), 'out of bounds'),
    'wrapping shape': (state(a=tensor(shape=(2**32, 2**32))), 'out of bounds'),
    'repeated': (state(a=tensor(shape=(2**40,), strides=(0,))), 'more elements'),
    'many dimensions': (state(a=tensor(shape=(1,) * 99, strides=(1,) * 99)), 'shape'),
    'two lengths': (state(a=tensor(), b=tensor(storage(length=7))), 'lengths'),
    'two types': (state(a=tensor(), b=tensor(storage('Int'))), 'two types'),
    'longer than the data': (state(a=tensor(storage(length=7))), 'truncated'),
    'not a state_dict': (state(epoch=integer(3)), 'epoch', 'state_dict'),
    'not a dict': (tensor(), 'pickle'),
    'deep keys': (b'}' + b')' + b'\x85' * 50_000 + b'Ns', 'pickle'),
    'absurd length': (b'N' * 1_100_000, 'absurd length'),
    'no value': (b'', ''),
    'unmarked': (b't', ''),
    'unknown memo': (b'h\x07', ''),
}


@both
@pytest.mark.parametrize('case', HOSTILE)
def test_a_hostile_pickle_is_refused_in_one_line(tmp_path, wrap, case):
    body, *words = HOSTILE[case]
    wrap(tmp_path / 'net.pth', body, {'0': VALUES})
    refused(tmp_path / 'net.pth', *words)


@both
def test_a_file_cut_anywhere_is_refused(tmp_path, wrap):
    path = tmp_path / 'net.pth'
    wrap(path, state(a=tensor()), {'0': VALUES})
    raw = path.read_bytes()
    for length in range(0, len(raw), 7):
        path.write_bytes(raw[:length])
        refused(path)


@both
def test_damaged_bytes_never_escape_as_another_exception(tmp_path, wrap):
    path = tmp_path / 'net.pth'
    wrap(
        path,
        state(a=tensor(), b=tensor(offset=2, shape=(4,), strides=(1,))),
        {'0': VALUES},
    )
    raw, random = path.read_bytes(), np.random.RandomState(0)
    for _ in range(300):
        damaged = bytearray(raw)
        for at in random.randint(len(raw), size=random.randint(1, 4)):
            damaged[at] = random.randint(256)
        path.write_bytes(damaged)
        try:
            weights.read(path)
        except UserError as e:
            assert '\n' not in str(e)


def with_header(header, data=b'', length=None):
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack('<Q', len(raw) if length is None else length) + raw + data


def entry(shape, *offsets, dtype='F32'):
    return {'dtype': dtype, 'shape': shape, 'data_offsets': offsets}


def test_safetensors_gives_its_arrays(tmp_path):
    half = np.array([1, 2, 3], ml_dtypes.bfloat16)
    header = {
        '__metadata__': {'format': 'pt'},
        'b': entry([3], 24, 30, dtype='BF16'),
        'a': entry([2, 3], 0, 24),
        'empty': entry([0], 24, 24),
    }
    path = tmp_path / 'net.safetensors'
    path.write_bytes(with_header(header, VALUES.tobytes() + half.tobytes()))
    found = weights.read(path)
    np.testing.assert_array_equal(found['a'], VALUES.reshape(2, 3), strict=True)
    np.testing.assert_array_equal(found['b'], half, strict=True)
    assert found['empty'].shape == (0,)


SAFETENSORS = {
    'absurd header': with_header({}, length=2**63),
    'header past the end': with_header({}, length=3),
    'not json': with_header(b'{nonsense'),
    'deep json': with_header(b'{"a":' + b'[' * 100_000),
    'offsets beyond': with_header({'a': entry([6], 0, 24)}, b'1234'),
    'offsets of another shape': with_header({'a': entry([5], 0, 24)}, bytes(24)),
    'negative offsets': with_header({'a': entry([6], -24, 0)}, bytes(24)),
    'overlap': with_header({'a': entry([6], 0, 24), 'b': entry([6], 0, 24)}, bytes(24)),
    'hole': with_header({'a': entry([6], 4, 28)}, bytes(28)),
    'bytes left': with_header({'a': entry([6], 0, 24)}, bytes(25)),
    'unknown type': with_header({'a': entry([6], 0, 24, dtype='F33')}, bytes(24)),
    'twice': with_header(b'{"a": {}, "a": {}}'),
    'no entry': with_header({'a': 3}),
    'a shape of floats': with_header({'a': entry([6.0], 0, 24)}, bytes(24)),
    'a huge shape': with_header({'a': entry([2**32, 2**32], 0, 0)}),
}


@pytest.mark.parametrize('case', SAFETENSORS)
def test_hostile_safetensors_are_refused(tmp_path, case):
    (tmp_path / 'net.safetensors').write_bytes(SAFETENSORS[case])
    refused(tmp_path / 'net.safetensors')


def npy(header, data=b''):
    raw = repr(header).encode() + b'\n'
    return b'\x93NUMPY\1\0' + struct.pack('<H', len(raw)) + raw + data


def like(shape, descr='<f4'):
    return {'descr': descr, 'fortran_order': False, 'shape': shape}


def pickled():
    out = io.BytesIO()
    np.save(out, np.array([{}], object), allow_pickle=True)
    return out.getvalue()


NPZ = {
    'pickles': pickled(),
    'objects': npy(like((1,), '|O'), bytes(8)),
    'more than the data': npy(like((2**40,)), bytes(24)),
    'wrapping': npy(like((2**32, 2**32)), bytes(0)),
    'negative': npy(like((-6,)), bytes(24)),
    'less than the data': npy(like((1,)), bytes(24)),
    'text': npy(like((6,), '<U1'), bytes(24)),
    'big-endian': npy(like((6,), '>f4'), bytes(24)),
    'deep header': npy(like((1,))).replace(b'(1,)', b'(' * 3000),
    'no array': b'nothing',
}


@pytest.mark.parametrize('case', NPZ)
def test_hostile_npz_is_refused(tmp_path, case):
    with zipfile.ZipFile(tmp_path / 'net.npz', 'w') as archive:
        archive.writestr('a.npy', NPZ[case])
    refused(tmp_path / 'net.npz')


def test_npz_gives_its_arrays(tmp_path):
    arrays = {'a': VALUES.reshape(2, 3), 'f': np.asfortranarray(np.eye(3)[:2])}
    for save in np.savez, np.savez_compressed:
        save(tmp_path / 'net.npz', **arrays)
        found = weights.read(tmp_path / 'net.npz')
        assert found.keys() == arrays.keys()
        for name in arrays:
            np.testing.assert_array_equal(found[name], arrays[name], strict=True)


@pytest.mark.parametrize('lies', [False, True])
def test_a_zip_bomb_is_refused_before_it_fills_the_memory(tmp_path, lies):
    path, size = tmp_path / 'net.npz', 100_000_000
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr('a.npy', bytes(size))
    if lies:  # it says that it is small
        raw = path.read_bytes()
        path.write_bytes(raw.replace(struct.pack('<I', size), struct.pack('<I', 999)))
    tracemalloc.start()
    refused(path)
    assert tracemalloc.get_traced_memory()[1] < size / 5
    tracemalloc.stop()


def test_a_wrong_hash_names_both_and_a_right_one_passes(tmp_path):
    path = tmp_path / 'net.pth'
    zip_file(path, state(a=tensor()), {'0': VALUES})
    true = hashlib.sha256(path.read_bytes()).hexdigest()
    assert weights.sha256_of(path) == true
    assert weights.read(path, sha256=true.upper()).keys() == {'a'}
    with pytest.raises(UserError, match=f'{true}, not {"0" * 64}'):
        weights.read(path, sha256='0' * 64)


def test_what_is_not_a_file_of_weights_is_one_line(tmp_path):
    refused(tmp_path / 'absent.pth', 'No such file')
    refused(tmp_path, 'not a file')
    (tmp_path / 'page.pth').write_text('<!DOCTYPE html>')
    refused(tmp_path / 'page.pth', 'not a .pth')
    (tmp_path / 'plain.pth').write_bytes(pickle.dumps({'a': VALUES}))
    refused(tmp_path / 'plain.pth', 'import numpy')
    with pytest.raises(UserError, match='cannot read'):
        weights.sha256_of(tmp_path / 'absent.pth')


@pytest.mark.oracle
@pytest.mark.parametrize('zipped', [False, True])
@pytest.mark.parametrize('protocol', [2, 4])
def test_arrays_are_those_of_torch_bit_for_bit(tmp_path, zipped, protocol):
    torch = pytest.importorskip('torch', reason='torch is not installed (extra bench)')
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    saved = net.state_dict()
    saved['turned'] = torch.randn(4, 5).bfloat16().t()[1:]
    saved['parameter'] = torch.nn.Parameter(torch.randn(3).half())
    for dtype in (torch.uint8, torch.int16, torch.float64, torch.bool):
        saved[str(dtype)] = torch.tensor([[0, 1, 2]]).to(dtype)
    saved['tied'] = saved['0.weight']
    torch.save(
        saved,
        tmp_path / 'net.pth',
        pickle_protocol=protocol,
        _use_new_zipfile_serialization=zipped,
    )
    found = weights.read(tmp_path / 'net.pth')
    expected = torch.load(tmp_path / 'net.pth', weights_only=False)
    assert list(found) == list(expected)
    for name, array in found.items():
        like = expected[name].detach().contiguous()
        assert str(array.dtype) == str(like.dtype).removeprefix('torch.')
        assert array.shape == like.shape
        raw = like.reshape(-1).view(torch.uint8).numpy().tobytes()
        assert array.tobytes() == raw
