"""Which model draws by words best after the same time of a core? Rows of prompts.jsonl.

taskset -c 0 python -m benchmarks.quality.prompt_minutes FOLDER [--minutes=10]

Each case is trained in FOLDER/CASE for as many steps as take so many minutes of CPU
time, by the time of a few steps that are measured first; compilation and evaluation are
not counted. A prior over codes gives half of its time to its tokeniser, and both priors
take that of FOLDER/transformer. Each is then measured as by benchmarks.quality.prompts.
The same command goes on where it stopped.
"""

import argparse
import time
from pathlib import Path

import jax

import gan_vae as gv
from benchmarks.quality import prompts
from benchmarks.rows import ROOT, report
from gan_vae.devices.mesh import put
from gan_vae.runs import folder as run_folder
from gan_vae.training import loop

CASES = {
    'transformer': 'prompt_art.py',
    'masked_transformer': 'prompt_art.py:masked',
    'df_gan': 'df_gan_art.py',
}
SKIPPED, TIMED = 3, 12  # steps of a measurement; the penalty acts every fourth


def seconds_a_step(case: str, folder: Path, **method) -> float:
    """CPU seconds, of all threads, of a step; method: its settings that differ."""
    changes = {f'method.{key}': value for key, value in method.items()}
    setup = loop.set_up(loaded(case, changes), folder / 'timed')
    _, state = loop.initial(setup)
    for step in range(SKIPPED + TIMED):
        if step == SKIPPED:
            jax.block_until_ready(state)
            start = time.process_time()
        batch = put(setup.source.batch(step), setup.program.mesh)
        state, _ = setup.program.train_step(state, batch)
    jax.block_until_ready(state)
    return (time.process_time() - start) / TIMED


def loaded(case: str, changes: dict):
    return gv.load_config(f'{ROOT}/configs/{CASES[case]}', changes)


def planned(case: str, folder: Path, minutes: float):
    """The config of a case, whose steps take that time."""
    if case == 'df_gan':
        return loaded(
            case, {'train.steps': round(60 * minutes / seconds_a_step(case, folder))}
        )
    half = 30 * minutes
    prior = round(half / seconds_a_step(case, folder, tokeniser_steps=1))
    if case == 'transformer':
        first = round(half / seconds_a_step(case, folder))
        changes = {'method.tokeniser_steps': first, 'train.steps': first + prior}
    else:
        changes = {
            'train.init_from': str(folder / 'transformer'),
            'method.tokeniser_steps': 0,
            'train.steps': prior,
        }
    return loaded(case, changes)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('folder', type=Path)
    parser.add_argument('--minutes', type=float, default=10.0)
    parser.add_argument('--cases', default=','.join(CASES))
    parser.add_argument('--num', type=int, default=512)
    parser.add_argument('--dry', action='store_true', help='append no rows')
    flags = parser.parse_args()
    for case in flags.cases.split(','):
        run = flags.folder / case
        if (run / 'config.json').exists():
            config = run_folder.read_config(run)
        else:
            config = planned(case, flags.folder, flags.minutes)
        gv.train(config, run)
        row = prompts.measure(str(run), flags.num, None) | {'minutes': flags.minutes}
        report('prompts', row, flags.dry)


if __name__ == '__main__':
    main()
