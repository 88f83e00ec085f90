"""Captions that lie beside pictures, in the ways that people keep them.

  NAME.txt beside NAME.png               its text
  captions.csv, metadata.csv             a row a picture, under a head
  captions.jsonl, metadata.jsonl         an object a line

A table has the file in the column `file_name` (or file, image), by its name from the
table's folder on, and its caption in `text` (or caption, prompt). Text is UTF-8.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from gan_vae.data import listing
from gan_vae.errors import UserError, counted

TABLES = ('captions.csv', 'metadata.csv', 'captions.jsonl', 'metadata.jsonl')
FILES = ('file_name', 'filename', 'file', 'image')
TEXTS = ('text', 'caption', 'prompt')
LARGEST, LARGEST_TEXT = 2**26, 2**16  # bytes of a table, and of the text of a picture


class Found(NamedTuple):
    """The captions of a collection, and what its files of captions are."""

    captions: dict[str, str]  # {name of a picture: its caption}
    used: set[str]  # the names of files that are captions
    notes: list[str]


def of(where: str, names: Iterable[str], read: Callable[[str, int], bytes]) -> Found:
    """The captions among the files of a collection; '/' between parts of names.

    where: the collection in messages; read: (name, bytes at most) -> content. A
    UserError for a table that cannot be read.
    """
    names = list(names)
    pictures = {name for name in names if not name.lower().endswith('.txt')}
    stems = {name.rpartition('.')[0]: name for name in sorted(pictures)}
    captions, used, notes = dict[str, str](), set[str](), list[str]()
    for name in names:
        stem, _, suffix = name.rpartition('.')
        if suffix.lower() == 'txt' and stem in stems:
            text = _text(where, name, read(name, LARGEST_TEXT), LARGEST_TEXT)
            captions[stems[stem]] = ' '.join(text.split())
            used.add(name)
    for name in names:
        folder, slash, base = name.rpartition('/')
        if base.lower() not in TABLES:
            continue
        used.add(name)
        text, lost = _text(where, name, read(name, LARGEST), LARGEST), 0
        for file, caption in _rows(f'{where}: {listing.printable(name)}', text):
            place = folder + slash + file.replace('\\', '/').removeprefix('./')
            if place in pictures:
                captions[place] = ' '.join(caption.split())
            lost += place not in pictures
        if lost:
            missing = counted(lost, 'file')
            notes.append(f'{listing.printable(name)} names {missing} not there')
    return Found(captions, used, notes)


def _text(where: str, name: str, content: bytes, most: int) -> str:
    place = f'{where}: {listing.printable(name)}'
    if len(content) >= most:
        raise UserError(f'{place} has {most:,} bytes of captions or more: too many')
    try:
        return content.decode('utf-8-sig')
    except UnicodeDecodeError as error:
        raise UserError(
            f'{place}: captions are UTF-8 text, and byte {error.start} is not'
        ) from error


def _rows(place: str, text: str) -> Iterator[tuple[str, str]]:
    """(file, caption) of each row of a table."""
    for number, row in _objects(place, text):
        values = {str(k).strip().lower(): v for k, v in row.items() if k is not None}
        file = next((values[k] for k in FILES if k in values), None)
        caption = next((values[k] for k in TEXTS if k in values), None)
        if file is None or caption is None:
            raise UserError(
                f'{place}, line {number}: needs {FILES[0]!r} and {TEXTS[0]!r}, and has '
                f'{", ".join(sorted(values)) or "nothing"}'
            )
        if not (isinstance(file, str) and isinstance(caption, str)):
            raise UserError(f'{place}, line {number}: file and text are to be text')
        yield file.strip(), caption


def _objects(place: str, text: str) -> Iterator[tuple[int, dict[Any, Any]]]:
    if place.lower().endswith('.csv'):
        reader = csv.DictReader(io.StringIO(text), strict=True)
        try:
            for row in reader:
                yield reader.line_num, row
        except csv.Error as error:
            raise UserError(f'{place}, line {reader.line_num}: {error}') from error
        return
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise UserError(f'{place}, line {number}: {error}') from error
        if not isinstance(row, dict):
            raise UserError(f'{place}, line {number}: no object {{...}}')
        yield number, row
