"""The modes of launch.py, and of `gan_vae MODE`: one function each."""

import os
import sys
from argparse import Namespace
from pathlib import Path

from gan_vae import flags as flags_lib
from gan_vae.errors import RunError, UserError


def train(flags: Namespace, overrides: dict[str, str], argv: list[str]) -> int:
    """Trains; on many hosts in a child, which this process watches over."""
    from gan_vae import config as config_lib
    from gan_vae.training import supervisor

    if not flags.config:
        raise UserError('--config is missing: try --config=configs/dcgan_emoji.py')
    place = supervisor.place(flags.host, flags.hosts, flags.coordinator)
    config = config_lib.load(flags.config, overrides)
    workdir = flags.workdir or Path('runs') / config.name
    if place and supervisor.CHILD not in os.environ:
        command = [sys.executable, '-m', 'gan_vae', 'train', *argv]
        return supervisor.run(command, place, workdir, supervisor.about(config))
    from gan_vae.devices import process

    process.prepare()  # before libraries start threads
    from gan_vae.training import hosts, loop

    with hosts.joined(place):
        loop.train(config, workdir)
    return 0


def evaluate(flags: Namespace) -> int:
    """Measures a run and prints a line per metric."""
    from gan_vae.evaluation.run import evaluate_run

    results = evaluate_run(
        flags.workdir,
        split=flags.split,
        metrics=flags.metrics,
        num=flags.num,
        seed=flags.seed,
        step=flags.step,
    )
    for name, result in results.items():
        line = f'{name} {result["value"]:.5g} | {result["protocol"]}'
        print(f'eval/{result["protocol"]}' if 'card' in result else line)
    return 0


def sample(flags: Namespace) -> int:
    """Writes samples of a run."""
    from gan_vae.art import sample

    folder = sample.sample(
        flags.workdir,
        num=flags.num,
        seed=flags.seed,
        step=flags.step,
        name=getattr(flags, 'class'),
        truncation=flags.truncation,
        temperature=flags.temperature,
        latents=flags.latents,
        prompt=flags.prompt,
        guidance=flags.guidance,
        top_k=flags.top_k,
        top_p=flags.top_p,
    )
    print(f'samples in {folder}, a grid of them in {folder}.png')
    return 0


def sweep(flags: Namespace, overrides: dict[str, str]) -> int:
    """Trains the runs of an experiment."""
    if not flags.sweep:
        raise UserError('--sweep is missing: try --sweep=experiments/dcgan_lr.py')
    from gan_vae.sweep.run import sweep

    sweep(
        flags.sweep,
        overrides,
        engine=flags.engine,
        parallel=flags.parallel,
        trials=flags.trials,
        seeds=flags.seeds,
        seed=flags.seed,
        storage=flags.storage,
        workdir=flags.workdir,
        retry=flags.retry,
    )
    return 0


def run(argv: list[str]) -> int:
    """Runs the mode that the flags name; the exit status. Raises UserErrors."""
    flags, overrides = flags_lib.parse(argv)
    if flags.topic:
        from gan_vae.config import sections

        print(sections.describe(flags.topic))
        return 0
    if flags.help:
        named = any(word.startswith('--mode') for word in argv)
        print(flags_lib.usage(flags.mode if named else ''))
        return 0
    if flags.mode == 'train':
        return train(flags, overrides, argv)
    if flags.mode == 'sweep':
        return sweep(flags, overrides)
    if not flags.workdir:
        raise UserError(f'--mode={flags.mode} needs --workdir=DIR, the folder of a run')
    return {'evaluate': evaluate, 'sample': sample}[flags.mode](flags)


def main(argv: list[str]) -> int:
    """The exit status: 0, or 2 for what the user can put right, 1 for a failed run."""
    try:
        return run(argv)
    except UserError as error:
        if '--debug' in argv:
            raise
        print(f'gan_vae: {error}', file=sys.stderr)
        return 1 if isinstance(error, RunError) else 2
