"""The flags of launch.py: which there are, in which mode, and what they default to."""

import argparse

from gan_vae.errors import UserError, nearest, unknown

FLAGS = {  # of each mode
    'train': ('config', 'workdir', 'hosts', 'host', 'coordinator'),
    'evaluate': ('workdir', 'split', 'metrics', 'num', 'seed', 'step'),
    'sample': ('workdir', 'num', 'seed', 'step', 'class', 'truncation')
    + ('temperature', 'latents'),
    'sweep': ('sweep', 'workdir', 'engine', 'storage', 'retry')
    + ('parallel', 'trials', 'seeds', 'seed'),
}
WORDS = {'config': '', 'workdir': '', 'split': '', 'metrics': None}
WORDS |= {'hosts': '', 'coordinator': ''}
WORDS |= {
    'sweep': '',
    'engine': 'grid',
    'storage': '',
    'class': None,
    'latents': 'prior',
}
NUMBERS = {'num': None, 'seed': 0, 'host': None}
NUMBERS |= {'parallel': 1, 'trials': None, 'seeds': None}
REALS = {'truncation': None, 'temperature': None}
SWITCHES = {'retry': False}
STEPS = {'step': None}
DEFAULTS = WORDS | STEPS | NUMBERS | REALS | SWITCHES


def step(text: str) -> int | str:
    """The number of a checkpoint, or 'best'."""
    if text == 'best' or text.isdecimal():
        return text if text == 'best' else int(text)
    raise argparse.ArgumentTypeError(f'{text!r} is no number of a step, and not best')


def parse(argv: list[str], usage: str) -> tuple[argparse.Namespace, dict[str, str]]:
    """Flags, and the overrides {'train.steps': '30'} among them.

    A UserError for a flag that does not exist, or not in the mode that was chosen.
    """
    parser = argparse.ArgumentParser(
        prog='launch.py', usage=usage, add_help=False, allow_abbrev=False
    )
    parser.add_argument('--help', '-h', action='store_true')
    parser.add_argument('--debug', action='store_true', help='show tracebacks')
    parser.add_argument('--mode', default='train')
    kinds = dict.fromkeys(WORDS, str) | dict.fromkeys(NUMBERS, int)
    kinds |= dict.fromkeys(REALS, float) | dict.fromkeys(STEPS, step)
    for name, kind in kinds.items():
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
