"""kill -9 at moments of a seeded schedule, until a run is through: the same bits.

GAN_VAE_KILLS=100 python -m pytest -n0 -s -m slow tests/test_kills.py

A run that ends before it could be killed once more is compared, and another begun.
"""

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter

import pytest

KILLS = int(os.environ.get('GAN_VAE_KILLS', '3'))
STEPS = 400
COMMAND = [
    sys.executable,
    'launch.py',
    '--config=configs/mlp_gan_mnist.py:tiny',
    f'--config.train.steps={STEPS}',
    '--config.train.checkpoint_steps=20',
    '--config.train.image_steps=50',
    '--config.eval.every_steps=50',
]
LAST = f'checkpoints/{STEPS}'
PHASES = {  # from when on, and within how many seconds then, a kill comes
    'start-up': (lambda folder, said, before: True, 3.0),
    'compilation': (lambda folder, said, before: ' steps' in said(), 1.5),
    'steps': (lambda folder, said, before: said().count('\nstep ') > 3, 0.5),
    'save': (lambda folder, said, before: any(folder.glob('checkpoints/*tmp*')), 0.05),
    'evaluation': (lambda folder, said, before: pictures(folder) > before, 0.3),
    'finish': (lambda folder, said, before: (folder / LAST).exists(), 1.0),
}


def pictures(folder):
    return len(list(folder.glob('samples/*.png')))


def start(folder, output):
    environment = os.environ | {
        'XLA_FLAGS': os.environ['XLA_FLAGS'].replace('=4', '=1')
    }
    return subprocess.Popen(
        [*COMMAND, f'--workdir={folder}'],
        env=environment,
        stdout=output,
        stderr=subprocess.STDOUT,
    )


def killed(folder, phase, delay):
    """Whether the run could be killed in this phase before it ended well."""
    log = folder.parent / f'{folder.name}.txt'
    condition, _ = PHASES[phase]
    before = pictures(folder)
    with open(log, 'w') as output:
        process = start(folder, output)
    try:
        while not condition(folder, log.read_text, before):
            if process.poll() is not None:
                break
            time.sleep(0.002)
        else:
            try:
                process.wait(delay)
            except subprocess.TimeoutExpired:
                process.kill()
    finally:
        if process.poll() is None:
            process.kill()
        status = process.wait()
    assert status in (0, -9), log.read_text()
    assert 'damaged' not in log.read_text()
    return status == -9


def summary(folder):
    return json.loads((folder / 'summary.json').read_text())


@pytest.mark.slow
def test_a_run_that_is_killed_at_any_moment_ends_with_the_same_bits(tmp_path):
    with open(tmp_path / 'straight.txt', 'w') as output:
        assert start(tmp_path / 'straight' / 'run', output).wait(600) == 0
    expected = summary(tmp_path / 'straight' / 'run')
    schedule = random.Random(0)
    number, done, runs = 0, Counter(), 0
    while True:
        folder = tmp_path / str(number) / 'run'  # one name: a card has it
        folder.parent.mkdir(exist_ok=True)
        phase = schedule.choice(list(PHASES)) if done.total() < KILLS else ''
        if phase:
            if killed(folder, phase, schedule.uniform(0, PHASES[phase][1])):
                done[phase] += 1
                print(f'kill {done.total()} of {KILLS}: {phase}', flush=True)
                continue
        else:
            with open(tmp_path / 'last.txt', 'w') as output:
                assert start(folder, output).wait(600) == 0
        found = summary(folder)
        runs += 1
        assert found['state_sha256'] == expected['state_sha256']
        assert found['metrics'] == expected['metrics']
        lines = [json.loads(line) for line in open(folder / 'metrics.jsonl')]
        steps = [line['step'] for line in lines if 'train/loss_g' in line]
        assert steps == list(range(1, STEPS + 1))
        number += 1
        if not phase:
            break
    print(f'{done.total()} kills {dict(done)}, {runs} runs with the same hash')
