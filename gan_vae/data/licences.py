"""Under which licence a set is, as its reader, its files or TFDS say, and what that
asks of who uses it.

A folder or archive says so as hubs have it: `license: cc-by-nc-4.0` in the head of its
README.md; or by the first line of a file LICENSE. Nothing here is legal advice: whether
a licence of pictures holds for models of them differs between countries.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

from gan_vae import files
from gan_vae.data import readers
from gan_vae.errors import short

MOST = 2**16  # bytes that are read of a file
RIGHTS = r'all rights reserved\.?'
GRANTS = r'redistribution and use .{0,99}are permitted|permission .{0,99}hereby granted'
RULES = {  # {what a licence says, - between its words: what it asks}
    r'\bnc\b|non-?commercial|research-(use-)?only|personal-use-only': (
        'forbids commercial use'
    ),
    r'\bnd\b|no-?deriv': 'forbids changed versions',
    r'\bsa\b|share-?alike': 'wants the same licence for changed versions',
    r'all-rights-reserved|proprietary': 'allows nothing without leave',
}


def of(settings: Any) -> str:
    """The licence of the set that the config section `data` names, in a line; ''."""
    return of_name(settings.name, settings)


def of_name(name: str, settings: Any) -> str:
    """That of the set `name`."""
    reader, rest = readers.find(name)
    told: Any = getattr(reader, 'licence', '')
    return str(told(rest, settings) if callable(told) else told)


def asks(licence: str) -> str:
    """'forbids commercial use, ...' of a licence; '' of one that says none of RULES."""
    words = re.sub(r'[\W_]+', '-', licence.lower())
    return ', '.join(what for rule, what in RULES.items() if re.search(rule, words))


def warning(licence: str) -> str:
    """What a run on such a set is told; '' where there is nothing to tell."""
    if not (asked := asks(licence)):
        return ''
    return (
        f'the licence of the data ({licence}) {asked}: see that the model and its '
        'pictures are used so'
    )


def among(names: Iterable[str], read: Callable[[str, int], bytes]) -> str:
    """The licence of a collection, of files at its top; read: (name, bytes at most)."""
    of_name = {name.lower(): name for name in names if '/' not in name}
    if card := of_name.get('readme.md'):
        if told := _of_card(read(card, MOST).decode('utf-8', 'replace')):
            return _line(told)
    for stem in ('license', 'licence', 'copying'):
        for suffix in ('', '.txt', '.md'):
            if file := of_name.get(stem + suffix):
                text = read(file, MOST).decode('utf-8', 'replace')
                if re.search(GRANTS, text, re.IGNORECASE | re.DOTALL):  # as BSD
                    text = re.sub(RIGHTS, '', text, flags=re.IGNORECASE)
                return _line(next(filter(None, map(str.strip, text.splitlines())), ''))
    return ''


def _of_card(text: str) -> str:
    """What the head of a README.md says: `license`, or `license_name` of another."""
    parts = re.split(r'^---[ \t\r]*$', text, flags=re.MULTILINE)
    if len(parts) < 3 or parts[0].strip():
        return ''
    key = r'^licen[cs]e(_name)?:(?:[ \t\r]*\n[ \t]*- )?(.*)$'  # or the first of a list
    told = {
        name: value.partition(' #')[0].strip().strip('\'"')
        for name, value in re.findall(key, parts[1], re.MULTILINE)
    }
    licence = told.get('', '')
    if licence in ('', 'other'):
        return told.get('_name') or licence
    return licence


def of_folder(path: str) -> str:
    """The licence of a folder, of files at its top."""
    root = files.expand(path)
    names = [file.name for file in root.iterdir() if file.is_file()]

    def read(name: str, most: int) -> bytes:
        with (root / name).open('rb') as content:
            return content.read(most)

    return among(names, read)


def _line(text: str) -> str:
    return short(text, 100).strip('# ')
