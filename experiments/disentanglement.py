"""Do the disentangling VAEs disentangle? MIG, DCI and SAP on toy_shapes, over seeds.

python experiments/disentanglement.py [--seeds=3] [--out=runs/disentanglement]
                                      [--models=beta_vae_shapes,...]

The `:small` configs, each trained on one core and measured on the test split by their
posterior means. What is there already is not done again: the same command goes on.
Writes OUT/MODEL-SEED, adds rows to results/disentanglement.jsonl and prints a table of
means and standard deviations over seeds. Needs the extra `metrics`.
"""

import argparse
import json
import os
import queue
import statistics
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gan_zoo import run
from speed import ROOT, append

MODELS = ('beta_vae_shapes', 'factor_vae_shapes', 'beta_tc_vae_shapes')
COLUMNS = ('mig', 'dci_disentanglement', 'dci_completeness', 'dci_informativeness')
COLUMNS += ('sap', 'psnr')


def train(cores, out: Path, name: str, seed: int) -> Path:
    folder, core = out / f'{name}-{seed}', cores.get()
    command = [
        str(ROOT / 'launch.py'),
        f'--config={ROOT}/configs/{name}.py:small',
        f'--workdir={folder}',
        f'--config.train.seed={seed}',
        '--config.eval.metrics=mig,dci,sap,pairs,latents',
    ]
    try:
        out.mkdir(parents=True, exist_ok=True)
        with open(f'{folder}.log', 'a') as log:
            run(command, core, stdout=log, stderr=log)
    finally:
        cores.put(core)
    return folder


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--seeds', type=int, default=3)
    parser.add_argument('--out', default='runs/disentanglement')
    parser.add_argument('--models', default=','.join(MODELS))
    flags = parser.parse_args()
    cores = queue.SimpleQueue()
    for core in os.sched_getaffinity(0):
        cores.put(core)
    wanted = [
        (name, seed) for seed in range(flags.seeds) for name in flags.models.split(',')
    ]
    with ThreadPoolExecutor(cores.qsize()) as pool:
        folders = list(
            pool.map(lambda task: train(cores, Path(flags.out), *task), wanted)
        )
    found: dict[str, list] = {}
    for (name, seed), folder in zip(wanted, folders, strict=True):
        summary = json.loads((folder / 'summary.json').read_text())
        results = {k.removeprefix('eval/'): v for k, v in summary['metrics'].items()}
        row = {
            'case': f'{name}:small',
            'seed': seed,
            'steps': summary['step'],
            'seconds': round(summary['seconds']),
            **{c: results[c]['value'] for c in COLUMNS},
        }
        append('disentanglement', row)
        found.setdefault(name, []).append(row)
    print('| model |', ' | '.join(COLUMNS), '|')
    for name, rows in found.items():
        cells = []
        for column in COLUMNS:
            values = [row[column] for row in rows]
            spread = f' ± {statistics.stdev(values):.3f}' if len(values) > 1 else ''
            cells.append(f'{statistics.mean(values):.3f}{spread}')
        print(f'| {name} |', ' | '.join(cells), '|')


if __name__ == '__main__':
    main()
