"""Which GAN learns most in equal processor time? Rows of learning_speed.jsonl.

python -m benchmarks.quality.learning_speed dcgan stylegan2 --minutes=20
python -m benchmarks.quality.learning_speed dcgan --minutes=20 --data=folder:PATH

Each method is trained in a process of its own until that has taken so many minutes of
processor time, compilation included: 20 are 10 minutes of two idle cores, and other
work on the machine takes none of them. The run then stops at a signal, and its
averaged weights are measured. A run that exists goes on, so --minutes=120 after
--minutes=20 takes another 100 (its clock is the file minutes.txt of the run).
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import gan_vae as gv
from benchmarks.rows import ROOT, report
from gan_vae import extractors
from gan_vae.errors import UserError

METRICS = (
    'swd,pr_random,kid_random,fd_classifier,kid_classifier,fd_vgg_hed,kid_vgg_hed,'
    'originality_random'
)
METHODS = {  # the config, and what is unlike it: batches and rates are each method's
    'dcgan': ('dcgan_art.py', {}),
    'stylegan2': ('stylegan2_cifar.py:small', {'data.batch_size': 32}),
    'fastgan': ('fastgan_emoji.py', {'data.batch_size': 16}),
    'projected': ('projected_gan_emoji.py:small', {}),
    'r3gan': ('r3gan_cifar.py:small', {}),
}
SHARED = {
    'data.flip': False,
    'method.ema_half_life': 10_000.0,
    'train.steps': 1_000_000,  # never reached
    'train.checkpoint_steps': 500,
    'train.image_steps': 500,
    'eval.metrics': '',
}


def processor_time(process: subprocess.Popen) -> float:
    """Seconds that a process and its threads have taken; Linux."""
    fields = Path(f'/proc/{process.pid}/stat').read_text().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def train(method: str, data: str, seed: int, minutes: float, folder: Path) -> Path:
    """The run of a method, trained for so many minutes of processor time in all."""
    config, changes = METHODS[method]
    run = folder / f'{method}-{data.replace("/", "-")}-{seed}'
    changes = SHARED | changes | {'data.name': data, 'train.seed': seed}
    return train_for(minutes, run, config, changes)


def train_for(minutes: float, run: Path, config: str, changes: dict) -> Path:
    """A run of configs/`config`, trained for so many minutes in all."""
    clock = run / 'minutes.txt'
    before = float(clock.read_text()) if clock.exists() else 0.0
    if before >= minutes:
        return run
    process = subprocess.Popen(
        [
            *(sys.executable, 'launch.py', f'--config=configs/{config}'),
            f'--workdir={run}',
            *(f'--config.{key}={value}' for key, value in changes.items()),
        ],
        cwd=ROOT,
    )
    while process.poll() is None:
        time.sleep(1)
        taken = processor_time(process) / 60
        if before + taken >= minutes:
            process.send_signal(signal.SIGTERM)
            process.wait()
            clock.write_text(f'{before + taken:.2f}')
            return run
    raise SystemExit(f'{run} ended with status {process.returncode}')


def measure(
    run: Path, method: str, data: str, seed: int, num: int, metrics: str
) -> dict:
    """The row of a run; its metrics are {name: [value, that of two real sets]}."""
    from gan_vae.evaluation.run import evaluate_run

    results = evaluate_run(run, '', metrics, num, 0, None)
    cards = {n: r['card'] for n, r in results.items() if 'card' in r}
    return {
        'case': f'{method} {data}',
        'seed': seed,
        'step': gv.open(run).record['step'],
        'minutes': float((run / 'minutes.txt').read_text()),
        'metrics': {
            name.removeprefix('eval/'): [card['value'], card['null']]
            for name, card in cards.items()
        },
        'num': num,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('methods', nargs='+', metavar='METHOD', choices=[*METHODS])
    parser.add_argument('--minutes', type=float, default=20.0)
    parser.add_argument('--data', default='art')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--num', type=int, default=1000)
    parser.add_argument('--out', type=Path, default=Path('runs/learning_speed'))
    parser.add_argument('--dry', action='store_true', help='append no rows')
    parser.add_argument('--metrics', default=METRICS)
    flags = parser.parse_args()
    try:  # what it lacks is known before training
        if 'vgg_hed' in flags.metrics:
            extractors.load('vgg_hed')
    except UserError as error:
        raise SystemExit(str(error)) from error
    for method in flags.methods:
        place = method, flags.data, flags.seed
        run = train(*place, flags.minutes, flags.out.resolve())
        row = measure(run, *place, flags.num, flags.metrics)
        report('learning_speed', row, flags.dry)


if __name__ == '__main__':
    main()
