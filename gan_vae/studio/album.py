"""The album: a folder with what a person gave and made, and what of it they kept.

  ALBUM/given-HASH.png    a picture that was given, its bytes as they came
  ALBUM/TOOL-N/           what a tool made, ALBUM/TOOL-N.json how, see art/making.py
  ALBUM/kept.json         which pictures were kept, by their paths in the album

A page knows files by ids, hashes of those paths. An id that is not in the index of what
lies there is no file: nothing that a page says is ever made a path.
"""

import hashlib
import json
import math
import os
import shlex
import shutil
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath
from typing import Any, NamedTuple

from gan_vae import files
from gan_vae.art import provenance
from gan_vae.errors import UserError
from gan_vae.studio import picture_files

GIVEN, MASK, KEPT, COUNT = 'given-', 'given-mask-', 'kept.json', '.album'
LEFT = 60.0  # seconds, after which a folder without a record is what a kill left
TOLD = ('class', 'prompt', 'psnr', 'strength')  # of the provenance of a picture
SERVED = (*picture_files.TYPES, '.json', '.npz')  # of which there are ids


class _Known(NamedTuple):
    """A record, or a given picture, that was read."""

    written: int  # when, ns
    about: dict
    paths: dict[str, Path]
    bytes: int


class Album:
    """A folder of results. quota: bytes of all, beyond which nothing more is made.

    Records name what lies in it by paths from it: tools run with it as the working
    directory, so that it can be moved as a whole. A result is written once; `revision`
    grows whenever what there is has changed.
    """

    def __init__(self, folder: Path, quota: int):
        self.folder, self.quota = Path(os.path.abspath(folder)), quota
        self.named = folder  # as a person named it, from where the studio was started
        self.revision = 0
        self._lock = threading.RLock()
        self._paths: dict[str, Path] = {}  # of ids
        self._results: dict[str, dict] = {}  # of ids, of folders or given pictures
        self._memory: dict[Path, _Known] = {}  # of records and given pictures
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._last = self._counted()
        except OSError as error:
            raise UserError(f'cannot write in {folder}: {error.strerror}') from error
        self.scan()

    def id_of(self, path: Path) -> str:
        """Of a file or folder of the album."""
        name = path.relative_to(self.folder).as_posix()
        return hashlib.sha256(name.encode('utf-8', 'surrogateescape')).hexdigest()[:20]

    def path(self, name: str) -> Path:
        """Of an id; a UserError where there is none."""
        with self._lock:
            if name not in self._paths:
                raise UserError('no such file in the album')
            return self._paths[name]

    def word(self, name: str) -> str:
        """Of an id, as tools are given it: the path from the album."""
        return self.path(name).relative_to(self.folder).as_posix()

    def scan(self):
        """Reads what lies in the folder and was not read before."""
        with self._lock:
            memory: dict[Path, _Known] = {}
            for entry in [*os.scandir(self.folder)]:
                file = Path(entry.path)
                if given := _is_given(file.name):
                    about = self._given
                elif '-' in file.stem and file.suffix == '.json':
                    about = self._result
                else:
                    continue
                try:
                    if entry.is_symlink() or not entry.is_file():
                        continue
                    written = entry.stat().st_mtime_ns
                    known = self._memory.get(file)
                    if known is None or known.written != written:
                        known = _Known(written, about(file), *self._files(file, given))
                except OSError:  # removed meanwhile
                    continue
                except (ValueError, LookupError, TypeError, AttributeError):
                    continue  # not what a tool writes
                except RecursionError:
                    continue
                memory[file] = known
            changed = memory != self._memory
            self._memory = memory
            self._paths = {k: v for m in memory.values() for k, v in m.paths.items()}
            self._results = {m.about['id']: m.about for m in memory.values()}
            self.revision += changed

    def _files(self, file: Path, given: bool) -> tuple[dict[str, Path], int]:
        """({id: path} of what belongs to a record or is given, bytes of it)."""
        found = [file]
        if not given:
            folder = file.with_suffix('')
            inside = folder.iterdir() if folder.is_dir() else ()
            beside = (folder.with_name(folder.name + s) for s in provenance.SUFFIXES)
            found = [*inside, *(p for p in beside if p.exists())]
        found = [p for p in found if p.is_file() and not p.is_symlink()]
        paths = {self.id_of(p): p for p in found if p.suffix in SERVED}
        if not given:
            paths[self.id_of(file.with_suffix(''))] = file.with_suffix('')
        return paths, sum(p.stat().st_size for p in found)

    def _result(self, record: Path) -> dict:
        """JSON of what a tool made, by its record. Errors of many kinds for what is not
        whole."""
        folder = record.with_suffix('')
        about = json.loads(record.read_text('utf-8'))
        made, each = about['made'], about['pictures']
        pictures = []
        for number, file in enumerate(sorted(folder.glob('*.png'))):
            if file.is_symlink():
                continue
            of = each[number] if number < len(each) else {}
            told = {k: of[k] for k in TOLD if k in of}
            told['latent'] = 'latent' in of or 'styles' in of
            pictures.append(self._picture(file) | told)
        every = [*made['things'], *_parts(made['files'].values())]
        result = {
            'id': self.id_of(folder),
            'tool': str(made['tool']),
            'when': record.stat().st_mtime,
            'pictures': pictures,
            'model': (made['run'] or {}).get('workdir', ''),
            'inputs': [self._input(one) for one in made['things']],
            'uses': [one['id'] for one in map(self._input, every) if 'id' in one],
            'flags': made['flags'],
            'words': _words(made),
            'found': _short(about.get('found', {})),
        }
        for kind, suffix in (('sheet', '.png'), ('film', '.gif'), ('film', '.mp4')):
            if (file := folder.with_name(folder.name + suffix)).is_file():
                result[kind] = {
                    'id': self.id_of(file),
                    'type': picture_files.TYPES[suffix],
                }
        if (index := folder / 'index.npz').is_file():
            result['index'] = self.id_of(index)
        return _finite(result)

    def _given(self, file: Path) -> dict:
        pictures = (
            [self._picture(file)] if file.suffix in picture_files.PICTURES else []
        )
        tool = 'mask' if file.name.startswith(MASK) else 'given'
        about = {'id': self.id_of(file), 'tool': tool, 'pictures': pictures}
        about |= {'when': file.stat().st_mtime, 'model': '', 'inputs': [], 'uses': []}
        return about | {'flags': {}, 'words': [], 'found': {}}

    def _picture(self, file: Path) -> dict:
        width, height = picture_files.size(file)
        name = file.name.encode('utf-8', 'replace').decode()
        about = {'id': self.id_of(file), 'name': name}
        return about | {'width': width, 'height': height}

    def _input(self, record: dict) -> dict:
        """What a result was made of: the id, if it lies here, and its word."""
        word = str(record['word'])
        place = Path(os.path.normpath(self.folder / word))
        if record.get('sha256') and self.folder in place.parents and place.is_file():
            return {'id': self.id_of(place)}
        return {'word': PurePath(word).name if record.get('sha256') else word}

    def listed(self) -> dict:
        """JSON of all, the newest first."""
        with self._lock:
            results = [r for r in self._results.values() if r['pictures'] or r['words']]
            needed = self._needed()
            results = [r | {'needed': self._is_needed(r, needed)} for r in results]
            results = sorted(results, key=lambda r: -r['when'])
            return {'results': results, 'kept': self.kept(), 'bytes': self._bytes()}

    def _bytes(self) -> int:
        return sum(known.bytes for known in self._memory.values())

    def result_of(self, folder: Path) -> str:
        """The id of what was just made there."""
        self.scan()
        return self.id_of(Path(os.path.abspath(folder)))

    def next(self, tool: str) -> Path:
        """A folder for a result of a tool, whose number was never used. A UserError
        where the album is full."""
        self.room()
        with self._lock:
            self._last += 1
            files.write(self.folder / COUNT, f'{self._last}')
            return self.folder / f'{tool}-{self._last}'

    def _counted(self) -> int:
        """The highest number of a result so far."""
        try:
            last = int((self.folder / COUNT).read_text('utf-8'))
        except (FileNotFoundError, ValueError):
            last = 0
        numbers = (p.stem.rpartition('-')[2] for p in self.folder.iterdir())
        last = max([last, *(int(n) for n in numbers if n.isdecimal() and len(n) < 10)])
        files.write(self.folder / COUNT, f'{last}')
        return last

    def room(self, more: int = 0):
        """A UserError where so many more bytes are too many."""
        with self._lock:
            held = self._bytes()
        if held + more > self.quota:
            raise UserError(
                f'the album holds {held / 1e6:.0f} MB, and may hold '
                f'{self.quota / 1e6:.0f}: remove what is not kept, or start the studio '
                'with a larger --quota'
            )

    def index_of(self, place: str) -> str | None:
        """The index of a set that was made before, as tools are given it."""
        with self._lock:
            for result in self._results.values():
                words = [one.get('word') for one in result['inputs']]
                if 'index' in result and words == [place]:
                    return self.word(result['index'])
        return None

    def give(self, raw: bytes, mask: bool = False) -> str:
        """Keeps a picture that was given, or painted as a mask; its id. A UserError for
        what is none."""
        self.room(len(raw))
        suffix = picture_files.suffix_of(raw)
        return self._store(raw, suffix, MASK if mask else GIVEN)

    def give_text(self, text: str) -> str:
        """Keeps a JSON text, by its hash; its id."""
        raw = text.encode()
        self.room(len(raw))
        return self._store(raw, '.json', GIVEN)

    def _store(self, raw: bytes, suffix: str, prefix: str) -> str:
        digest = hashlib.sha256(raw).hexdigest()[:16]
        file = self.folder / f'{prefix}{digest}{suffix}'
        with self._lock:
            if not file.is_file():
                files.write(file, raw)
            self.scan()
        return self.id_of(file)

    def kept(self) -> list[str]:
        """Ids of the pictures that were kept, the newest first."""
        with self._lock:
            return [n for n in map(self._id, self._kept()) if n in self._paths]

    def _id(self, name: str) -> str:
        return self.id_of(self.folder / name)

    def _kept(self) -> list[str]:
        """Their paths."""
        try:
            names = json.loads((self.folder / KEPT).read_text('utf-8'))
        except (OSError, ValueError, RecursionError):
            return []
        names = names if isinstance(names, list) else []
        return [n for n in names if isinstance(n, str) and not Path(n).is_absolute()]

    def keep(self, name: str, keeps: bool):
        """Keeps a picture, or does so no more."""
        with self._lock:
            path = self.word(name)
            names = [other for other in self._kept() if other != path]
            text = json.dumps([path, *names] if keeps else names, indent=0)
            files.write(self.folder / KEPT, text)
            self.revision += 1

    def remove(self, name: str):
        """Removes a result, or a given picture, of which nothing is kept and of which
        nothing that is kept came."""
        with self._lock:
            if name not in self._results:
                raise UserError('no such result in the album')
            if self._is_needed(self._results[name], self._needed()):
                raise UserError('this is kept, or something that is kept came of it')
            self._delete(self.path(name))
            self.scan()

    def clear(self) -> int:
        """Removes all results that `remove` would; how many. Also what a kill left."""
        with self._lock:
            needed = self._needed()
            every = [*self._results.items()]
            gone = [name for name, r in every if not self._is_needed(r, needed)]
            for name in gone:
                self._delete(self.path(name))
            known = {path for m in self._memory.values() for path in m.paths.values()}
            for file in [*self.folder.iterdir()]:
                left = file.suffix == '.part' or (file.is_dir() and '-' in file.name)
                old = time.time() - file.lstat().st_mtime > LEFT
                if left and old and file not in known and not file.is_symlink():
                    self._delete(file)
            self.scan()
        return len(gone)

    @staticmethod
    def _is_needed(result: dict, needed: set[str]) -> bool:
        own = (result['id'], *(p['id'] for p in result['pictures']))
        return any(name in needed for name in own)

    def _needed(self) -> set[str]:
        """Ids of what is kept, and of all that it came of."""
        of = {
            name: known.about for known in self._memory.values() for name in known.paths
        }
        needed, asked = set[str](), [*self.kept()]
        while asked:
            if (name := asked.pop()) not in needed:
                needed.add(name)
                if name in of:
                    needed.add(of[name]['id'])
                    asked += of[name]['uses']
        return needed

    def _delete(self, path: Path):
        if _is_given(path.name) or path.suffix == '.part':
            path.unlink(missing_ok=True)
            return
        for suffix in provenance.SUFFIXES:
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        shutil.rmtree(path, ignore_errors=True)


def _is_given(name: str) -> bool:
    """Whether a file is one that a page gave: a picture, or choices."""
    return name.startswith(GIVEN) and Path(name).suffix in (
        *picture_files.PICTURES,
        '.json',
    )


def _parts(records: Iterable[dict]) -> Iterator[dict]:
    """Of flags with several files each file."""
    for record in records:
        for word in str(record['word']).split(','):
            yield record | {'word': word}


def _finite(value: Any) -> Any:
    """JSON without numbers that JSON has not."""
    if isinstance(value, dict):
        return {str(k): _finite(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_finite(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _short(found: Any) -> Any:
    """Figures of a result that a page shows; long lists are left out."""
    if not isinstance(found, dict):
        return {}
    return {k: v for k, v in found.items() if len(json.dumps(v)) < 20_000}


def _words(made: dict) -> list[str]:
    """The command that makes a result again, without its model, of its record."""
    words = ['gan_vae', 'art', str(made['tool']), *(t['word'] for t in made['things'])]
    for name, value in made['flags'].items():
        words.append(f'--{name}' if value is True else f'--{name}={value}')
    return words


def command(result: dict, folder: Path, workdir: str) -> str:
    """The command line that makes a result of an album again. workdir: of its model."""
    if not result['words']:
        return ''
    words = [*result['words'], *([f'--workdir={workdir}'] if workdir else [])]
    line = ' '.join(shlex.quote(word) for word in words)
    return f'cd {shlex.quote(str(folder))} && {line}' if result['uses'] else line
