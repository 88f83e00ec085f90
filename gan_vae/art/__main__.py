"""python -m gan_vae.art TOOL [THING...] [--workdir=RUN] [--out=FOLDER] [--FLAG=VALUE]
       python -m gan_vae.art TOOL --help
       python -m gan_vae.art reproduce FILE [--workdir=RUN] [--out=FOLDER]
       python -m gan_vae.art codec encode|decode ..., see codec --help

What can be made with a trained model. A tool writes FOLDER with a file for each
picture, a sheet of them in FOLDER.png and how all came about in FOLDER.json;
`reproduce` makes a file again from what it says of itself, bit for bit.
"""

import argparse
import sys

from gan_vae import interrupt
from gan_vae.art import tools
from gan_vae.errors import UserError


def parse(name: str, argv: list[str]) -> tuple[list[str], argparse.Namespace] | None:
    """(things, flags) of a tool; None where only help was asked for."""
    tool = tools.find(name)
    table = tools.flags_of(tool)
    usage = f'python -m gan_vae.art {name} {tool.takes}'.rstrip()
    parser = argparse.ArgumentParser(
        usage=usage, add_help=False, allow_abbrev=False, argument_default=None
    )
    parser.add_argument('things', nargs='*')
    parser.add_argument('--help', '-h', action='store_true')
    for word, flag in table.items():
        if flag.kind is bool:
            parser.add_argument(f'--{word}', action='store_true')
        else:
            parser.add_argument(f'--{word}', type=flag.kind, default=flag.default)

    def fail(message: str):
        raise UserError(f'{message}; see python -m gan_vae.art {name} --help')

    parser.error = fail
    flags = parser.parse_intermixed_args(argv)
    if flags.help:
        print(f'{usage} [--FLAG=VALUE...]\n\n{tool.says}\n')
        for word, flag in table.items():
            default = '' if flag.default in (None, '', False) else f' ({flag.default})'
            print(f'  --{word:14s} {flag.says}{default}')
        return None
    things = flags.things
    least, most = tools.count_of(tool.takes)
    if not least <= len(things) <= most:
        fail(f'{name} takes {tool.takes or "no files"}, and {len(things)} were given')
    if not 0 <= flags.seed < 2**32:
        fail(f'--seed={flags.seed}: must be from 0 to 2**32 - 1')
    del flags.things, flags.help
    return things, flags


def run(argv: list[str]) -> int:
    """Does what the command says; the exit status."""
    name = argv[0]
    if name.startswith('-'):
        raise UserError(f'{name}: no tool; see python -m gan_vae.art --help')
    if name == 'codec':
        from gan_vae.art import compressed

        return compressed.main(argv[1:])
    from gan_vae.art import making

    if name == 'reproduce':
        return _reproduce(argv[1:])
    if (asked := parse(name, argv[1:])) is None:
        return 0
    out, made = making.make(name, *asked)
    for line in made.said:
        print(line.replace('OUT/', f'{out}/'))
    count = len(made.pictures) + len(made.sequences) + len(made.files)
    what = f'{count} in {out}' if count else f'a sheet, {out}.png'
    print(f'{name}: {what}, how it came about in {out}.json')
    return 0


def _reproduce(argv: list[str]) -> int:
    from gan_vae.art import making

    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument('file')
    for word in ('workdir', 'out'):
        parser.add_argument(f'--{word}', default='')
    parser.add_argument('--force', action='store_true')

    def fail(message: str):
        raise UserError(f'reproduce: {message}; see python -m gan_vae.art --help')

    parser.error = fail
    flags = parser.parse_args(argv)
    again = making.reproduce(**vars(flags))
    changed = f' (versions changed: {again.changed})' if again.changed else ''
    if not again.same:
        print(
            f'{again.file} is not {flags.file}, bit for bit{changed}', file=sys.stderr
        )
        return 1
    print(f'{again.file}: the same as {flags.file}, bit for bit{changed}')
    return 0


def main(argv: list[str]) -> int:
    """The exit status: 0, 1 for what came out otherwise, or 2 for what the user can
    put right."""
    try:
        if not argv or argv[0] in ('--help', '-h'):
            print(__doc__)
            for name in tools.MODULES:
                print(f'  {name:12s} {tools.find(name).says}')
            return 0
        return run(argv)
    except UserError as error:
        print(f'gan_vae: {error}', file=sys.stderr)
        return 2


if __name__ == '__main__':
    interrupt.command(main)
