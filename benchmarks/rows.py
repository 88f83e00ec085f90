"""The one writer of results: rows of benchmarks/results/NAME.jsonl."""

import contextlib
import datetime
import json
import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from gan_vae.runs import folder

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / 'benchmarks' / 'results'
PICTURES = ROOT / 'docs' / 'pictures'


def append(name: str, row: dict):
    """Adds a row, with date, hardware, versions and commit, to results/NAME.jsonl."""
    row = row | {
        'date': datetime.date.today().isoformat(),
        'hardware': f'{cores()} cores of {processor()}',
        'versions': versions(),
        'commit': folder.git_commit(),
    }
    with open(RESULTS / f'{name}.jsonl', 'a') as file:
        file.write(json.dumps(row) + '\n')


def report(name: str, row: dict, dry: bool):
    """Prints a row, and appends it unless `dry`."""
    print(row, flush=True)
    if not dry:
        append(name, row)


def row_of_process(module: str, *flags: str, **environment: str) -> dict:
    """The row that `python -m module` prints as JSON, of a fresh process on CPUs."""
    process = subprocess.run(
        [sys.executable, '-m', module, *flags],
        env=os.environ | {'JAX_PLATFORMS': 'cpu'} | environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(process.stdout.splitlines()[-1])


def cores() -> int:
    """The number of cores that this process may use (fewer under taskset)."""
    return len(getattr(os, 'sched_getaffinity', lambda _: range(os.cpu_count()))(0))


def processor() -> str:
    """The processor's name, such as 'AMD EPYC 7B13'."""
    if platform.system() != 'Linux':
        return platform.processor()
    lines = Path('/proc/cpuinfo').read_text().splitlines()
    names = [line.split(':')[1].strip() for line in lines if line[:10] == 'model name']
    return names[0] if names else platform.machine()


def versions() -> dict[str, str]:
    """Versions of the packages that are compared, where they are installed."""
    installed = {}
    for name in ('jax', 'flax', 'optax', 'torch'):
        with contextlib.suppress(metadata.PackageNotFoundError):
            installed[name] = metadata.version(name)
    return installed
