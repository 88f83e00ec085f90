"""From the words of a command to files that say where they are from, and back again.

What is made is a function of a model (its hash), of inputs (hashes) and of flags. All
three travel in each file and in OUT.json, so that `reproduce` can make a file again and
compare the two, bit for bit.
"""

import json
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from gan_vae import data, files, images, media
from gan_vae.art import progress, provenance, sheets, tools
from gan_vae.art.tools import (
    Input,
    Model,
    ModelRequest,
    Request,
    Result,
    Tool,
    ToolWithModel,
    ToolWithOptionalModel,
    find,
    flags_of,
)
from gan_vae.devices import process
from gan_vae.errors import UserError, counted
from gan_vae.interrupt import Watch
from gan_vae.runs import folder as run_folder
from gan_vae.runs import opened, packed

ON_SHEET = 1024  # pictures, at most
FILM = 256  # pixels of a side of a film, at least: small ones are enlarged
FILMS = {'gif': images.save_gif, 'mp4': images.save_mp4}
PLACES = ('workdir', 'out', 'force')  # flags that say where, and not what


class Reproduction(NamedTuple):
    """A file that was made again."""

    file: Path
    same: bool  # bit for bit
    changed: str  # versions that are not what they were, in words
    apart: str = ''  # of pictures that are not the same, how far, in words


def make(
    name: str,
    words: list[str],
    flags: Namespace,
    place: Callable[[Model], Path] | None = None,
    watcher: progress.Watcher = progress.at_terminal,
) -> tuple[Path, Result]:
    """Makes and writes what a command says: the folder, and what is in it.

    place: the folder, by the model; by default that of flags.out. watcher: who is told
    how far it is, and may stop it.
    """
    tool = find(name)
    tools.check(flags_of(tool), flags)
    _folder(name, flags)  # before the work, what is taken already
    model = open_model(name, tool, flags)
    if place is not None and model is not None:
        flags.out = str(place(model))
    inputs = [provenance.read_input(word) for word in words]
    of_flags = {
        name: provenance.read_file_flag(getattr(flags, name))
        for name, flag in flags_of(tool).items()
        if flag.file and getattr(flags, name)
    }
    about = _record(name, tool, model, inputs, flags, of_flags)
    asked = request(name, model, inputs, flags, of_flags)
    result, stopped = _run(tool, asked, watcher)
    if stopped is not None:
        about['stopped'] = stopped
        message = f'stopped after {counted(stopped, "step")}: the best so far'
        result = replace(result, messages=[*result.messages, message])
    with Watch('all files are being written'):
        folder = _folder(name, flags)
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            lock = files.lock(folder.parent / '.gan_vae.lock')
        except OSError as error:
            raise UserError(f'cannot write in {folder}: {error.strerror}') from error
        with lock:  # other commands that write beside that folder wait
            out = _folder(name, flags)  # the place may have been taken meanwhile
            _write(out, result, about, model)
    return out, result


def reproduce(
    file,
    workdir: str = '',
    out: str = '',
    inputs: str = '',
    force: bool = False,
    watcher: progress.Watcher = progress.at_terminal,
) -> Reproduction:
    """Makes a file of a tool again, in another folder, and compares the two.

    workdir: where the model lies now; inputs: files or folders, with commas between
    them, where the inputs lie now. By default both are looked for at their recorded
    paths and beside the file. A UserError where the model or an input is not what it
    was.
    """
    about, home = provenance.read(file), Path(file).resolve().parent
    tool, run = find(about['tool']), about['run']
    places = [files.expand(word) for word in inputs.split(',') if word]
    places = [near for p in places for near in (p, p.parent)] + [home, home.parent]
    if run:
        workdir = workdir or provenance.located_model(run['workdir'], places)
    values = tools.defaults(tool) | about['flags']
    flags = Namespace(**values | {'workdir': workdir, 'out': out, 'force': force})
    tools.check(flags_of(tool), flags)
    _folder('reproduce', flags)
    model = open_model(about['tool'], tool, flags) if run or workdir else None
    was = run and run['state_sha256'][:12]
    now = model and model.about['state_sha256'][:12]
    if was != now:
        raise UserError(
            f'{file} was made by the model {was}, and {workdir} has {now}: say by '
            '--workdir where the model is'
        )
    items = [provenance.located(record, places) for record in about['things']]
    of_flags = {
        flag: provenance.located(record, places, provenance.read_file_flag)
        for flag, record in about['files'].items()
    }
    for flag, item in of_flags.items():
        setattr(flags, flag, item.word)
    request_again = request(about['tool'], model, items, flags, of_flags)
    result, _ = _run(tool, request_again, watcher, about.get('stopped'))
    folder = _folder('reproduce', flags)
    record = {key: value for key, value in about.items() if key in provenance.KEPT}
    _write(folder, result, record, model)
    again = provenance.path_of(folder, about['file'], Path(file).suffix)
    changed = [
        f'{name} {about["versions"].get(name)} -> {version}'
        for name, version in run_folder.versions().items()
        if about['versions'].get(name) != version
    ]
    same = again.is_file() and again.read_bytes() == Path(file).read_bytes()
    return Reproduction(
        again, same, ', '.join(changed), '' if same else _apart(again, Path(file))
    )


def _apart(*pair: Path) -> str:
    """How many values of two pictures differ, in words; '' of other files."""
    try:
        one, other = (np.asarray(Image.open(p).convert('RGBA'), int) for p in pair)
    except (OSError, ValueError):
        return ''
    if one.shape != other.shape:
        return 'another size'
    differ = np.abs(one - other)
    return (
        f'{counted(int((differ > 0).sum()), "value")} of {differ.size:,} differ, by '
        f'{differ.max()} of 255 at most; another processor rounds otherwise'
    )


def open_model(name: str, tool: Tool, flags: Namespace) -> Model | None:
    """The model of --workdir and --step; None where a tool may do without."""
    workdir = getattr(flags, 'workdir', '')
    if not workdir and isinstance(tool, ToolWithOptionalModel):
        workdir = tool.default(flags)
    if not workdir:
        if isinstance(tool, ToolWithModel):
            shipped = sorted(p.name for p in packed.SHIPPED.iterdir() if p.is_dir())
            shipped = ', '.join(f'pretrained:{name}' for name in shipped)
            raise UserError(
                f'{name} needs --workdir=RUN, the folder of a run, or a model that '
                f'comes with the package: {shipped}'
            )
        if getattr(flags, 'step', None) is not None:
            raise UserError('--step is of a model: say --workdir=RUN')
        return None
    folder = packed.find(workdir)
    config = run_folder.read_config(folder)
    kind = data.kind_of(config.data.name)
    if kind not in tool.kinds:
        raise UserError(
            f'{name} is for models of {" and ".join(tool.kinds)}, and {workdir} is of '
            f'{kind}'
        )
    method, weights, about = load(workdir, flags.step)
    about = about | {'workdir': provenance.recorded_name(str(workdir))}
    classes = run_folder.read_classes(folder)
    return Model(method, weights, about, kind, config, classes, str(workdir))


def load(workdir, step: int | str | None = None):
    """(method, settled weights, provenance) of a checkpoint of a run.

    `step`: which, or 'best'; by default the newest. A UserError says what is missing.
    """
    process.prepare()
    model = opened.load(workdir, step)
    return model.method, model.method.settle(model.weights), model.about


def request(
    name: str,
    model: Model | None,
    inputs: list[Input],
    flags: Namespace,
    of_flags: dict[str, Input] | None = None,
) -> Request:
    """What a tool is given; a ModelRequest where there is a model."""
    kind = {} if model is None else {'model': model}
    return (Request if model is None else ModelRequest)(
        tool=name,
        inputs=inputs,
        flags=flags,
        files=of_flags or {},
        progress=lambda items, _: iter(items),
        **kind,
    )


def _record(name, tool, model, inputs, flags, of_flags) -> dict:
    """What each file of a result says of it, and OUT.json."""
    values = vars(flags)
    changed = {
        flag: values[flag]
        for flag, about in flags_of(tool).items()
        if flag not in PLACES and values[flag] != about.default
    }
    changed |= {flag: item.name for flag, item in of_flags.items()}
    if model and not packed.is_packed(packed.find(model.workdir)):
        changed['step'] = model.about['step']
    record = {
        'tool': name,
        'run': model and model.about,
        'things': [_hashed(item) for item in inputs],
        'files': {flag: _hashed(item) for flag, item in of_flags.items()},
        'ancestors': provenance.ancestors(inputs),
        'flags': changed,
        'versions': run_folder.versions(),
    }
    source = provenance.digital_source_type(record, record['ancestors'])
    return record | {'digital_source_type': source}


def _hashed(item: Input) -> dict:
    return {'word': item.name, 'sha256': item.sha256}


def _run(
    tool: Tool,
    request: Request,
    watcher: progress.Watcher = progress.at_terminal,
    last: int | None = None,
):
    """(the Result, after how many steps it was stopped, or None).

    `last`: to end it after so many again.
    """
    taken, stopped = 0, None
    with watcher(request.tool) as watched:

        def steps(items: Iterable, what: str) -> Iterator:
            nonlocal taken, stopped
            for item in watched.progress(items, what):
                if stopped is not None:
                    return
                yield item
                taken += 1
                if watched.asked() or taken == last:
                    stopped = taken

        result = tool.make(replace(request, progress=steps))
    return result, stopped


def _folder(name: str, flags: Namespace) -> Path:
    """Where to write; a UserError for a place that is taken, unless --force."""
    if not flags.out:
        numbers = (Path('art') / f'{name}-{n}' for n in range(1, 100_000))
        return next(folder for folder in numbers if not _taken(folder))
    folder = files.expand(flags.out)
    if folder.name in ('', '..'):  # OUT.png and OUT.json stand beside it
        raise UserError(f'--out={flags.out}: give a folder by its name')
    files.refuse_file(folder)
    if (taken := _taken(folder)) and not flags.force:
        raise UserError(f'{taken} is there already: another --out, or --force')
    return folder


def _taken(folder: Path) -> Path | None:
    """What there is already of an output."""
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        return folder
    places = (folder.with_name(folder.name + s) for s in provenance.SUFFIXES)
    return next((place for place in places if place.exists()), None)


def _sheet(result: Result, model: Model | None) -> np.ndarray | None:
    if result.sheet is not None:
        return result.sheet
    pictures = [p.image for p in result.pictures[:ON_SHEET]]
    if model and result.sequences:
        medium, first = media.of(model.kind), result.sequences[:ON_SHEET]
        pictures = list(medium.pictures(first, result.prompt_steps))
    if len(pictures) > 1:
        return images.grid(sheets.alike(pictures), result.columns)
    return None


def _write(folder: Path, result: Result, about: dict, model: Model | None):
    sheet = _sheet(result, model)
    try:
        for number, (picture, name, more) in enumerate(result.pictures):
            name = f'{number:05d}' + (f'-{name}' if name else '')
            record = about | {'file': name} | more
            images.save_png(folder / f'{name}.png', picture, record)
        for number, sequence in enumerate(result.sequences):
            record = about | {'file': f'{number:05d}'}
            file = folder / f'{number:05d}'
            media.of(model.kind).save(file, sequence, record, result.prompt_steps)
        for name, content in result.files.items():
            files.write(folder / name, content)
        if sheet is not None:
            place = provenance.path_of(folder, 'sheet', '.png')
            images.save_png(place, sheet, about | {'file': 'sheet'})
        if result.frames:
            place = provenance.path_of(folder, 'film', f'.{result.film}')
            seconds = max(1.0, len(result.frames) / 12)
            record = about | {'file': 'film'}
            FILMS[result.film](place, result.frames, seconds, record, FILM)
        each = [p.provenance for p in result.pictures]
        record = {'made': about, 'found': result.metrics, 'pictures': each}
        text = json.dumps(record, indent=1, sort_keys=True) + '\n'
        files.write(provenance.path_of(folder, 'genealogy', '.json'), text)
    except OSError as error:
        raise UserError(f'cannot write in {folder}: {error.strerror}') from error
