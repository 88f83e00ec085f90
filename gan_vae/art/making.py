"""From the words of a command to files that say where they are from, and back again.

What is made is a function of a run (its hash), of what was given (hashes) and of flags.
All three travel in each file and in OUT.json, so that `reproduce` can make a file again
and compare the two, bit for bit.
"""

import hashlib
import json
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from gan_vae import data, files, images, media
from gan_vae.art import sample
from gan_vae.art.tools import Asked, Made, Run, Thing, Tool, find, flags_of
from gan_vae.errors import UserError
from gan_vae.interrupt import Watch
from gan_vae.runs import folder as run_folder
from gan_vae.runs import packed

SHOWN = 1024  # pictures on a sheet, at most
FILM = 256  # pixels of a side of a film, at least: small ones are enlarged
PLACES = ('workdir', 'out', 'force')  # flags that say where, and not what


class Again(NamedTuple):
    """A file that was made again."""

    file: Path
    same: bool  # bit for bit
    changed: str  # versions that are not what they were, in words


def make(name: str, words: list[str], flags: Namespace) -> tuple[Path, Made]:
    """Makes and writes what a command asks for: the folder, and what is in it."""
    tool = find(name)
    _folder(name, flags)  # before the work, what is taken already
    run = opened(name, tool, flags)
    asked = Asked(name, run, [thing(word) for word in words], flags, iter)
    about = _about(tool, asked)
    made, stopped = _made(tool, asked)
    if stopped is not None:
        about['stopped'] = stopped
        said = f'stopped by Ctrl-C after {stopped} steps: the best so far'
        made = made._replace(said=[*made.said, said])
    writing = Watch('all files are being written')
    with writing, _alone(_folder(name, flags)):
        out = _folder(name, flags)  # the place may have been taken meanwhile
        _write(out, made, about, run)
    return out, made


def reproduce(file, workdir: str = '', out: str = '', force: bool = False) -> Again:
    """Makes a file of ours again, in another folder.

    workdir: where the run lies now, if not where it lay then. A UserError where the
    run, or what was given, is not what it was.
    """
    about = provenance(file)
    tool, recorded = find(about['tool']), about['flags']
    flags = {name: flag.default for name, flag in flags_of(tool).items()} | recorded
    lay = about['run'] and about['run']['workdir']
    flags |= {'workdir': workdir or lay or '', 'out': out, 'force': force}
    flags = Namespace(**flags)
    _folder('reproduce', flags)
    run = opened(about['tool'], tool, flags)
    was, now = (r and r['state_sha256'][:12] for r in (about['run'], run and run.about))
    if was != now:
        raise UserError(
            f'{file} was made by the model {was}, and {flags.workdir} has {now}: '
            'say by --workdir where the run is'
        )
    things = [thing(then['word']) for then in about['things']]
    asked = Asked(about['tool'], run, things, flags, iter)
    for then, found in zip(about['things'], things, strict=True):
        _same(then, found)
    for flag, then in about['files'].items():
        _same(then, _given(getattr(flags, flag)))
    made, _ = _made(tool, asked, about.get('stopped'))
    folder = _folder('reproduce', flags)
    _write(folder, made, {k: v for k, v in about.items() if k in _KEPT}, run)
    new = _place(folder, about['file'], Path(file).suffix)
    versions = run_folder.versions()
    changed = [
        f'{name} {about["versions"].get(name)} -> {version}'
        for name, version in versions.items()
        if about['versions'].get(name) != version
    ]
    same = new.is_file() and new.read_bytes() == Path(file).read_bytes()
    return Again(new, same, ', '.join(changed))


# of what was made first: what is made again says the same of itself
_KEPT = ('tool', 'run', 'things', 'files', 'ancestors', 'flags', 'versions', 'stopped')


def provenance(file) -> dict:
    """What a file of ours says of itself; a UserError for any other.

    In a PNG, a GIF and an MP4; of other files in the OUT.json beside their folder.
    """
    file = Path(file)
    if not file.is_file():
        raise UserError(f'no file {file}')
    about = embedded(file)
    if not about:
        beside = file.resolve().with_suffix('.json')
        try:
            if not beside.is_file():
                beside = beside.parent.with_name(f'{beside.parent.name}.json')
            found = json.loads(beside.read_text())['made']
            about = found | {'file': _name(file.resolve(), beside)}
        except (OSError, ValueError, KeyError, TypeError):
            about = {}
    right = isinstance(about, dict) and isinstance(about.get('flags'), dict)
    if not right or not all(key in about for key in _KEPT[:-1]):
        raise UserError(
            f'{file} does not say how it was made by python -m gan_vae.art: made by '
            'something else, or its text was lost on the way'
        )
    return about


def embedded(file) -> dict:
    """The provenance within a picture or a film, {} where there is none."""
    from PIL import Image

    try:
        if Path(file).suffix == '.mp4':
            text = images.comment_of_mp4(file) or '{}'
        else:
            with Image.open(file, formats=('PNG', 'GIF')) as picture:
                text = picture.info.get('gan_vae', picture.info.get('comment', '{}'))
        found = json.loads(text)
        return found if isinstance(found, dict) else {}
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return {}


def thing(word: str) -> Thing:
    """What a word of the command stands for."""
    path = Path(word).expanduser()
    try:
        if path.is_file():
            raw = hashlib.sha256(path.read_bytes()).hexdigest()
            return Thing(word, raw, embedded(path))
        if path.is_dir():
            digest = hashlib.sha256()
            for file in sorted(p for p in path.rglob('*') if p.is_file()):
                digest.update(f'{file.relative_to(path)} '.encode())
                digest.update(hashlib.sha256(file.read_bytes()).digest())
            return Thing(word, digest.hexdigest())
    except OSError as error:
        raise UserError(f'cannot read {word}: {error.strerror}') from error
    return Thing(word)


def _given(words: str) -> Thing:
    """A flag's file or folder, or several with commas between them, as one."""
    whole = thing(words)
    each = [thing(word).sha256 for word in words.split(',')]
    if whole.sha256 or not any(each):
        return whole
    return Thing(words, hashlib.sha256(' '.join(each).encode()).hexdigest())


def _same(then: dict, now: Thing):
    if then['sha256'] != now.sha256:
        state = 'not what it was' if now.sha256 else 'not there'
        raise UserError(f'{then["word"]}, which was given, is {state}')


def opened(name: str, tool: Tool, flags: Namespace) -> Run | None:
    """The run that a tool works on, of --workdir and --step; None where it may be."""
    workdir = getattr(flags, 'workdir', '')
    if not workdir:
        if tool.run:
            raise UserError(f'{name} needs --workdir=RUN, the folder of a run')
        return None
    folder = packed.find(workdir)
    config = run_folder.read_config(folder)
    kind = data.kind_of(config.data.name)
    if kind not in tool.kinds:
        raise UserError(
            f'{name} is for runs of {" and ".join(tool.kinds)}, and {workdir} is of '
            f'{kind}'
        )
    method, state, about = sample.load(workdir, flags.step)
    about = about | {'workdir': str(workdir)}
    classes = run_folder.read_classes(folder)
    return Run(method, state, about, kind, config, classes)


def _about(tool: Tool, asked: Asked) -> dict:
    table, flags = flags_of(tool), vars(asked.flags)
    changed = {
        name: flags[name]
        for name, flag in table.items()
        if name not in PLACES and flags[name] != flag.default
    }
    if asked.run and not packed.is_packed(packed.find(flags['workdir'])):
        changed['step'] = asked.run.about['step']
    given = {n: _given(flags[n]) for n, f in table.items() if f.file and flags[n]}
    return {
        'tool': asked.tool,
        'run': asked.run and asked.run.about,
        'things': [_told(t) for t in asked.things],
        'files': {name: _told(found) for name, found in given.items()},
        'ancestors': _ancestors(asked.things),
        'flags': changed,
        'versions': run_folder.versions(),
    }


def _told(given: Thing) -> dict:
    return {'word': given.word, 'sha256': given.sha256}


def _ancestors(things: list[Thing]) -> dict:
    """{hash of a picture: its provenance} of those that are given, and of those that
    they came from, each once."""
    found = {}
    for given in things:
        if given.about:
            before = given.about.get('ancestors')
            found |= before if isinstance(before, dict) else {}
            own = {k: v for k, v in given.about.items() if k != 'ancestors'}
            found[given.sha256] = own
    return found


def _made(tool: Tool, asked: Asked, last: int | None = None) -> tuple[Made, int | None]:
    """What the tool makes, and after how many steps Ctrl-C ended it, if it did.

    `last`: to end it after so many again.
    """
    taken, stopped = 0, None

    with Watch('ends with the best so far') as watch:

        def steps(of: Any, what: str) -> Iterator:
            nonlocal taken, stopped
            bar = tqdm(of, what, leave=False, dynamic_ncols=True, disable=None)
            for item in bar:
                if stopped is not None:
                    return
                yield item
                taken += 1
                if watch.asked or taken == last:
                    stopped = taken

        made = tool.make(asked._replace(steps=steps))
    return made, stopped


def _folder(name: str, flags: Namespace) -> Path:
    """Where to write; a UserError for a place that is taken, unless --force."""
    if not flags.out:
        numbers = (Path('art') / f'{name}-{n}' for n in range(1, 100_000))
        return next(folder for folder in numbers if not _taken(folder))
    folder = Path(flags.out).expanduser()
    if folder.name in ('', '..'):  # OUT.png and OUT.json stand beside it
        raise UserError(f'--out={flags.out}: give a folder by its name')
    if (taken := _taken(folder)) and not flags.force:
        raise UserError(f'{taken[0]} is there already: another --out, or --force')
    return folder


_BESIDE = ('.png', '.gif', '.mp4', '.json')


@contextmanager
def _alone(folder: Path):
    """Other commands that write beside that folder wait."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = files.lock(folder.parent / '.gan_vae.lock')
    except OSError as error:
        raise UserError(f'cannot write in {folder}: {error.strerror}') from error
    with lock:
        yield


def _taken(folder: Path) -> list[Path]:
    """What there is already of an output."""
    places = [folder.with_name(folder.name + s) for s in _BESIDE]
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        places.insert(0, folder)
    else:
        places = [p for p in places if p.exists()]
    return places


def _place(folder: Path, name: str, suffix: str) -> Path:
    if name in ('sheet', 'film', 'genealogy'):
        return folder.with_name(folder.name + suffix)
    return folder / f'{name}{suffix}'


def _name(file: Path, genealogy: Path) -> str:
    """`file` of the provenance of a file that does not carry it."""
    if file.parent != genealogy.parent:
        return file.stem
    return {'.gif': 'film', '.mp4': 'film', '.json': 'genealogy'}.get(
        file.suffix, 'sheet'
    )


_FILMS = {'gif': images.save_gif, 'mp4': images.save_mp4}


def _write(folder: Path, made: Made, about: dict, run: Run | None):
    sheet = made.sheet
    shown = [p.image for p in made.pictures[:SHOWN]]
    if run and made.sequences:
        medium = media.of(run.kind)
        shown = list(medium.pictures(made.sequences[:SHOWN], made.begun))
    if sheet is None and len(shown) > 1 and len({i.shape for i in shown}) == 1:
        sheet = images.grid(np.stack(shown), made.columns)
    try:
        for number, (picture, name, more) in enumerate(made.pictures):
            name = f'{number:05d}' + (f'-{name}' if name else '')
            told = about | {'file': name} | more
            images.save_png(folder / f'{name}.png', picture, told)
        for number, sequence in enumerate(made.sequences):
            told = about | {'file': f'{number:05d}'}
            file = folder / f'{number:05d}'
            media.of(run.kind).save(file, sequence, told, made.begun)
        for name, content in made.files.items():
            files.write(folder / name, content)
        if sheet is not None:
            told = about | {'file': 'sheet'}
            images.save_png(_place(folder, 'sheet', '.png'), sheet, told)
        if made.frames:
            told = about | {'file': 'film'}
            film = _place(folder, 'film', f'.{made.film}')
            seconds = max(1.0, len(made.frames) / 12)
            _FILMS[made.film](film, made.frames, seconds, told, FILM)
        each = [p.about for p in made.pictures]
        told = {'made': about, 'found': made.found, 'pictures': each}
        text = json.dumps(told, indent=1, sort_keys=True) + '\n'
        files.write(_place(folder, 'genealogy', '.json'), text)
    except OSError as error:
        raise UserError(f'cannot write in {folder}: {error.strerror}') from error
