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

MOST = 2**16  # bytes that are read of a file
RULES = {  # {what a licence says: what it asks}
    r'\bnc\b|non-?commercial|research (use )?only|personal use only': (
        'forbids commercial use'
    ),
    r'\bnd\b|no-?deriv': 'forbids changed versions',
    r'\bsa\b|share-?alike': 'wants the same licence for changed versions',
    r'all rights reserved|proprietary': 'allows nothing without leave',
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
    words = licence.lower().replace('_', '-')
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
        head = read(card, MOST).decode('utf-8', 'replace').split('---')
        if len(head) > 2 and not head[0].strip():
            found = re.search(r'^licen[cs]e:\s*(.+?)\s*$', head[1], re.MULTILINE)
            if found:
                return _line(found[1].strip('\'"'))
    for stem in ('license', 'licence', 'copying'):
        for suffix in ('', '.txt', '.md'):
            if file := of_name.get(stem + suffix):
                lines = read(file, MOST).decode('utf-8', 'replace').splitlines()
                return _line(next(filter(None, map(str.strip, lines)), ''))
    return ''


def of_folder(path: str) -> str:
    """The licence of a folder, of files at its top."""
    root = files.expand(path)
    names = [file.name for file in root.iterdir() if file.is_file()]

    def read(name: str, most: int) -> bytes:
        with (root / name).open('rb') as content:
            return content.read(most)

    return among(names, read)


def _line(text: str) -> str:
    """At most 100 characters that can be printed."""
    return ''.join(c for c in text if c.isprintable())[:100].strip('# ')
