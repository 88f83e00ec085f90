"""What a file says of how it came about, and where what it came of is found again.

A record carries hashes and names without folders of a machine: of what lies below the
working directory its path from there, of all else its last name.
"""

import hashlib
import json
import os
from pathlib import Path, PurePath, PureWindowsPath

from gan_vae import files, images
from gan_vae.art.tools import Input
from gan_vae.errors import UserError

ALONE = 'trainedAlgorithmicMedia'
SUFFIXES = ('.png', '.gif', '.mp4', '.json')  # of what stands beside a result's folder
# what is made first and what is made again say the same of themselves
NEEDED = ('tool', 'run', 'things', 'files', 'ancestors', 'flags', 'versions')
KEPT = (*NEEDED, 'stopped', 'digital_source_type')


def recorded_name(word: str) -> str:
    """What a record says of a word: of a path no folders but those below this one."""
    path = files.expand(word)
    if not path.exists():
        return word
    path, here = (Path(os.path.abspath(p)) for p in (path, '.'))
    return path.relative_to(here).as_posix() if here in path.parents else path.name


def read_input(word: str, name: str | None = None) -> Input:
    """What a word of the command stands for; `name`: as it is recorded."""
    path, name = files.expand(word), name or recorded_name(word)
    try:
        if path.is_file():
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            return Input(word, name, digest, embedded(path))
        if path.is_dir():
            digest = hashlib.sha256()
            for file in sorted(p for p in path.rglob('*') if p.is_file()):
                digest.update(f'{file.relative_to(path)} '.encode())
                digest.update(hashlib.sha256(file.read_bytes()).digest())
            return Input(word, name, digest.hexdigest())
    except OSError as error:
        raise UserError(f'cannot read {word}: {error.strerror}') from error
    return Input(word, name)


def read_file_flag(words: str, name: str | None = None) -> Input:
    """The file or folder of a flag, or several with commas between them, as one."""
    one = read_input(words, name)
    parts = [read_input(word) for word in words.split(',')]
    if one.sha256 or not any(part.sha256 for part in parts):
        return one
    digest = hashlib.sha256(' '.join(p.sha256 for p in parts).encode()).hexdigest()
    return Input(words, name or ','.join(p.name for p in parts), digest)


def located(record: dict, places: list[Path], read=read_input) -> Input:
    """The input of a record, at its path or in one of the places, by its hash.

    A UserError where there is none, or another in its place.
    """
    word, other = record['word'], False
    if not record['sha256']:
        return Input(word, word)
    for place in (Path(), *places):
        for word_there in (word, PurePath(word).name):
            one = (place / word_there).exists()
            parts = [word_there] if one else word_there.split(',')
            paths = [str(place / p) if (place / p).exists() else p for p in parts]
            item = read(','.join(paths), word)
            if item.sha256 == record['sha256']:
                return item
            other = other or bool(item.sha256)
    state = 'not what it was' if other else 'not there'
    raise UserError(
        f'{word}, which was given, is {state}: say by --inputs=FOLDER where it lies'
    )


def located_model(word: str, places: list[Path]) -> str:
    """The folder of a recorded run: at its path, or in or above one of the places."""
    if word.startswith('pretrained:'):
        return word
    last = PurePath(word).name
    candidates = [Path(word), *(place / last for place in places)]
    candidates += [p for place in places for p in place.parents if p.name == last]
    for folder in candidates:
        if (folder / 'config.json').is_file():
            return str(folder)
    raise UserError(f'no model {word} here: say by --workdir where it lies')


def read(file) -> dict:
    """What a file of a tool says of itself; a UserError for any other.

    In a PNG, a GIF and an MP4; of other files in the OUT.json beside their folder.
    'file' is its name in the result: a picture's, 'sheet', 'film' or 'genealogy'.
    """
    file = Path(file)
    if not file.is_file():
        raise UserError(f'no file {file}')
    about = embedded(file)
    if not about:
        place = file.resolve()
        beside = place.with_suffix('.json')
        kinds = {'.gif': 'film', '.mp4': 'film', '.json': 'genealogy'}
        name = kinds.get(place.suffix, 'sheet')
        if not beside.is_file():
            beside = place.parent.with_name(f'{place.parent.name}.json')
            name = place.stem
        try:
            about = json.loads(beside.read_text())['made'] | {'file': name}
        except (OSError, ValueError, KeyError, TypeError):
            about = {}
    right = isinstance(about, dict) and isinstance(about.get('flags'), dict)
    if not right or not all(key in about for key in (*NEEDED, 'file')):
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
        about = json.loads(text)
        return about if isinstance(about, dict) else {}
    except (
        *(OSError, ValueError, SyntaxError),
        *(RecursionError, Image.DecompressionBombError),
    ):
        return {}


def path_of(folder: Path, name: str, suffix: str) -> Path:
    """Where the file `name` of a result in `folder` lies."""
    if name in ('sheet', 'film', 'genealogy'):
        return folder.with_name(folder.name + suffix)
    return folder / f'{name}{suffix}'


def ancestors(inputs: list[Input]) -> dict:
    """{hash of a picture: its provenance} of the inputs, and of those that they came
    from, each once."""
    every = {}
    for item in inputs:
        if item.provenance:
            older = item.provenance.get('ancestors')
            every |= older if isinstance(older, dict) else {}
            own = {k: v for k, v in item.provenance.items() if k != 'ancestors'}
            every[item.sha256] = own
    return {digest: _without_folders(about) for digest, about in every.items()}


def digital_source_type(record: dict, ancestors: dict) -> str:
    """What the IPTC calls a picture of that record, one of images.SOURCES: made by a
    trained model alone, of other pictures too, or by filters alone.

    ancestors: {hash: record} of the pictures that it came of. A record of another shape
    is that of a picture that no model made.
    """
    known: dict[str, str] = {}

    def of_picture(digest: str) -> str:
        if digest not in known:
            known[digest] = ''  # of what is its own ancestor
            older = ancestors.get(digest)
            if isinstance(older, dict):
                told = older.get('digital_source_type')
                known[digest] = told if told in images.SOURCES else of(older)
        return known[digest]

    def of(record: dict) -> str:
        given, own = record.get('things'), record.get('files')
        items = [*(given if isinstance(given, list) else ())]
        items += own.values() if isinstance(own, dict) else ()
        hashes = [i['sha256'] for i in items if isinstance(i, dict) and i.get('sha256')]
        of_models = all(isinstance(h, str) and of_picture(h) == ALONE for h in hashes)
        if record.get('run'):
            return ALONE if of_models else 'compositeWithTrainedAlgorithmicMedia'
        if not of_models:
            return 'algorithmicallyEnhanced'
        return ALONE if hashes else 'algorithmicMedia'

    try:
        return of(record)
    except RecursionError:  # of very many generations from before there were terms
        return 'compositeWithTrainedAlgorithmicMedia'


def _without_folders(value):
    """A record of before paths were left out of records, as it would be today."""
    if isinstance(value, dict):
        return {key: _without_folders(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_without_folders(part) for part in value]
    if not isinstance(value, str):
        return value
    words = ((word, PureWindowsPath(word)) for word in value.split(','))
    return ','.join(
        path.name if word.startswith('~') or path.root or path.drive else word
        for word, path in words
    )
