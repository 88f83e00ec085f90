"""python -m gan_vae.sweep.rehearsal CONFIG OVERRIDES_JSON: the metrics of a run.

Prints the names of its evaluations as a JSON list, and trains nothing. In a process of
its own, on the CPU, so that the worker of a sweep holds no data and no accelerator.
"""

import json
import sys

from gan_vae import interrupt
from gan_vae.errors import UserError, unknown
from gan_vae.sweep.plan import Experiment, Trial
from gan_vae.sweep.trial import environment


def check(experiment: Experiment, trial: Trial):
    """Raises a UserError if the trial's run will not give the experiment's metric."""
    done = interrupt.run(
        [sys.executable, '-m', __name__, trial.config, json.dumps(trial.overrides)],
        env=environment() | {'JAX_PLATFORMS': 'cpu'},
    )
    output = done.stderr if done.returncode else done.stdout
    *_, last = ['no output', *output.strip().splitlines()]
    if done.returncode:
        raise UserError(last.removeprefix('gan_vae: '))
    names = json.loads(last)
    if experiment.metric.name not in names:
        raise unknown(f'METRIC of {experiment.file}:', experiment.metric.name, names)


def main(spec: str, overrides: str):
    from gan_vae import config as config_lib
    from gan_vae import data
    from gan_vae.evaluation import measures
    from gan_vae.runs.program import build

    # The devices of this machine's CPU are not those that the run will have.
    values = json.loads(overrides) | {'parallel.devices': '1'}
    config = config_lib.load(spec, values)
    text = None if config.data.text == 'none' else data.training(config.data).spec.text
    held_out = data.examples(config.data, config.data.eval_split, text)
    program = build(config, held_out.spec)
    print(json.dumps(measures.names(config, program, held_out)))


if __name__ == '__main__':
    try:
        main(*sys.argv[1:])
    except UserError as error:
        sys.exit(f'gan_vae: {error}')
