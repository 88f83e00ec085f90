"""python -m gan_vae.art traversals --workdir=RUN [--step=N] [--seed=0]
       python -m gan_vae.art codec encode --workdir=RUN --out=FILE [--num=N]
                             [--data=FOLDER or SET[:SPLIT]]
       python -m gan_vae.art codec decode --workdir=RUN FILE --out=FOLDER

What can be made with a trained model. `traversals`: what each latent does. `codec`:
images as one file, without loss, and back; by default of the run's held-out split.
"""

import argparse
import sys

from gan_vae.errors import UserError
from gan_vae.flags import step

TOOLS = ('traversals', 'codec encode', 'codec decode')
FLAGS = {
    'traversals': ('step', 'seed'),
    'codec encode': ('data', 'num', 'out'),
    'codec decode': ('out',),
}
DEFAULTS = {'workdir': '', 'data': '', 'out': '', 'step': None, 'seed': 0}
DEFAULTS |= {'num': 10_000}


def parse(argv: list[str]) -> tuple[str, list[str], argparse.Namespace]:
    """(tool, files, flags). A UserError for what does not go together."""
    parser = argparse.ArgumentParser(
        prog='gan_vae.art', usage=__doc__, add_help=False, allow_abbrev=False
    )
    parser.add_argument('--help', '-h', action='store_true')
    parser.add_argument('words', nargs='*')
    for name in DEFAULTS:
        kind = int if name in ('seed', 'num') else str
        kind = step if name == 'step' else kind
        parser.add_argument(f'--{name}', type=kind, default=argparse.SUPPRESS)

    def fail(message: str):
        raise UserError(f'{message}; see python -m gan_vae.art --help')

    parser.error = fail
    flags = parser.parse_intermixed_args(argv)
    if flags.help:
        return 'help', [], flags
    words = flags.words
    tool = next((t for t in TOOLS if words[: len(t.split())] == t.split()), '')
    if not tool:
        fail(f'unknown tool {" ".join(words[:2])!r}; one of: {", ".join(TOOLS)}')
    files = words[len(tool.split()) :]
    for name in DEFAULTS.keys() & vars(flags).keys() - {'workdir', *FLAGS[tool]}:
        fail(f'--{name} has no meaning with {tool}')
    if len(files) != (tool == 'codec decode'):
        fail(f'{tool} takes {"one file" if tool == "codec decode" else "no files"}')
    flags = argparse.Namespace(**DEFAULTS | vars(flags))
    if not flags.workdir:
        fail('--workdir is missing: the folder of a run')
    if 'out' in FLAGS[tool] and not flags.out:
        fail('--out is missing')
    if flags.num < 1:
        fail(f'--num={flags.num}: must be at least 1')
    return tool, files, flags


def run(tool: str, files: list[str], flags) -> None:
    if tool == 'traversals':
        from gan_vae.art import traversals

        path, said = traversals.sheet(flags.workdir, flags.step, flags.seed)
        print(f'{path}: {said}')
        return
    from gan_vae.art import compressed

    if tool == 'codec encode':
        bits = compressed.encode(flags.workdir, flags.data, flags.num, flags.out)
        print(f'{bits.pop("count")} images in {flags.out}; bits for each value:')
        for name, value in bits.items():
            print(f'  {name:24s} {value:.4f}')
    else:
        count = compressed.decode(flags.workdir, files[0], flags.out)
        print(f'{count} images in {flags.out}')


def main(argv: list[str]) -> int:
    """The exit status: 0, or 2 for what the user can put right."""
    try:
        tool, files, flags = parse(argv)
        if tool == 'help':
            print(__doc__)
        else:
            run(tool, files, flags)
        return 0
    except UserError as error:
        print(f'gan_vae: {error}', file=sys.stderr)
        return 2


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
