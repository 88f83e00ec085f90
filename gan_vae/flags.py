"""The flags of the commands that train and use runs: one line each, per mode."""

import argparse
import re
from collections.abc import Callable, Collection, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from gan_vae.errors import UserError, nearest, unknown

_FLAG = r'(?<![\w-])--(?=[a-z])([a-z_]+)'


class Flag(NamedTuple):
    """One flag. kind: what reads its text; bool: a switch, which takes none."""

    kind: Callable
    default: Any
    help: str


def step(text: str) -> int | str:
    """The number of a checkpoint, or 'best'."""
    if text == 'best':
        return text
    if text.isdecimal():
        return int(text)
    raise argparse.ArgumentTypeError(f'{text!r} is neither a step number nor best')


_RUN = Flag(str, '', 'folder of a run, or pretrained:NAME')
_STEP = Flag(step, None, 'checkpoint to use: a step, or best (the newest)')
_SEED = Flag(int, 0, 'seed of the samples')

MODES: dict[str, tuple[str, dict[str, Flag]]] = {
    'train': (
        'Train a model. The same command resumes a run that was stopped.',
        {
            'config': Flag(str, '', 'configs/NAME.py[:VARIANT]'),
            'workdir': Flag(str, '', 'folder of the run (runs/NAME)'),
            'hosts': Flag(str, '', 'number of processes of the run, or auto'),
            'host': Flag(int, None, 'which of them this is, from 0'),
            'coordinator': Flag(str, '', 'ADDRESS:PORT of host 0'),
        },
    ),
    'evaluate': (
        'Measure a trained model. Folders: gan_vae evaluate SAMPLES REFERENCE.',
        {
            'workdir': _RUN,
            'split': Flag(str, '', 'split of the objective (config.data.eval_split)'),
            'metrics': Flag(str, None, 'as swd,kid_random (config.eval.metrics)'),
            'num': Flag(int, None, 'number of samples (config.eval.num_samples)'),
            'seed': _SEED,
            'step': _STEP,
        },
    ),
    'sample': (
        'Write samples of a trained model.',
        {
            'workdir': _RUN,
            'num': Flag(int, None, 'number of samples (64, of sequences 16)'),
            'seed': _SEED,
            'step': _STEP,
            'class': Flag(str, None, 'name or id of the class (each in turn)'),
            'truncation': Flag(float, None, 'bound of latents; of stylegan2, factor'),
            'temperature': Flag(float, None, 'factor of their deviations, as 0.8'),
            'latents': Flag(str, 'prior', 'prior or aggregate'),
            'prompt': Flag(str, '', 'words for what to draw, of a model of captions'),
            'guidance': Flag(float, None, 'how much words or class count, as 2'),
            'top_k': Flag(int, None, 'only so many of the likeliest codes; 0 is all'),
            'top_p': Flag(float, None, 'the likeliest codes of so much probability'),
        },
    ),
    'sweep': (
        'Train many runs of one config and compare them.',
        {
            'sweep': Flag(str, '', 'experiments/NAME.py[:VARIANT]'),
            'workdir': Flag(str, '', 'folder of the sweep (runs/sweeps/NAME)'),
            'engine': Flag(str, 'grid', 'grid, random or optuna'),
            'trials': Flag(int, None, 'points to draw (random, optuna)'),
            'seeds': Flag(int, None, 'runs of each point'),
            'seed': Flag(int, 0, 'seed of the search'),
            'parallel': Flag(int, 1, 'runs at a time'),
            'storage': Flag(str, '', 'URL of a database for Optuna (a file)'),
            'retry': Flag(bool, False, 'try failed runs again'),
        },
    ),
}
CONFIGURED = ('train', 'sweep')  # modes that take --config.KEY=VALUE


def refuse_empty(argv: list[str], flags: Collection[str]):
    """A UserError for --NAME= without a value, as of an empty variable of a shell."""
    for name in flags:
        if f'--{name}=' in argv:
            raise UserError(f'--{name} is empty: give a value, or leave it out')


def read(
    flags: Mapping[str, Flag], argv: list[str], fail: Callable
) -> tuple[dict[str, Any], list[str]]:
    """({flag in argv: value}, the other words); calls `fail(message)` on errors."""
    refuse_empty(argv, flags)
    parser = argparse.ArgumentParser(
        add_help=False, allow_abbrev=False, argument_default=argparse.SUPPRESS
    )
    for name, flag in flags.items():
        switch = flag.kind is bool
        reads: dict[str, Any] = (
            {'action': 'store_true'} if switch else {'type': flag.kind}
        )
        parser.add_argument(f'--{name}', dest=name, **reads)
    parser.error = fail
    argv = ['--help' if word == '-h' else word for word in argv]
    values, rest = parser.parse_known_args(argv)
    return vars(values), rest


def unknown_flag(word: str, flags: Collection[str]) -> str:
    """The message for a word that is none of the flags: names the nearest."""
    key = word.partition('=')[0]
    # without the dashes, which all flags have in common
    close = nearest(key.lstrip('-'), flags).replace("'", "'--", 1)
    return f'unknown flag {key}{close}'


def _defaults(flags: Mapping[str, Flag]) -> dict[str, Any]:
    return {name: flag.default for name, flag in flags.items()}


def lines_of(flags: Mapping[str, Flag]) -> list[str]:
    """The help, one line per flag."""
    return [
        f'  --{name:12s} {flag.help}'
        + ('' if flag.default in (None, '', False) else f' ({flag.default})')
        for name, flag in flags.items()
    ]


def usage(only: str = '') -> str:
    """The help of all modes, or of one."""
    lines = [
        'python launch.py [--mode=MODE] [--FLAG=VALUE ...] [--config.KEY=VALUE ...]'
    ]
    for mode, (purpose, flags) in MODES.items():
        if only not in ('', mode):
            continue
        default = ' (the default)' if mode == 'train' else ''
        lines += ['', f'--mode={mode}{default}', f'  {purpose}', *lines_of(flags)]
    lines += [
        '',
        '--debug shows tracebacks. --config.train.steps=30 sets a key of the',
        'config, in training and in sweeps; --help=method.vae lists the keys of a',
        'method, --help=config the methods and sections.',
    ]
    return '\n'.join(lines)


def parse_one(
    flags: Mapping[str, Flag], argv: list[str], command: str
) -> argparse.Namespace:
    """The flags of a command without modes, and `help`. Raises UserErrors."""

    def fail(message: str):
        raise UserError(f'{message}; see {command} --help')

    every = {'help': Flag(bool, False, ''), **flags}
    values, rest = read(every, argv, fail)
    if rest:
        if not rest[0].startswith('-'):
            fail(f'{rest[0]!r} has no flag: write --{next(iter(flags))}={rest[0]}')
        fail(unknown_flag(rest[0], every))
    return argparse.Namespace(**_defaults(every) | values)


def parse(argv: list[str]) -> tuple[argparse.Namespace, dict[str, str]]:
    """All flags of the mode, with `mode`, `help` and `debug`; and the overrides.

    The overrides are {'train.steps': '30'} of --config.train.steps=30. Raises a
    UserError for a flag that does not exist, or does not belong to the mode.
    """

    def fail(message: str):
        raise UserError(f'{message}; see --help')

    every = {name: flag for _, flags in MODES.values() for name, flag in flags.items()}
    common = {
        'mode': Flag(str, 'train', ''),
        'help': Flag(bool, False, ''),
        'debug': Flag(bool, False, ''),
    }
    topics = [word.partition('=')[2] for word in argv if word.startswith('--help=')]
    argv = ['--help' if word.startswith('--help=') else word for word in argv]
    values, rest = read(common | every, argv, fail)
    mode = values.get('mode', 'train')
    if mode not in MODES:
        raise unknown('--mode', mode, MODES)
    flags = MODES[mode][1]
    overrides = {}
    while rest:
        word = rest.pop(0)
        if not word.startswith('-'):
            name = 'mode' if word in MODES else next(iter(flags))
            fail(f'{word!r} has no flag: write --{name}={word}')
        key, equals, value = word.partition('=')
        if not key.startswith('--config.'):
            hint = nearest(key, [f'--{n}' for n in (*common, *flags)])
            hint = hint or nearest(key, [f'--{n}' for n in every])
            fail(f'unknown flag {key}{hint}')
        if mode not in CONFIGURED:
            fail(f'--mode={mode} takes no {key}: the config is that of the run')
        if not equals:
            if not rest or rest[0].startswith('--'):
                fail(f'{key} needs a value')
            value = rest.pop(0)
        overrides[key.removeprefix('--config.')] = value
    for name in values.keys() - common.keys() - flags.keys():
        modes = ' and '.join(m for m, (_, table) in MODES.items() if name in table)
        fail(f'--{name} is a flag of --mode={modes}, not of --mode={mode}')
    values = _defaults(common | flags) | values | {'topic': ''.join(topics[:1])}
    return argparse.Namespace(**values), overrides


@contextmanager
def python_words(**words: str):
    """Errors of a function speak of its arguments, and not of flags: those of `words`
    by other names, the others by their own. What stands in backticks is a command."""
    try:
        yield
    except UserError as error:
        parts = re.split('(`[^`]*`)', str(error))
        parts[::2] = [
            re.sub(_FLAG, lambda flag: words.get(flag[1], flag[1]), part)
            for part in parts[::2]
        ]
        error.args = (''.join(parts),)
        raise
