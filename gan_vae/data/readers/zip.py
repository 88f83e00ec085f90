"""zip:FILE: the pictures of a ZIP archive, flat or in class folders.

Nothing is unpacked to disk, and members are only names for classes and splits. One
folder that holds everything is left away, as archivers add it. An archive is hostile,
and refused whole, if a name leads out of it or if its members are far larger than it.
"""

import io
import os
import re
import stat
import zipfile
from functools import partial
from pathlib import Path

from PIL import Image

from gan_vae import files
from gan_vae.data import collection, licences, listing
from gan_vae.data.pictures import Unusable, open_picture
from gan_vae.data.settings import Settings
from gan_vae.data.source import Examples
from gan_vae.errors import UserError

KIND, REST, PLACE = 'images', 'FILE', True
LARGEST = 2**28  # bytes of a member
MOST_RATIO, FREE = 100, 2**30  # members may have so many times the archive's bytes


def licence(path: str, settings: Settings) -> str:
    """As members of the archive say; those that cannot be read say nothing."""
    with opened(path) as archive:
        members, _ = _members(archive, path)

        def read(name: str, most: int) -> bytes:
            try:
                return _read(archive, members[name], most)
            except Unusable:
                return b''

        return licences.among(members, read)


def load(path: str, split: str, settings: Settings) -> Examples:
    """The pictures of `split` ('train', 'test', 'train+test', 'all')."""
    with opened(path) as archive:
        members, left_out = _members(archive, path)
        pictures = []
        for name, info in members.items():
            stamp = info.CRC, info.file_size
            ways = partial(_open, archive, info), partial(_read, archive, info)
            pictures.append(collection.File(name, stamp, *ways))
        return collection.examples(
            repr(path), 'zip', pictures, left_out, split, settings
        )


def opened(path: str | Path) -> zipfile.ZipFile:
    """The archive at a path; a UserError for anything else."""
    file = files.expand(path)
    if file.is_dir():
        raise UserError(f'{path} is a folder, and not a file: write folder:{path}')
    if not os.path.isfile(file):
        raise UserError(f'no file {str(path)!r}')
    try:
        return zipfile.ZipFile(file)
    # besides its own: a version that Python does not know, offsets out of the file
    except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise UserError(
            f'{path} is no ZIP archive that can be read: {error}'
        ) from error


def _members(
    archive: zipfile.ZipFile, path: str
) -> tuple[dict[str, zipfile.ZipInfo], list[str]]:
    """({name: ZipInfo} in order, 'name (reason)' of those left out)."""
    infos = [info for info in archive.infolist() if not info.is_dir()]
    size = os.path.getsize(str(archive.filename))
    if sum(info.file_size for info in infos) > MOST_RATIO * size + FREE:
        raise UserError(f'{path}: its members are {MOST_RATIO} times as large: refused')
    members: dict[str, zipfile.ZipInfo] = {}
    left_out = []
    for info in infos:
        name = info.filename.replace('\\', '/')  # as some archivers of Windows write
        parts = name.split('/')
        if '..' in parts or re.match(r'/|[A-Za-z]:', name):
            raise UserError(f'{path}: the name {name!r} leads out of it: refused')
        if any(map(listing.ignored, parts)):
            continue
        if stat.S_ISLNK(info.external_attr >> 16):
            left_out.append(f'{name} (a link)')
        elif name in members:
            left_out.append(f'{name} (there twice)')
        else:
            members[name] = info
    tops = {name.partition('/')[0] if '/' in name else '' for name in members}
    if len(tops) == 1 and '' not in tops:
        members = {name.partition('/')[2]: info for name, info in members.items()}
    return dict(sorted(members.items(), key=lambda item: item[0].split('/'))), left_out


def _open(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Image.Image:
    if info.file_size > LARGEST:  # as declared, and no more is read
        raise Unusable(f'more than {LARGEST >> 20} MiB')
    return open_picture(io.BytesIO(_read(archive, info, LARGEST)))


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo, most: int) -> bytes:
    if info.flag_bits & 1:
        raise Unusable('encrypted')
    try:
        with archive.open(info) as member:
            return member.read(most)
    except Exception as error:  # of several decompressors
        raise Unusable('corrupt, or compressed by an unknown method') from error
