"""python launch.py --config=configs/NAME.py[:VARIANT] [--workdir=DIR] [--config.KEY=X]
       python launch.py --mode=evaluate --workdir=DIR [--split=test]
       python launch.py --mode=sample --workdir=DIR [--num=64] [--seed=0] [--step=N]

The same command goes on from where it was stopped. Every key of configs/default.py can
be set, as in --config.train.steps=30.
"""

import argparse
import sys
from pathlib import Path

MODES = ('train', 'evaluate', 'sample')


def parse(argv: list[str]) -> tuple[argparse.Namespace, dict[str, str]]:
    """Flags, and the overrides {'train.steps': '30'} among them."""
    from gan_vae.errors import UserError, nearest

    parser = argparse.ArgumentParser(
        prog='launch.py', usage=__doc__, add_help=False, allow_abbrev=False
    )
    parser.add_argument('--help', '-h', action='store_true')
    parser.add_argument('--debug', action='store_true', help='show tracebacks')
    for name, default in {
        'mode': 'train',
        'config': '',
        'workdir': '',
        'split': '',
    }.items():
        parser.add_argument(f'--{name}', default=default)
    for name, default in {'num': 64, 'seed': 0, 'step': None}.items():
        parser.add_argument(f'--{name}', type=int, default=default)

    def fail(message: str):
        raise UserError(f'{message}; see python launch.py --help')

    parser.error = fail
    flags, rest = parser.parse_known_args(argv)
    overrides = {}
    while rest:
        word = rest.pop(0)
        key, equals, value = word.partition('=')
        if not key.startswith('--config.'):
            known = [
                '--mode',
                '--config',
                '--workdir',
                '--split',
                '--num',
                '--seed',
                '--step',
            ]
            fail(f'unknown flag {key!r}{nearest(key, known)}')
        if not equals:
            if not rest or rest[0].startswith('--'):
                fail(f'{key} needs a value')
            value = rest.pop(0)
        overrides[key.removeprefix('--config.')] = value
    return flags, overrides


def run(flags: argparse.Namespace, overrides: dict[str, str]):
    """Does what the mode says."""
    from gan_vae import config as config_lib
    from gan_vae.errors import UserError, unknown

    if flags.mode not in MODES:
        raise unknown('--mode', flags.mode, MODES)
    if flags.mode == 'train':
        if not flags.config:
            raise UserError('--config is missing: try --config=configs/dcgan_emoji.py')
        config = config_lib.load(flags.config, overrides)
        from gan_vae.training import loop

        loop.train(config, flags.workdir or Path('runs') / config.name)
        return
    if not flags.workdir or flags.config or overrides:
        raise UserError(f'--mode={flags.mode} takes --workdir=DIR, the folder of a run')
    if flags.mode == 'sample':
        from gan_vae.art import sample

        folder = sample.sample(flags.workdir, flags.num, flags.seed, flags.step)
        print(f'{flags.num} pictures and grid.png in {folder}')
    else:
        from gan_vae.evaluation.run import evaluate_run

        for name, result in evaluate_run(flags.workdir, flags.split).items():
            print(f'{name} {result["value"]:.4f}  ({result["protocol"]})')


def main(argv: list[str]) -> int:
    """The exit status: 0, or 2 for what the user can put right, 1 for a failed run."""
    from gan_vae.errors import RunError, UserError

    try:
        flags, overrides = parse(argv)
        if flags.help:
            print(__doc__)
            return 0
        run(flags, overrides)
    except UserError as error:
        if '--debug' in argv:
            raise
        print(f'gan_vae: {error}', file=sys.stderr)
        return 1 if isinstance(error, RunError) else 2
    except KeyboardInterrupt:
        print('gan_vae: stopped at once; the last checkpoint stands', file=sys.stderr)
        return 130
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
