"""Experiment files, and sweeps whose trials are trained by tests/sweep/trainer.py."""

import subprocess
import sys
from pathlib import Path

import pytest

from gan_vae.sweep import run, trial

TRAINER = Path(__file__).with_name('trainer.py')
SCRIPT = f"""
import sys
from gan_vae import interrupt
from gan_vae.sweep import run, trial
trial.TRAIN = (sys.executable, {str(TRAINER)!r})
run.rehearsal.check = lambda *_: None
run._POLL = run._WAIT = 0.05
with interrupt.listening():
    CALL
"""
HEAD = """
CONFIG = 'configs/dcgan_emoji.py:tiny'
METRIC = ('eval/swd', 'min', 'final')
"""
GRID = """
def sweep(add):
    for rate in (1e-4, 2e-4, 4e-4):
        add({'optimizer.learning_rate': rate})
"""
SPACE = """
def space(draw):
    draw.log_uniform('optimizer.learning_rate', 1e-5, 1e-2)
    draw.choice('model.width', [8, 16])
"""


@pytest.fixture
def write(tmp_path):
    """write(text) -> the path of an experiment file that has this text."""

    def made(text: str) -> str:
        file = tmp_path / 'ask.py'
        file.write_text(text)
        return str(file)

    return made


@pytest.fixture
def quick(monkeypatch, tmp_path):
    """sweep(spec, fixed, **options) with the stand-in trainer, in tmp_path/sweep."""
    monkeypatch.setattr(trial, 'TRAIN', (sys.executable, str(TRAINER)))
    monkeypatch.setattr(run.rehearsal, 'check', lambda *_: None)
    monkeypatch.setattr(run, '_POLL', 0.02)
    monkeypatch.setattr(run, '_WAIT', 0.02)

    def sweep(spec, fixed=None, **options):
        where = {'workdir': str(tmp_path / 'sweep')}
        return run.sweep(spec, fixed or {}, **where | options)

    return sweep


@pytest.fixture
def worker(tmp_path):
    """Starts the same in a process (and session) of its own; options as text."""

    def start(spec: str, options: str = '') -> subprocess.Popen:
        call = (
            f'run.sweep({spec!r}, {{}}, workdir={str(tmp_path / "sweep")!r}, {options})'
        )
        return subprocess.Popen(
            [sys.executable, '-c', SCRIPT.replace('CALL', call)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    return start
