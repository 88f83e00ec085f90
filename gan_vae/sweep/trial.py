"""One trial: its folder, its outcome, and the process that trains it.

A trial is `python -m gan_vae train` in a process of its own, so that a crash costs one
trial. Its folder is a run folder, whose trainer resumes exactly. Events that the folder
does not show (a failure, a pruning) are lines of trials.jsonl.
"""

import json
import math
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, TextIO

from gan_vae import files
from gan_vae.errors import UserError
from gan_vae.runs import folder as run_folder
from gan_vae.sweep.plan import Metric, Trial

TRAIN = (sys.executable, '-m', 'gan_vae', 'train')
ENDED = ('finished', 'failed', 'pruned')


class Outcome(NamedTuple):
    """The state of a trial, and its value of the metric."""

    status: str  # 'waiting' | 'unfinished' | 'running' | 'stopped' or one of ENDED
    value: float | None = None  # of the metric, where finished or pruned
    error: str = ''  # the last line of a failed one


def curve(trial: Trial, name: str) -> list[tuple[int, float | None]]:
    """[(step, value)] of the metric up to the trial's budget; None: not finite."""
    rows = files.json_lines(trial.folder / 'metrics.jsonl')
    values = {row['step']: row[name] for row in rows if name in row}
    return sorted(item for item in values.items() if item[0] <= trial.steps)


def score(trial: Trial, metric: Metric) -> float | None:
    """The value by which a finished trial is ranked; None where it is not finite.

    Read at the trial's own budget, even if its run was continued beyond it.
    """
    points = curve(trial, metric.name)
    if not points or points[-1][0] != trial.steps:
        raise UserError(
            f'{trial.folder} has no {metric.name} at step {trial.steps}: the config '
            'does not measure it (config.eval.metrics)'
        )
    if metric.of == 'final':
        return points[-1][1]
    finite = [value for _, value in points if value is not None]
    best = min if metric.direction == 'min' else max
    return best(finite) if finite else None


def position(trial: Trial) -> int:
    """The last step that metrics.jsonl has, 0 before there is one."""
    rows = files.json_lines(trial.folder / 'metrics.jsonl')
    return min(rows[-1]['step'], trial.steps) if rows else 0


def outcome(trial: Trial, metric: Metric, ledger: Mapping[str, dict]) -> Outcome:
    """The state of a trial, from its folder and the last events of all trials."""
    try:
        if run_folder.read_summary(trial.folder).get('step', 0) >= trial.steps:
            value = score(trial, metric)
            if value is None or not math.isfinite(value):
                return Outcome('failed', error=f'{metric.name} is not finite')
            return Outcome('finished', value)
    except UserError as error:
        return Outcome('failed', error=str(error))
    event = ledger.get(trial.id, {})
    if event.get('status') in ('failed', 'pruned'):
        return Outcome(event['status'], event.get('metric'), event.get('error', ''))
    started = (trial.folder / 'checkpoints').is_dir()
    return Outcome('unfinished' if started else 'waiting')


def claim(trial: Trial) -> TextIO | None:
    """The trial's lock, or None while another worker (or its child) holds it.

    A lock of its own: the trainer takes the run folder's. The child inherits it, so
    that it stays while the child lives, even if the worker is killed.
    """
    trial.folder.mkdir(parents=True, exist_ok=True)
    lock = files.try_lock(trial.folder / '.trial.lock')
    if lock:
        trainer = files.try_lock(trial.folder / '.lock')
        if trainer:
            trainer.close()
            return lock
        lock.close()  # someone trains there by hand


def environment() -> dict[str, str]:
    """The environment in which a child imports the modules that this process does."""
    return os.environ | {'PYTHONPATH': os.pathsep.join(p for p in sys.path if p)}


class Child:
    """A trial in training: starts its process, polls it and stops it."""

    def __init__(self, trial: Trial, lock, share: int):
        self.trial, self._lock = trial, lock
        self._log = trial.folder / 'log.txt'
        self.started = time.monotonic()
        self.reason = ''  # for which it was stopped
        env = environment() | {'PYTHONUNBUFFERED': '1'}
        if share > 1:  # JAX takes three quarters of a GPU for itself
            env.setdefault('XLA_PYTHON_CLIENT_MEM_FRACTION', f'{0.9 / share:.3f}')
        # Ctrl-C is for the worker, which stops its children once. The lock is inherited
        # (Windows: only the trainer's own lasts when the worker is killed).
        if os.name == 'nt':
            apart = {'creationflags': subprocess.CREATE_NEW_PROCESS_GROUP}
        else:
            apart = {'pass_fds': (lock.fileno(),), 'process_group': 0}
        with open(self._log, 'ab') as log:
            self._offset = log.tell()
            self.process = subprocess.Popen(
                [*TRAIN, *trial.flags()],
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                **apart,
            )

    def stop(self, why: str):
        """Lets it save and end: one signal, as a second would end it at once."""
        if not self.reason:
            self.reason = why
            self.process.send_signal(signal.SIGTERM)

    def kill(self):
        """Ends it at once; its last checkpoint stands."""
        self.reason = self.reason or 'killed'
        self.process.kill()

    def ended(self, metric: Metric) -> Outcome | None:
        """None while it runs; then its outcome, and its lock is free."""
        status = self.process.poll()
        if status is None:
            return None
        self._lock.close()
        result = outcome(self.trial, metric, {})
        if result.status in ENDED:  # also one that was stopped too late
            return result
        if self.reason == 'pruned':
            values = [v for _, v in curve(self.trial, metric.name) if v is not None]
            return Outcome('pruned', values[-1] if values else None)
        if self.reason or status == 0:
            return Outcome('stopped')
        return Outcome('failed', error=self._last_line(status))

    def _last_line(self, status: int) -> str:
        """The last message of its log, or the signal that ended it."""
        if status < 0:
            return f'ended by {signal.Signals(-status).name}; see {self._log}'
        with open(self._log, 'rb') as log:
            log.seek(self._offset)
            text = log.read().decode(errors='replace')
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        own = [line for line in lines if line.startswith('gan_vae: ')]
        return (own or lines or [f'exit status {status}'])[-1].removeprefix('gan_vae: ')


def record(workdir: Path, trial: Trial, status: str, result: Outcome, seconds: float):
    """Appends an event to trials.jsonl."""
    event = {
        'trial': trial.id,
        'overrides': trial.overrides,
        'seed': trial.seed,
        'status': status,
        'metric': result.value,
        'seconds': round(seconds, 1),
        'host': platform.node(),
    }
    if result.error:
        event['error'] = result.error
    with files.lock(workdir / 'trials.jsonl') as file:  # other workers append too
        file.write(json.dumps(event) + '\n')


def ledger(workdir: Path) -> dict[str, dict]:
    """{trial: its last event} of trials.jsonl."""
    events = files.json_lines(workdir / 'trials.jsonl')
    return {event['trial']: event for event in events}
