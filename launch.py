"""python launch.py --config=configs/NAME.py[:VARIANT] [--workdir=DIR] [--config.KEY=X]
       python launch.py --mode=evaluate --workdir=DIR [--split=test] [--step=N]
                        [--metrics=swd,kid_random] [--num=1000] [--seed=0]
       python launch.py --mode=sample --workdir=DIR [--num=64] [--seed=0] [--step=N]
       python launch.py --mode=sweep --sweep=experiments/NAME.py[:VARIANT] [--seeds=K]
                        [--engine=grid|random|optuna] [--trials=N] [--parallel=N]
                        [--workdir=DIR] [--storage=URL] [--retry] [--config.KEY=X]

The same command goes on from where it was stopped. Every key of configs/default.py can
be set, as in --config.train.steps=30.
"""

import argparse
import sys
from pathlib import Path

FLAGS = {  # of each mode
    'train': ('config', 'workdir'),
    'evaluate': ('workdir', 'split', 'metrics', 'num', 'seed', 'step'),
    'sample': ('workdir', 'num', 'seed', 'step'),
    'sweep': ('sweep', 'workdir', 'engine', 'storage', 'retry')
    + ('parallel', 'trials', 'seeds', 'seed'),
}
WORDS = {'config': '', 'workdir': '', 'split': '', 'metrics': None}
WORDS |= {'sweep': '', 'engine': 'grid', 'storage': ''}
NUMBERS = {'num': None, 'seed': 0, 'step': None}
NUMBERS |= {'parallel': 1, 'trials': None, 'seeds': None}
SWITCHES = {'retry': False}
DEFAULTS = WORDS | NUMBERS | SWITCHES


def parse(argv: list[str]) -> tuple[argparse.Namespace, dict[str, str]]:
    """Flags, and the overrides {'train.steps': '30'} among them."""
    from gan_vae.errors import UserError, nearest, unknown

    parser = argparse.ArgumentParser(
        prog='launch.py', usage=__doc__, add_help=False, allow_abbrev=False
    )
    parser.add_argument('--help', '-h', action='store_true')
    parser.add_argument('--debug', action='store_true', help='show tracebacks')
    parser.add_argument('--mode', default='train')
    for name in WORDS | NUMBERS:
        kind = int if name in NUMBERS else str
        parser.add_argument(f'--{name}', type=kind, default=argparse.SUPPRESS)
    for name in SWITCHES:
        parser.add_argument(f'--{name}', action='store_true', default=argparse.SUPPRESS)

    def fail(message: str):
        raise UserError(f'{message}; see python launch.py --help')

    parser.error = fail
    flags, rest = parser.parse_known_args(argv)
    overrides = {}
    while rest:
        word = rest.pop(0)
        key, equals, value = word.partition('=')
        if not key.startswith('--config.'):
            known = [f'--{name}' for name in ('mode', *DEFAULTS)]
            fail(f'unknown flag {key!r}{nearest(key, known)}')
        if not equals:
            if not rest or rest[0].startswith('--'):
                fail(f'{key} needs a value')
            value = rest.pop(0)
        overrides[key.removeprefix('--config.')] = value
    if flags.mode not in FLAGS:
        raise unknown('--mode', flags.mode, FLAGS)
    for name in DEFAULTS.keys() & vars(flags).keys() - set(FLAGS[flags.mode]):
        fail(f'--{name} has no meaning with --mode={flags.mode}')
    if overrides and flags.mode not in ('train', 'sweep'):
        fail(
            f'--config.{next(iter(overrides))} has no meaning with --mode={flags.mode}'
        )
    return argparse.Namespace(**DEFAULTS | vars(flags)), overrides


def run(flags: argparse.Namespace, overrides: dict[str, str]):
    """Does what the mode says."""
    from gan_vae import config as config_lib
    from gan_vae.errors import UserError

    if flags.mode == 'train':
        if not flags.config:
            raise UserError('--config is missing: try --config=configs/dcgan_emoji.py')
        config = config_lib.load(flags.config, overrides)
        from gan_vae.training import process

        process.prepare()  # before libraries start threads
        from gan_vae.training import loop

        loop.train(config, flags.workdir or Path('runs') / config.name)
        return
    if flags.mode == 'sweep':
        if not flags.sweep:
            raise UserError('--sweep is missing: try --sweep=experiments/dcgan_lr.py')
        from gan_vae.sweep.run import sweep

        chosen = {n: getattr(flags, n) for n in FLAGS['sweep'] if n != 'sweep'}
        sweep(flags.sweep, overrides, **chosen)
        return
    if not flags.workdir:
        raise UserError(f'--mode={flags.mode} needs --workdir=DIR, the folder of a run')
    if flags.mode == 'sample':
        from gan_vae.art import sample

        num = 64 if flags.num is None else flags.num
        folder = sample.sample(flags.workdir, num, flags.seed, flags.step)
        print(f'{num} pictures in {folder}, their grid in {folder}.png')
    else:
        from gan_vae.evaluation.run import evaluate_run

        found = evaluate_run(
            flags.workdir,
            flags.split,
            flags.metrics,
            flags.num,
            flags.seed,
            flags.step,
        )
        for name, result in found.items():
            line = f'{name} {result["value"]:.5g} | {result["protocol"]}'
            print(f'eval/{result["protocol"]}' if 'card' in result else line)


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
