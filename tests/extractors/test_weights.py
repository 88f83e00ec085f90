"""Files of weights give their arrays bit for bit, and import nothing."""

import hashlib
import pickle
import struct
import zipfile

import numpy as np
import pytest

from gan_vae.errors import UserError
from gan_vae.extractors import weights

VALUES = np.arange(6, dtype=np.float32) / 7
NAMES = {'f8': 'Double', 'f4': 'Float', 'f2': 'Half', 'i8': 'Long', 'i4': 'Int'}


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


def storage(kind='Float', key='0', length=6):
    type_ = global_(f'torch.{kind}Storage')
    parts = text('storage'), type_, text(key), text('cpu'), integer(length)
    return tuple_(*parts) + b'Q'


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
        out += struct.pack('<q', values.size) + values.tobytes()
    path.write_bytes(out)


def zip_file(path, body, storages):
    with zipfile.ZipFile(path, 'w') as archive:
        archive.writestr('net/data.pkl', b'\x80\x02' + body + b'.')
        archive.writestr('net/byteorder', 'little')
        for key, values in storages.items():
            archive.writestr(f'net/data/{key}', values.tobytes())


def save(path, arrays, wrap=legacy_file):
    """A file as torch writes it of {name: array}."""
    tensors = {}
    for name, array in arrays.items():
        strides = [n // array.itemsize for n in array.strides]
        of = storage(NAMES[array.dtype.str[1:]], name, array.size)
        tensors[name] = tensor(of, 0, array.shape, strides)
    wrap(path, state(**tensors), arrays)


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


both = pytest.mark.parametrize('wrap', [legacy_file, zip_file])


@both
def test_a_state_dict_gives_its_arrays_views_and_types(tmp_path, wrap):
    kinds = {name: np.dtype(code) for code, name in NAMES.items()}
    storages = {'0': VALUES} | {k: np.array([0, 1, 2, 3], t) for k, t in kinds.items()}
    body = state(
        whole=tensor(),
        turned=tensor(offset=1, shape=(2, 2), strides=(1, 3)),
        scalar=tensor(offset=5, shape=(), strides=()),
        parameter=call(
            'torch._utils._rebuild_parameter', tensor(), b'\x88', b'N'
        ),  # fmt: skip
        **{k: tensor(storage(k, k, 4), 0, (4,), (1,)) for k in kinds},
    )
    path = tmp_path / 'net.pth'
    wrap(path, body, storages)
    arrays = weights.read(path, sha256(path))
    expected = {
        'whole': VALUES.reshape(2, 3),
        'turned': np.array([[1, 4], [2, 5]], np.float32) / 7,
        'scalar': VALUES[5],
        'parameter': VALUES.reshape(2, 3),
        **{k: storages[k] for k in kinds},
    }
    assert arrays.keys() == expected.keys()
    for name, array in arrays.items():
        assert array.dtype == expected[name].dtype
        np.testing.assert_array_equal(array, expected[name], name, strict=False)
        assert array.shape == expected[name].shape and not array.flags.writeable


def nested_reduce():
    """eval, reached through getattr of a module that a call gives."""
    module = call('builtins.__import__', text('builtins'))
    evaluate = global_('builtins.getattr') + tuple_(module, text('eval')) + b'R'
    return evaluate + tuple_(text('1/0')) + b'R'


SYSTEM = global_('posix.system')
HOSTILE = {
    'os.system': (SYSTEM + tuple_(text('true')) + b'R', 'posix.system'),
    'its value as a tensor': (state(a=SYSTEM + ints(1) + b'R'), 'posix.system'),
    'nested': (nested_reduce(), 'builtins.getattr'),
    'by stack': (text('posix') + text('system') + b'\x93', 'posix.system'),
    'instance': (b'(' + text('true') + b'iposix\nsystem\n', 'posix.system'),
    'object': (SYSTEM + b')\x81', 'posix.system'),
    'a dotted path': (b'\x8c\x05torch\x8c\x0ahub.sha256\x93', 'torch.hub.sha256'),
    'torch itself': (global_('torch.load'), 'torch.load'),
    'cut': (b'(', 'MARK'),
}


@both
@pytest.mark.parametrize('case', HOSTILE)
def test_a_hostile_pickle_is_refused_in_one_line(tmp_path, wrap, case):
    body, word = HOSTILE[case]
    path = tmp_path / 'net.pth'
    wrap(path, body, {'0': VALUES})
    with pytest.raises(UserError, match=f'net.pth is not a file of weights.*{word}'):
        weights.read(path, sha256(path))


def test_a_file_of_another_hash_is_not_read(tmp_path):
    """Cut or damaged as much as hostile."""
    path = tmp_path / 'net.pth'
    save(path, {'a': VALUES})
    right = sha256(path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UserError, match=f'{sha256(path)}, not {right}: get the file'):
        weights.read(path, right)
    for absent in (tmp_path / 'absent.pth', tmp_path):
        with pytest.raises(UserError, match='cannot read'):
            weights.read(absent, right)


@pytest.mark.oracle
@pytest.mark.parametrize('zipped', [False, True])
@pytest.mark.parametrize('protocol', [2, 4])
def test_arrays_are_those_of_torch_bit_for_bit(tmp_path, zipped, protocol):
    torch = pytest.importorskip('torch', reason='torch is not installed (extra bench)')
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    saved = net.state_dict()
    saved['turned'] = torch.randn(4, 5).t()[1:]
    saved['parameter'] = torch.nn.Parameter(torch.randn(3).half())
    saved['doubles'] = torch.tensor([[0, 1, 2]]).double()
    saved['tied'] = saved['0.weight']
    path = tmp_path / 'net.pth'
    torch.save(
        saved,
        path,
        pickle_protocol=protocol,
        _use_new_zipfile_serialization=zipped,
    )
    arrays = weights.read(path, sha256(path))
    expected = torch.load(path, weights_only=False)
    assert list(arrays) == list(expected)
    for name, array in arrays.items():
        like = expected[name].detach().contiguous()
        assert str(array.dtype) == str(like.dtype).removeprefix('torch.')
        assert array.shape == like.shape
        raw = like.reshape(-1).view(torch.uint8).numpy().tobytes()
        assert array.tobytes() == raw
