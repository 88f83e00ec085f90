"""Which GAN learns the most in the same time? The `:small` configs, with one budget.

python experiments/gan_zoo.py [--minutes=10] [--data=cifar10] [--out=runs/gan_zoo]
                              [--models=dcgan_cifar,...] [--augment=POLICY]

Each model trains on one core of its own, for as many minutes of it: its steps are the
budget over the CPU time of one step, measured before. All see the same set, mirrored,
with the same DiffAugment if any, in batches of 32, and are scored by the same panel,
1,000 samples against the training split, at the checkpoint with the least swd (of 500
samples, one eighth of the run apart) and at the end. What is there already is not done
again: the same command goes on. Writes OUT/report.html, and a picture of all grids
beside the table.
"""

import argparse
import json
import os
import queue
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from speed import ROOT, append

MODELS = (
    'dcgan_cifar',
    'lsgan_cifar',
    'wgan_gp_cifar',
    'sngan_cifar',
    'sagan_cifar',
    'biggan_cifar',
    'infogan_mnist',
)
MEASURES = 'swd,kid_efficientnet_lite0,pr_efficientnet_lite0,originality_random'
COLUMNS = ('swd', 'kid_efficientnet_lite0', 'precision_efficientnet_lite0')
COLUMNS += ('recall_efficientnet_lite0', 'near_random')
EIGHTHS = 8


def settings(data: str, augment: str = '') -> dict[str, str]:
    """What is the same for all."""
    return {
        'data.name': data,
        'data.image_size': '32',
        'data.channels': '3',
        'data.batch_size': '32',
        'data.flip': 'True',
        'method.augment': augment,
        'method.ema_decay': '0.998',
        'optimizer.schedule': 'constant',
        'eval.metrics': 'swd',
        'eval.num_samples': '500',
        'train.best_metric': 'min:eval/swd',
    }


def seconds_a_step(name: str, data: str) -> float:
    """CPU seconds of one training step, after compilation."""
    import jax

    from gan_vae import config as config_lib
    from gan_vae import data as data_lib
    from gan_vae.data.source import Source
    from gan_vae.devices.mesh import put
    from gan_vae.runs.program import build

    config = config_lib.load(str(ROOT / 'configs' / f'{name}.py:small'), settings(data))
    examples = data_lib.examples(config.data, 'train')
    program = build(config, examples.spec)
    size = config.data.batch_size * program.method.updates_per_step
    source = Source(examples, size)
    init = jax.jit(program.method.init, out_shardings=program.sharding)
    state = init(jax.random.key(0))

    def take(first, last):
        nonlocal state
        for step in range(first, last):
            batch = put(source.batch(step), program.mesh)
            state, _ = jax.block_until_ready(program.train_step(state, batch))

    take(0, 3)  # compiles
    begin = time.process_time()
    take(3, 23)
    return (time.process_time() - begin) / 20


def run(command: list, core: int | None = None, **options):
    """subprocess.run of Python, which may use this core alone if one is given."""
    return subprocess.run(
        (['taskset', '-c', str(core)] if core is not None else [])
        + [sys.executable, *command],
        check=True,
        env=os.environ | {'PYTHONPATH': str(ROOT)},
        **options,
    )


def steps_of(core: int, out: Path, name: str, data: str, minutes: float) -> int:
    """The model's steps, a multiple of EIGHTHS; kept in OUT."""
    file = out / f'{name}_{data}_{minutes:g}.steps'
    if not file.exists():
        command = [__file__, f'--time={name}', f'--data={data}']
        found = run(command, core, stdout=subprocess.PIPE, text=True)
        steps = 60 * minutes / float(found.stdout.splitlines()[-1])
        out.mkdir(parents=True, exist_ok=True)
        file.write_text(str(max(1, round(steps / EIGHTHS)) * EIGHTHS))
    return int(file.read_text())


def train(core: int, folder: Path, name: str, data: str, augment: str, steps: int):
    every = steps // EIGHTHS
    given = settings(data, augment) | {
        'train.steps': steps,
        'train.checkpoint_steps': every,
        'train.image_steps': every,
        'train.log_steps': max(1, steps // 100),
    }
    command = [
        str(ROOT / 'launch.py'),
        f'--config={ROOT}/configs/{name}.py:small',
        f'--workdir={folder}',
        *(f'--config.{key}={value}' for key, value in given.items()),
    ]
    with open(f'{folder}.log', 'a') as log:
        run(command, core, stdout=log, stderr=log)


def best_step(folder: Path) -> int:
    """The checkpoint with the least swd, as the run measured it."""
    lines = [json.loads(line) for line in open(folder / 'metrics.jsonl')]
    found = {r['step']: r['eval/swd'] for r in lines if r.get('eval/swd') is not None}
    return min(found, key=found.get)


def score(folder: Path, step: int) -> dict:
    """{metric: card} of one checkpoint, from evaluation.jsonl if it is there."""
    file = folder / 'evaluation.jsonl'
    for _ in range(2):
        lines = file.read_text().splitlines() if file.exists() else []
        for line in map(json.loads, lines):
            if line['step'] == step:
                return {
                    key.removeprefix('eval/'): result['card']
                    for key, result in line['metrics'].items()
                    if 'card' in result
                }
        run(
            [str(ROOT / 'launch.py'), '--mode=evaluate', f'--workdir={folder}']
            + [f'--step={step}', f'--metrics={MEASURES}', '--num=1000']
        )
    raise RuntimeError(f'{file} lacks step {step}')


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--minutes', type=float, default=10)
    parser.add_argument('--data', default='cifar10')
    parser.add_argument('--augment', default='')
    parser.add_argument('--out', default='runs/gan_zoo')
    parser.add_argument('--models', default=','.join(MODELS))
    parser.add_argument('--time', help=argparse.SUPPRESS)
    flags = parser.parse_args()
    if flags.time:
        return print(seconds_a_step(flags.time, flags.data))

    out, models = Path(flags.out), flags.models.split(',')
    cores = queue.SimpleQueue()
    for core in os.sched_getaffinity(0):
        cores.put(core)

    def trained(name):
        folder, core = out / name.rpartition('_')[0], cores.get()
        try:
            steps = steps_of(core, out, name, flags.data, flags.minutes)
            train(core, folder, name, flags.data, flags.augment, steps)
        finally:
            cores.put(core)
        return folder

    with ThreadPoolExecutor(cores.qsize()) as pool:
        folders = list(pool.map(trained, models))
    rows = []
    for name, folder in zip(models, folders, strict=True):
        summary = json.loads((folder / 'summary.json').read_text())
        for which, step in (('best', best_step(folder)), ('final', summary['step'])):
            cards = score(folder, step)
            row = {
                'case': f'{name}:small, {which}',
                'minutes': flags.minutes,
                'steps': step,
                'seconds': round(summary['seconds']),
                'data': flags.data,
                'augment': flags.augment,
                'seed': 0,
                **{c: cards[c]['value'] for c in COLUMNS},
                'null': {c: cards[c]['null'] for c in COLUMNS},
                'spread': {c: cards[c]['spread'] for c in COLUMNS},
            }
            append('gan_zoo', row)
            rows.append(row)
    print_table(rows)
    places = [str(folder) for folder in folders]
    run(['-m', 'gan_vae.evaluation', 'report', *places, f'--out={out}/report.html'])
    contact_sheet(folders, out / 'gan_zoo.png')


def print_table(rows: list[dict]):
    print('| model | step | ' + ' | '.join(COLUMNS) + ' |')
    print('| --- ' * (2 + len(COLUMNS)) + '|')
    for row in rows:
        values = ' | '.join(_plus_minus(row[c], row['spread'][c]) for c in COLUMNS)
        print(f'| {row["case"]} | {row["steps"]} | {values} |')
    null = ' | '.join(f'{rows[0]["null"][c]:.3g}' for c in COLUMNS)
    print(f'| real against real | | {null} |')


def _plus_minus(value: float, spread: float | None) -> str:
    return f'{value:.3g}' + (f' ± {spread:.1g}' if spread else '')


def contact_sheet(folders: list[Path], out: Path, rows: int = 4, columns: int = 8):
    """The first samples of each run's last grid, a band of `rows` for each."""
    import numpy as np
    from PIL import Image, ImageDraw

    bands = []
    for folder in folders:
        picture = Image.open(sorted((folder / 'samples').glob('*.png'))[-1])
        cells = (34 * columns + 2, 34 * rows + 2)
        band = (
            picture.convert('RGB')
            .crop((0, 0, *cells))
            .resize((2 * cells[0], 2 * cells[1]), Image.Resampling.NEAREST)
        )
        sheet = Image.new('RGB', (band.width, band.height + 20), 'white')
        ImageDraw.Draw(sheet).text((4, 4), folder.name, fill='black')
        sheet.paste(band, (0, 20))
        bands.append(np.asarray(sheet))
    Image.fromarray(np.concatenate(bands)).save(out)


if __name__ == '__main__':
    main()
