"""What hangs in a gallery: pictures, and what their files say of how they were made."""

import hashlib
from argparse import Namespace
from pathlib import Path, PureWindowsPath
from typing import Any, NamedTuple

from PIL import Image

from gan_vae import files
from gan_vae.art import making, provenance, sheets, tools
from gan_vae.data import listing
from gan_vae.data.pictures import Unusable, open_picture, upright
from gan_vae.errors import UserError, counted

MOST = 200  # works in all
SIDE = 1024  # pixels of the longer side that hang, at most
SUFFIXES = '.png', '.jpg', '.jpeg', '.webp'  # of what hangs of a folder
TOLD = ('prompt', 'class')  # of the provenance of a picture


class Work(NamedTuple):
    """One picture on a wall."""

    title: str
    lines: tuple[str, ...]  # how it was made, a fact each
    picture: Image.Image
    key: str  # SHA-256 of its file, '' of what is in none
    parents: tuple[str, ...] = ()  # keys of the pictures that it was made of


def of(words: list[str], num: int, seed: int) -> tuple[list[Work], list[str]]:
    """(the works that the words name, in their order; lines about what is left out).

    num, seed: of the samples of a run. A UserError where there is none, or too many.
    """
    shown, notes = list[Work](), list[str]()
    for word in words:
        path = files.expand(word)
        if word.startswith('pretrained:') or (path / 'config.json').is_file():
            _check(len(shown) + num)
            shown += _samples(word, num, seed)
        elif path.is_dir():
            every = listing.of(path).files
            inside = [file for file in every if file.suffix.lower() in SUFFIXES]
            if not inside:
                raise UserError(f'{word} has no pictures ({", ".join(SUFFIXES)})')
            _check(len(shown) + len(inside))
            shown += _files(inside, notes, sheets_too=False)
        elif path.is_file():
            shown += _files([path], notes, sheets_too=True)
        else:
            raise UserError(f'no picture, folder or run {word}')
    shown = _once(shown, notes)
    if not shown:
        raise UserError('no work to show: ' + '; '.join(notes))
    _check(len(shown))
    return shown, notes


def _check(count: int):
    if count > MOST:
        raise UserError(
            f'{count} works are too many for one page: at most {MOST}; name fewer'
        )


def _once(works: list[Work], notes: list[str]) -> list[Work]:
    """Each picture once: the first, or that of a file, which has a history."""
    found: dict[tuple, Work] = {}
    for work in works:
        pixels = work.picture.size, work.picture.tobytes()
        if (first := found.get(pixels)) is None or (work.key and not first.key):
            found[pixels] = work
    if twice := len(works) - len(found):
        notes.append(f'{counted(twice, "picture")} equal to another one, and left out')
    return list(found.values())


def _files(paths: list[Path], notes: list[str], sheets_too: bool) -> list[Work]:
    """Of a folder, the sheets that tools put beside their pictures are left out."""
    found = []
    for path in paths:
        try:
            raw = path.read_bytes()
            picture = upright(open_picture(path))
            if max(picture.size) > SIDE:
                picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
            picture = picture.convert('RGBA')
        except Unusable as error:
            notes.append(f'{path} is left out: {error}')
            continue
        except OSError as error:
            raise UserError(f'cannot read {path}: {error.strerror}') from error
        about = provenance.embedded(path)
        if about.get('file') == 'sheet' and not sheets_too:
            continue
        lines, parents = _told(about)
        key = hashlib.sha256(raw).hexdigest()
        title = str(about.get('prompt') or path.stem)
        if title.isdigit() and isinstance(kind := about.get('class'), str):
            title = f'{kind} {int(title)}'
        found.append(Work(title, lines, picture, key, parents))
    return found


def _told(about: dict[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Of a record: (lines for a person, hashes of the pictures that it came of)."""
    lines = []
    run = about.get('run')
    if isinstance(run, dict) and isinstance(run.get('workdir'), str):
        name = PureWindowsPath(run['workdir']).name
        lines.append(f'model {name.removeprefix("pretrained:")}')
    if isinstance(tool := about.get('tool'), str):
        lines.append(f'made by {tool}')
    flags = about.get('flags')
    for name, value in {**(flags if isinstance(flags, dict) else {}), **about}.items():
        if name in TOLD and isinstance(value, str) and value:
            lines.append(f'{name}: {value}')
    things = about.get('things')
    given = things if isinstance(things, list) else []
    parents = [t.get('sha256') for t in given if isinstance(t, dict)]
    return tuple(dict.fromkeys(lines)), tuple(p for p in parents if isinstance(p, str))


def _samples(word: str, num: int, seed: int) -> list[Work]:
    """Samples of a run."""
    tool = tools.find('sample')
    values = {name: flag.default for name, flag in making.flags_of(tool).items()}
    flags = Namespace(**values | {'workdir': word, 'num': num, 'seed': seed})
    model = making.open_model('sample', tool, flags)
    result = tool.make(making.request('sample', model, [], flags))
    if not result.pictures:
        raise UserError(f'{word} draws no pictures: a gallery shows nothing else')
    found = []
    name = word.removeprefix('pretrained:').rstrip('/').rpartition('/')[2]
    for number, (image, _, about) in enumerate(result.pictures):
        lines = f'model {name}', f'made by sample, --seed={seed}, number {number}'
        more = [f'{key}: {about[key]}' for key in TOLD if about.get(key)]
        title = str(about.get('prompt') or f'{about.get("class", name)} {number}')
        shown = sheets.pil(image).convert('RGBA')
        found.append(Work(title, (*lines, *more), shown, ''))
    return found
