"""python -m gan_vae.art TOOL [THING...] [--workdir=RUN] [--out=FOLDER] [--FLAG=VALUE]
       python -m gan_vae.art TOOL --help
       python -m gan_vae.art reproduce FILE [--workdir=RUN] [--inputs=FOLDER]
       python -m gan_vae.art codec encode|decode ..., see codec --help
       python -m gan_vae.art sign|verify FILE ..., see sign --help

What can be made with a trained model: --workdir is the folder of a run, or
pretrained:NAME. A tool writes FOLDER with a file for each picture, a sheet of them in
FOLDER.png and how all came about in FOLDER.json; `reproduce` makes a file again from
its provenance, bit for bit. A tool with a dotted name is a module of your own.
"""

import argparse
import sys

from gan_vae import interrupt
from gan_vae.art import tools
from gan_vae.art.tools import Flag
from gan_vae.errors import UserError, counted
from gan_vae.flags import refuse_empty, unknown_flag

REPRODUCE = {
    'workdir': Flag('', str, 'where the model lies now, if not where it lay then'),
    'inputs': Flag('', str, 'files or folders, with commas, where the inputs lie now'),
    'out': Flag(
        '', str, 'a folder; by default art/reproduce-N, the first that is free'
    ),
    'force': tools.SHARED['force'],
}
CODEC = {
    'workdir': tools.SHARED['workdir'],
    'out': Flag('', str, 'the file that encode writes, the folder that decode writes'),
    'data': Flag('', str, 'of encode: FOLDER or SET[:SPLIT]; else the held-out split'),
    'num': Flag(None, int, 'of encode: images, at most; 10000 unless given', least=1),
}

SIGN = {
    'chain': Flag('', str, 'PEM of your certificate and of those above it'),
    'key': Flag('', str, 'PEM of its private key, without a password'),
    'out': Flag('', str, 'the signed copy'),
}
VERIFY = {'trust': Flag('', str, 'PEM of the certificates that you believe in')}


def parse(
    name: str, takes: str, table: dict[str, Flag], argv: list[str]
) -> tuple[list[str], argparse.Namespace] | None:
    """(words, flags) of a command; None where only its help was wanted."""
    usage = f'python -m gan_vae.art {name} {takes}'.rstrip()

    def fail(message: str):
        raise UserError(f'{message}; see python -m gan_vae.art {name} --help')

    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.error = fail
    refuse_empty(argv, table)
    parser.add_argument('words', nargs='*')
    parser.add_argument('--help', '-h', action='store_true')
    for word, flag in table.items():
        if flag.kind is bool:
            parser.add_argument(f'--{word}', action='store_true')
        else:
            parser.add_argument(f'--{word}', type=flag.kind, default=flag.default)
    flags, rest = parser.parse_known_intermixed_args(argv)
    if rest:
        fail(unknown_flag(rest[0], ['help', *table]))
    if flags.help:
        print(f'{usage} [--FLAG=VALUE...]\n\n{tools.summary(name)}\n')
        for word, flag in table.items():
            default = '' if flag.default in (None, '', False) else f' ({flag.default})'
            print(f'  --{word:14s} {flag.help}{default}')
        return None
    words = flags.words
    least, most = tools.count_of(takes)
    if not least <= len(words) <= most:
        fail(f'{name} takes {takes or "no files"}, and {len(words)} were given')
    del flags.words, flags.help
    return words, flags


def _make(name: str, argv: list[str]) -> int:
    tool = tools.find(name)
    if (command := parse(name, tool.takes, tools.flags_of(tool), argv)) is None:
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
    if (command := parse('reproduce', 'FILE', REPRODUCE, argv)) is None:
        return 0
    (file,), flags = command
    from gan_vae.art import making

    again = making.reproduce(file, **vars(flags))
    changed = f' (versions changed: {again.changed})' if again.changed else ''
    if not again.same:
        apart = f': {again.apart}' if again.apart else ''
        line = f'{again.file} is not {file}, bit for bit{apart}{changed}'
        print(line, file=sys.stderr)
        return 1
    print(f'{again.file}: the same as {file}, bit for bit{changed}')
    return 0


def _sign(argv: list[str]) -> int:
    if (command := parse('sign', 'FILE', SIGN, argv)) is None:
        return 0
    (file,), flags = command
    for name in SIGN:
        if not getattr(flags, name):
            raise UserError(f'sign: --{name} is missing')
    from gan_vae.art import credentials

    credentials.sign(file, flags.chain, flags.key, flags.out)
    print(f'{flags.out}: {file}, signed')
    return 0


def _verify(argv: list[str]) -> int:
    if (command := parse('verify', 'FILE', VERIFY, argv)) is None:
        return 0
    (file,), flags = command
    from gan_vae.art import credentials

    found = credentials.verify(file, flags.trust)
    what = f', {found.source}' if found.source else ''
    problems = f' ({", ".join(found.problems)})' if found.problems else ''
    print(f'{file}: {found.state}: signed by {found.signer}{what}{problems}')
    if flags.trust:
        return int(found.state != 'Trusted')
    return int(found.state == 'Invalid')


def _codec(argv: list[str]) -> int:
    if (command := parse('codec', '[encode|decode] [FILE]', CODEC, argv)) is None:
        return 0
    (way, *files), flags = command[0] or [''], command[1]
    if way not in ('encode', 'decode'):
        raise UserError(f'codec: {way or "nothing"}: encode or decode')
    for name in ('workdir', 'out'):
        if not getattr(flags, name):
            raise UserError(f'codec: --{name} is missing')
    tools.check(CODEC, flags)
    if way == 'encode' and files:
        raise UserError('codec encode takes no files: --data=FOLDER')
    if way == 'decode' and (len(files) != 1 or flags.data or flags.num):
        raise UserError('codec decode takes one file, --workdir and --out')
    from gan_vae.art import compressed, progress

    with progress.reported('codec'):
        if way == 'decode':
            count = compressed.decode(flags.workdir, files[0], flags.out)
            print(f'{counted(count, "image")} in {flags.out}')
            return 0
        count, bits, messages = compressed.encode(
            flags.workdir, flags.data, flags.num or 10_000, flags.out
        )
    for line in messages:
        print(line)
    print(f'{counted(count, "image")} in {flags.out}; bits for each value:')
    for name, value in bits.items():
        print(f'  {name:24s} {value:.4f}')
    return 0


def main(argv: list[str]) -> int:
    """The exit status: 0, 1 for a file that could not be made again or whose signature
    does not hold, or is not one that --trust trusts, or 2 for what the user can put
    right."""
    try:
        if not argv or argv[0] in ('--help', '-h'):
            print(__doc__)
            for name in sorted([*tools.names(), *tools.COMMANDS]):
                print(f'  {name:12s} {tools.summary(name)}')
            return 0
        name, *rest = argv
        if name.startswith('-'):
            raise UserError(f'{name}: no tool; see python -m gan_vae.art --help')
        commands = {
            'codec': _codec,
            'reproduce': _reproduce,
            'sign': _sign,
            'verify': _verify,
        }
        return commands[name](rest) if name in commands else _make(name, rest)
    except UserError as error:
        print(f'gan_vae: {error}', file=sys.stderr)
    except OSError as error:  # of a tool of the user's own
        if not error.filename:
            raise
        print(f'gan_vae: {error.filename}: {error.strerror}', file=sys.stderr)
    return 2


if __name__ == '__main__':
    interrupt.command(main)
