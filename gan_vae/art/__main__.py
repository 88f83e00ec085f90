"""python -m gan_vae.art traversals --workdir=RUN [--step=N|best] [--seed=0]
       python -m gan_vae.art codec encode --workdir=RUN --out=FILE [--num=N]
                             [--data=FOLDER or SET[:SPLIT]]
       python -m gan_vae.art codec decode --workdir=RUN FILE --out=FOLDER
       python -m gan_vae.art complete --workdir=RUN THING --out=FOLDER [--steps=N]
                             [--num=8] [--seed=0] [--temperature=1] [--step=N|best]
       python -m gan_vae.art interpolate --workdir=RUN THING THING --out=FOLDER
                             [--num=8] [--step=N|best]

What can be made with a trained model. `traversals`: what each latent does. `codec`:
images as one file, without loss, and back; by default of the run's held-out split.
Of music and drawings, `complete`: what goes on from the first steps of a THING, by
default from its first half; `interpolate`: what lies between two. A THING is a MIDI or
an SVG file, or the number of a sequence of the run's held-out split.
"""

import argparse
import sys

from gan_vae.errors import UserError
from gan_vae.flags import step

TOOLS = ('traversals', 'codec encode', 'codec decode', 'complete', 'interpolate')
FLAGS = {
    'traversals': ('step', 'seed'),
    'codec encode': ('data', 'num', 'out'),
    'codec decode': ('out',),
    'complete': ('out', 'steps', 'num', 'seed', 'temperature', 'step'),
    'interpolate': ('out', 'num', 'step'),
}
TAKES = {  # how many files or things
    'codec decode': (1, 'one file'),
    'complete': (1, 'one thing'),
    'interpolate': (2, 'two things'),
}
KINDS = {'seed': int, 'num': int, 'steps': int, 'step': step, 'temperature': float}
DEFAULTS = {'workdir': '', 'data': '', 'out': '', 'step': None, 'seed': 0}
DEFAULTS |= {'num': None, 'steps': None, 'temperature': 1.0}
MANY = {'codec encode': 10_000}  # --num, by default; others 8


def parse(argv: list[str]) -> tuple[str, list[str], argparse.Namespace]:
    """(tool, files, flags). A UserError for what does not go together."""
    parser = argparse.ArgumentParser(
        prog='gan_vae.art', usage=__doc__, add_help=False, allow_abbrev=False
    )
    parser.add_argument('--help', '-h', action='store_true')
    parser.add_argument('words', nargs='*')
    for name in DEFAULTS:
        kind = KINDS.get(name, str)
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
    count, wanted = TAKES.get(tool, (0, 'no files'))
    if len(files) != count:
        fail(f'{tool} takes {wanted}')
    flags = argparse.Namespace(**DEFAULTS | vars(flags))
    if not flags.workdir:
        fail('--workdir is missing: the folder of a run')
    if 'out' in FLAGS[tool] and not flags.out:
        fail('--out is missing')
    if flags.num is None:
        flags.num = MANY.get(tool, 8)
    if flags.num < 1:
        fail(f'--num={flags.num}: must be at least 1')
    return tool, files, flags


def run(tool: str, files: list[str], flags) -> None:
    if tool == 'traversals':
        from gan_vae.art import traversals

        path, said = traversals.sheet(flags.workdir, flags.step, flags.seed)
        print(f'{path}: {said}')
        return
    if tool in ('complete', 'interpolate'):
        from gan_vae.art import sequences

        if tool == 'complete':
            how = flags.steps, flags.num, flags.seed, flags.temperature
            made = sequences.completed(
                flags.workdir, files[0], flags.out, *how, flags.step
            )
        else:
            how = flags.num, flags.step
            made = sequences.interpolated(flags.workdir, files, flags.out, *how)
        print(f'samples in {made}, a grid of them in {made}.png')
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
