"""Whose the pictures are, what their licence asks, and who is told."""

import time
import zipfile

import pytest

from gan_vae.data import licences
from gan_vae.data.settings import Settings

RIGHTS = 'Copyright (c) 2020, X. All rights reserved.'
BSD = """
Redistribution and use in source and binary forms, with or without
modification, are permitted provided that the following conditions are met:"""


@pytest.mark.parametrize(
    'files, licence, asked',
    [
        (
            {'README.md': '---\nlicense: cc-by-nc-4.0\n---\n# Set'},
            'cc-by-nc-4.0',
            'com',
        ),
        (
            {'LICENSE': '\nAttribution-NonCommercial-NoDerivatives 4.0\n'},
            None,
            'changed',
        ),
        ({'licence.txt': 'CC BY-SA 4.0'}, 'CC BY-SA 4.0', 'same licence'),
        ({'LICENSE.md': '# All rights reserved.'}, None, 'nothing without leave'),
        ({'LICENSE': 'CC0 1.0 Universal'}, 'CC0 1.0 Universal', ''),
        ({'LICENSE': f'{RIGHTS}\n{BSD}'}, 'Copyright (c) 2020, X.', ''),
        ({'LICENSE': f'{RIGHTS}\nDo not copy.'}, RIGHTS, 'nothing without leave'),
        ({'LICENSE': 'For Non Commercial Use'}, None, 'forbids commercial use'),
        ({'LICENSE': 'Share alike, no derivatives'}, None, 'versions, wants'),
        (
            {'README.md': '---\nlicense: other\nlicense_name: cc-by-nc-4.0\n---\n'},
            'cc-by-nc-4.0',
            'commercial',
        ),
        ({'README.md': '---\ntags: [a---b]\nlicense: mit # x\n---\n'}, 'mit', ''),
        ({'README.md': '---\nlicense:\n- mit\n- bsd\n---\n'}, 'mit', ''),
        ({'README.md': '---\nlicense:\ntags: a\n---\n', 'LICENSE': 'MIT'}, 'MIT', ''),
        ({'README.md': '# Pictures\nlicense: mit'}, '', ''),  # no head of a hub
        ({'deep/LICENSE': 'CC BY-NC 4.0'}, '', ''),  # of a part, not of the set
        ({}, '', ''),
    ],
)
def test_a_folder_and_an_archive_say_their_licence(tmp_path, files, licence, asked):
    folder = tmp_path / 'set'
    folder.mkdir()
    with zipfile.ZipFile(tmp_path / 'set.zip', 'w') as archive:
        archive.writestr('a.png', b'')
        archive.writestr('b/b.png', b'')
        for name, text in files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text)
            archive.writestr(name, text)
    found = licences.of(Settings(name=f'folder:{folder}'))
    assert licences.of(Settings(name=f'zip:{folder}.zip')) == found
    assert licence is None or found == licence
    told = licences.warning(found)
    assert asked in told and bool(asked) == bool(told)


@pytest.mark.parametrize('damage', [0, 1])
def test_a_licence_that_cannot_be_read_is_none(tmp_path, damage):
    file = tmp_path / 'set.zip'
    with zipfile.ZipFile(file, 'w') as archive:
        archive.writestr('LICENSE', 'CC BY 4.0')
    raw = file.read_bytes()
    encrypted = raw.replace(b'PK\1\2\x14\x03\x14\0\0', b'PK\1\2\x14\x03\x14\0\1')
    changed = [raw.replace(b'CC BY', b'CC NC'), encrypted][damage]
    assert changed != raw
    file.write_bytes(changed)
    assert licences.of(Settings(name=f'zip:{file}')) == ''


@pytest.mark.parametrize('head', ['license: a@b', 'license:@', 'license:@b', '---@b'])
def test_a_licence_is_read_at_once(head):
    for filler in (' ', '\n'):
        text = f'---\n{head.replace("@", filler * 65_000)}\n---\n'.encode()
        start = time.process_time()
        licences.among(['README.md'], lambda name, most, text=text: text[:most])
        assert time.process_time() - start < 1


def test_sets_of_the_package():
    for name, licence in {
        'emoji': 'Apache-2.0 (Google, Noto Emoji)',
        'emoji_set:noto>twemoji': 'Apache-2.0 (Google, Noto Emoji), '
        'CC BY 4.0 (Twitter, Inc. and others, Twemoji)',
        'art:sprouts+critters': 'CC0 1.0',
        'toy_shapes': '',
    }.items():
        assert licences.of(Settings(name=name)) == licence
        assert not licences.warning(licence)
