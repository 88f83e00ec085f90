"""zip:FILE: the same set as the folder that was packed, and nothing hostile."""

import io
import struct
import zipfile

import numpy as np
import pytest
from PIL import Image

from configs import default
from gan_vae import data
from gan_vae.data.readers import zip as reader
from gan_vae.errors import UserError


@pytest.fixture(autouse=True)
def private_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv('GAN_VAE_CACHE', str(tmp_path_factory.mktemp('cache')))


def load(name, split='all'):
    settings = default.get_config().data
    settings.update(name=name, image_size=16, categories='')
    return data.examples(settings, split)


def picture(colour) -> bytes:
    file = io.BytesIO()
    Image.new('RGB', (20, 20), colour).save(file, 'PNG')
    return file.getvalue()


def pack(path, members) -> str:
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return f'zip:{path}'


@pytest.mark.parametrize('split', ['all', 'train', 'train+validation', 'test'])
def test_it_is_the_set_of_the_folder_that_was_packed(split, tmp_path):
    members = {f'{"ab"[i % 2]}/{i}.png': picture((i, 0, 0)) for i in range(40)}
    members |= {'Thumbs.db': b'x', 'a/notes.txt': b'x', '__MACOSX/._0.png': b'x'}
    name = pack(tmp_path / 'set.ZIP', {f'set\\{n}': c for n, c in members.items()})
    for file, content in members.items():
        path = tmp_path / 'set' / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    found, wanted = load(name, split), load(f'folder:{tmp_path}/set', split)
    np.testing.assert_array_equal(found.images, wanted.images)
    np.testing.assert_array_equal(found.labels, wanted.labels)
    assert found.fingerprint() == wanted.fingerprint()
    assert found[2:4] == wanted[2:4] and found.class_names == ('a', 'b')
    assert found.note.partition(': ')[2] == wanted.note.partition(': ')[2]


def test_the_flat_one_of_a_tool(tmp_path):
    pack(tmp_path / 'x.zip', {'1.png': picture((1, 1, 1)), '2.png': picture((2, 2, 2))})
    assert data.place(f'{tmp_path}/x.zip') == (f'zip:{tmp_path}/x.zip', 'all')
    assert load(f'zip:{tmp_path}/x.zip').labels is None


@pytest.mark.parametrize(
    'member', ['../a.png', '/a.png', 'C:/a.png', '..\\a.png', 'a/../../b.png']
)
def test_a_name_that_leads_out_is_refused(member, tmp_path):
    with pytest.raises(UserError, match='leads out of it: refused'):
        load(pack(tmp_path / 'x.zip', {'1.png': picture(1), member: b''}))


def test_members_are_no_larger_than_an_archive_can_hold(tmp_path, monkeypatch):
    monkeypatch.setattr(reader, 'LARGEST', 1000)
    bomb = picture((1, 2, 3)) + bytes(100_000)
    name = pack(tmp_path / 'x.zip', {'bomb.png': bomb, 'good.png': picture((1, 2, 3))})
    found = load(name)
    assert found.size == 1 and 'bomb.png (more than' in found.note
    monkeypatch.setattr(reader, 'FREE', 0)
    with pytest.raises(UserError, match='100 times as large: refused'):
        load(name)


def test_a_size_that_is_a_lie_a_link_and_an_encrypted_member_are_named(tmp_path):
    link = zipfile.ZipInfo('link.png')
    link.create_system, link.external_attr = 3, 0o120777 << 16
    members = {'good.png': picture((1, 2, 3)), 'lie.png': picture((1, 2, 3))}
    name = pack(tmp_path / 'x.zip', members | {link: '/etc/passwd', 'key.png': b'abc'})
    raw = bytearray((tmp_path / 'x.zip').read_bytes())
    entry = raw.rindex(b'lie.png') - 46  # in the directory at the end
    raw[entry + 24 : entry + 28] = struct.pack('<I', 50)
    entry = raw.rindex(b'key.png') - 46
    raw[entry + 8] |= 1
    (tmp_path / 'x.zip').write_bytes(raw)
    found = load(name)
    assert found.size == 1
    for text in ('link.png (a link)', 'lie.png (corrupt', 'key.png (encrypted)'):
        assert text in found.note


def test_what_is_no_archive_is_one_line(tmp_path):
    (tmp_path / 'x.zip').write_bytes(b'PK no')
    with pytest.raises(UserError, match='no ZIP archive that can be read'):
        load(f'zip:{tmp_path}/x.zip')
    with pytest.raises(UserError, match='no file'):
        load(f'zip:{tmp_path}/y.zip')
    with pytest.raises(UserError, match='write zip:FILE'):
        load('zip')
    with pytest.raises(UserError, match='no usable pictures'):
        load(pack(tmp_path / 'x.zip', {}))
