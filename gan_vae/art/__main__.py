"""python -m gan_vae.art TOOL [THING...] [--workdir=RUN] [--out=FOLDER] [--FLAG=VALUE]
       python -m gan_vae.art TOOL --help
       python -m gan_vae.art reproduce FILE [--workdir=RUN] [--inputs=FOLDER]
       python -m gan_vae.art codec encode|decode ..., see codec --help

What can be made with a trained model: --workdir is the folder of a run, or
pretrained:NAME. A tool writes FOLDER with a file for each picture, a sheet of them in
FOLDER.png and how all came about in FOLDER.json; `reproduce` makes a file again from
its provenance, bit for bit. A tool with a dotted name is a module of your own.
"""

import argparse
import sys

from gan_vae import interrupt
from gan_vae.art import tools
from gan_vae.errors import UserError, nearest
from gan_vae.flags import refuse_empty

REPRODUCE = """python -m gan_vae.art reproduce FILE [--FLAG=VALUE...]

Makes a file again from its provenance, and compares the two bit for bit.

  --workdir        where the model lies now, if not where it lay then
  --inputs         a file or folder, or several with commas, where the inputs lie now
  --out            a folder; by default art/reproduce-N, the first that is free
  --force          write in a folder that has something in it"""


def _parsed(name: str, parser: argparse.ArgumentParser, argv: list[str], known: list):
    """The flags of a command line; a UserError for any that the parser does not take,
    with the nearest of the known."""

    def fail(message: str):
        raise UserError(f'{message}; see python -m gan_vae.art {name} --help')

    parser.error = fail
    refuse_empty(argv, dict.fromkeys(known))
    flags, rest = parser.parse_known_intermixed_args(argv)
    if rest:
        word = rest[0].partition('=')[0]
        # without the dashes, which all flags have in common
        close = nearest(word.lstrip('-'), known).replace("mean '", "mean '--")
        fail(f'unknown flag {word}{close}')
    return flags, fail


def parse(name: str, argv: list[str]) -> tuple[list[str], argparse.Namespace] | None:
    """(inputs, flags) of a tool; None where only its help was wanted."""
    tool = tools.find(name)
    table = tools.flags_of(tool)
    usage = f'python -m gan_vae.art {name} {tool.takes}'.rstrip()
    parser = argparse.ArgumentParser(usage=usage, add_help=False, allow_abbrev=False)
    parser.add_argument('inputs', nargs='*')
    parser.add_argument('--help', '-h', action='store_true')
    for word, flag in table.items():
        if flag.kind is bool:
            parser.add_argument(f'--{word}', action='store_true')
        else:
            parser.add_argument(f'--{word}', type=flag.kind, default=flag.default)
    flags, fail = _parsed(name, parser, argv, ['help', *table])
    if flags.help:
        print(f'{usage} [--FLAG=VALUE...]\n\n{tools.summary(name)}\n')
        for word, flag in table.items():
            default = '' if flag.default in (None, '', False) else f' ({flag.default})'
            print(f'  --{word:14s} {flag.help}{default}')
        return None
    inputs = flags.inputs
    least, most = tools.count_of(tool.takes)
    if not least <= len(inputs) <= most:
        fail(f'{name} takes {tool.takes or "no files"}, and {len(inputs)} were given')
    if not 0 <= flags.seed < 2**32:
        fail(f'--seed={flags.seed}: must be from 0 to 2**32 - 1')
    del flags.inputs, flags.help
    return inputs, flags


def run(argv: list[str]) -> int:
    """Does what the command says; the exit status."""
    name = argv[0]
    if name.startswith('-'):
        raise UserError(f'{name}: no tool; see python -m gan_vae.art --help')
    if name == 'codec':
        from gan_vae.art import compressed

        return compressed.main(argv[1:])
    if name == 'reproduce':
        return _reproduce(argv[1:])
    if (command := parse(name, argv[1:])) is None:
        return 0
    from gan_vae.art import making

    out, result = making.make(name, *command)
    for line in result.messages:
        print(line.replace('OUT/', f'{out}/'))
    count = len(result.pictures) + len(result.sequences) + len(result.files)
    what = f'{count} in {out}' if count else f'a sheet, {out}.png'
    print(f'{name}: {what}, how it came about in {out}.json')
    return 0


def _reproduce(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    if {'--help', '-h'} & {*argv}:
        print(REPRODUCE)
        return 0
    parser.add_argument('file')
    for word in ('workdir', 'inputs', 'out'):
        parser.add_argument(f'--{word}', default='')
    parser.add_argument('--force', action='store_true')
    known = ['workdir', 'inputs', 'out', 'force', 'help']
    flags, _ = _parsed('reproduce', parser, argv, known)
    from gan_vae.art import making

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
    """The exit status: 0, 1 for a file that could not be made again, or 2 for what the
    user can put right."""
    try:
        if not argv or argv[0] in ('--help', '-h'):
            print(__doc__)
            lines = {name: tools.summary(name) for name in tools.names()}
            for name, line in sorted((lines | tools.COMMANDS).items()):
                print(f'  {name:12s} {line}')
            return 0
        return run(argv)
    except UserError as error:
        print(f'gan_vae: {error}', file=sys.stderr)
        return 2


if __name__ == '__main__':
    interrupt.command(main)
