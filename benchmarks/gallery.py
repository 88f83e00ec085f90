"""The pictures of docs/gallery.md, made by the commands that stand under them.

python -m benchmarks.gallery [NAME...]

Each is the sheet of one command of the art tools with a shipped model.
"""

import argparse
import shlex
import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

from benchmarks.rows import PICTURES, ROOT
from gan_vae.art.__main__ import main as art

PAGE = ROOT / 'docs' / 'gallery.md'
MODEL = '--workdir=pretrained:art_vae'


class Exhibit(NamedTuple):
    """A command, and what it shows."""

    words: str  # of python -m gan_vae.art, without the model
    title: str
    text: str


EXHIBITS = {
    'sample': Exhibit(
        'sample --num=40',
        'Samples',
        'The first 40 samples, none selected: each class in turn.',
    ),
    'interpolate': Exhibit(
        'interpolate 4 8 12 16 --loop',
        'From one critter to the next',
        'The path through four samples and back.',
    ),
    'breed': Exhibit(
        'breed 3 7 11 15 --num=16 --mutation=0.2',
        'Breeding',
        'Children of four sprouts: blended, crossed and mutated.',
    ),
    'plants': Exhibit(
        'directions --method=factor --factor=sprouts.plant --num=5 --strength=4',
        'Directions that change one factor',
        'A row for each plant. The number above a column is the strength.',
    ),
    'pots': Exhibit(
        'directions --method=factor --factor=sprouts.potColor --num=5 --strength=4',
        'The colour of the pot',
        'The same for the colour of the pot, which is named by its RGB value.',
    ),
}


def make(name: str) -> list[str]:
    """Writes the picture of an exhibit; the lines of its section of the page."""
    exhibit = EXHIBITS[name]
    picture = PICTURES / f'gallery_{name}.png'
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / name
        if art([*shlex.split(exhibit.words), MODEL, f'--out={out}']):
            raise SystemExit(f'{name}: {exhibit.words}')
        shutil.copyfile(out.with_suffix('.png'), picture)
    return [
        f'## {exhibit.title}',
        '',
        exhibit.text,
        '',
        f'![{exhibit.title}](pictures/{picture.name})',
        '',
        '```bash',
        f'python -m gan_vae.art {exhibit.words} {MODEL}',
        '```',
        '',
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('names', nargs='*', metavar='NAME', help='by default all')
    names = parser.parse_args().names
    if unknown := sorted({*names} - EXHIBITS.keys()):
        parser.error(f'unknown {unknown[0]!r}; one of {", ".join(EXHIBITS)}')
    sections = {name: make(name) for name in names or EXHIBITS}
    if names:
        return
    head = [
        '# What the shipped models draw',
        '',
        'Made by `python -m benchmarks.gallery`. A page of your own works is made by '
        '[`gan_vae gallery`](guides/art.md#a-gallery).',
        '',
    ]
    lines = [*head, *(line for section in sections.values() for line in section)]
    PAGE.write_text('\n'.join(lines))


if __name__ == '__main__':
    main()
