"""python launch.py --config=configs/NAME.py[:VARIANT] [--workdir=DIR] [--config.KEY=X]
                        [--hosts=N --host=I --coordinator=ADDRESS:PORT | --hosts=auto]
       python launch.py --mode=evaluate --workdir=DIR [--split=test] [--step=N|best]
                        [--metrics=swd,kid_random] [--num=1000] [--seed=0]
       python launch.py --mode=sample --workdir=DIR [--num=64] [--seed=0]
                        [--step=N|best] [--class=NAME or ID] [--truncation=0.7]
                        [--temperature=0.8] [--latents=prior|aggregate]
       python launch.py --mode=sweep --sweep=experiments/NAME.py[:VARIANT] [--seeds=K]
                        [--engine=grid|random|optuna] [--trials=N] [--parallel=N]
                        [--workdir=DIR] [--storage=URL] [--retry] [--seed=0]
                        [--config.KEY=X, of all trials]

The same command goes on from where it was stopped. Every key of configs/default.py can
be set, as in --config.train.steps=30.
"""

import os
import sys
from argparse import Namespace
from pathlib import Path

from gan_vae.flags import FLAGS, parse


def train(flags: Namespace, overrides: dict[str, str], argv: list[str]) -> int:
    """Trains; on many hosts in a child, which this process watches over."""
    from gan_vae import config as config_lib
    from gan_vae.errors import UserError
    from gan_vae.training import supervisor

    if not flags.config:
        raise UserError('--config is missing: try --config=configs/dcgan_emoji.py')
    where = supervisor.place(flags.host, flags.hosts, flags.coordinator)
    config = config_lib.load(flags.config, overrides)
    workdir = flags.workdir or Path('runs') / config.name
    if where and supervisor.CHILD not in os.environ:
        command = [sys.executable, '-m', 'gan_vae', 'train', *argv]
        return supervisor.run(command, where, workdir, supervisor.about(config))
    from gan_vae.devices import process

    process.prepare()  # before libraries start threads
    from gan_vae.training import hosts, loop

    with hosts.joined(where):
        loop.train(config, workdir)
    return 0


def run(flags: Namespace, overrides: dict[str, str], argv: list[str]) -> int:
    """Does what the mode says; the exit status."""
    from gan_vae.errors import UserError

    if flags.mode == 'train':
        return train(flags, overrides, argv)
    if flags.mode == 'sweep':
        if not flags.sweep:
            raise UserError('--sweep is missing: try --sweep=experiments/dcgan_lr.py')
        from gan_vae.sweep.run import sweep

        chosen = {n: getattr(flags, n) for n in FLAGS['sweep'] if n != 'sweep'}
        sweep(flags.sweep, overrides, **chosen)
        return 0
    if not flags.workdir:
        raise UserError(f'--mode={flags.mode} needs --workdir=DIR, the folder of a run')
    if flags.mode == 'sample':
        from gan_vae.art import sample

        folder = sample.sample(
            flags.workdir,
            flags.num,
            flags.seed,
            flags.step,
            getattr(flags, 'class'),
            flags.truncation,
            flags.temperature,
            flags.latents,
        )
        print(f'samples in {folder}, a grid of them in {folder}.png')
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
    return 0


def main(argv: list[str]) -> int:
    """The exit status: 0, or 2 for what the user can put right, 1 for a failed run."""
    from gan_vae.errors import RunError, UserError

    try:
        flags, overrides = parse(argv, __doc__)
        if flags.help:
            print(__doc__)
            return 0
        return run(flags, overrides, argv)
    except UserError as error:
        if '--debug' in argv:
            raise
        print(f'gan_vae: {error}', file=sys.stderr)
        return 1 if isinstance(error, RunError) else 2
    except KeyboardInterrupt:
        print('gan_vae: stopped at once; the last checkpoint stands', file=sys.stderr)
        return 130
