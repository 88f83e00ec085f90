"""gan_vae gallery WORK [WORK ...] [--out=gallery.html] [--title=TEXT] [--num=12]
       [--force]

One page on which works hang on walls to walk along, with a mouse, keys, a finger or a
headset. It needs no network. WORK is a picture, a folder of pictures, a run, or a model
of the package such as pretrained:art_vae, of which --num samples hang.
`python -m gan_vae.gallery` is the same command. Once before the first page:
python -m gan_vae.data.prepare aframe
"""

import sys
from argparse import Namespace

from gan_vae import files, interrupt
from gan_vae.errors import UserError, counted
from gan_vae.flags import Flag, read, unknown_flag

FLAGS = {
    'help': Flag(bool, False, 'print the usage'),
    'out': Flag(str, 'gallery.html', 'the page'),
    'title': Flag(str, 'Gallery', 'what is written on the first wall'),
    'num': Flag(int, 12, 'samples of each model'),
    'seed': Flag(int, 0, 'of the samples'),
    'force': Flag(bool, False, 'write over a page of before'),
}


def parse(argv: list[str]) -> Namespace:
    """The flags, and WORKs as `works`."""

    def fail(message: str):
        raise UserError(f'{message}; see gan_vae gallery --help')

    values, words = read(FLAGS, argv, fail)
    if unknown := [word for word in words if word.startswith('-')]:
        fail(unknown_flag(unknown[0], FLAGS))
    defaults = {name: flag.default for name, flag in FLAGS.items()}
    flags = Namespace(**defaults | values, works=words)
    if flags.help:
        return flags
    if not words:
        fail('say what is to hang: pictures, folders, runs')
    if not 1 <= flags.num <= 200:
        fail(f'--num={flags.num}: must be from 1 to 200')
    if not 0 <= flags.seed < 2**32:
        fail(f'--seed={flags.seed}: must be from 0 to {2**32 - 1}')
    return flags


def main(argv: list[str]) -> int:
    """The exit status: 0, or 2 for what the user can put right."""
    try:
        flags = parse(argv)
        if flags.help:
            print(__doc__)
            return 0
        from gan_vae.gallery import page, works

        place = files.expand(flags.out)
        if place.is_dir():
            raise UserError(f'--out={flags.out} is a folder: name a file in it')
        if place.exists() and not flags.force:
            raise UserError(f'{flags.out} is there already: another --out, or --force')
        shown, notes = works.of(flags.works, flags.num, flags.seed)
        for note in notes:
            print(f'gan_vae: {note}', file=sys.stderr)
        text = page.made(shown, flags.title)
        try:
            files.write(place, text)
        except OSError as error:
            raise UserError(f'cannot write {place}: {error.strerror}') from error
        print(f'{counted(len(shown), "work")} in {place}, {len(text) / 1e6:.1f} MB')
        return 0
    except UserError as error:
        print(f'gan_vae: {error}', file=sys.stderr)
        return 2


if __name__ == '__main__':
    interrupt.command(main)
