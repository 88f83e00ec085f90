"""Whose the pictures are, what their licence asks, and who is told."""

import zipfile

import pytest

from gan_vae.data import licences
from gan_vae.data.settings import Settings


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
