"""Exact resume: kill the command at any moment, run it again, get the same bits."""

import functools
import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import jax
import numpy as np
import pytest
from PIL import Image

from gan_vae import config as config_lib
from gan_vae.data.source import Spec
from gan_vae.errors import RunError, UserError
from gan_vae.learning.state import abstract_state, named_leaves, sha256
from gan_vae.runs import checkpoint
from gan_vae.runs.checkpoint import Checkpoints
from gan_vae.runs.program import build
from gan_vae.training import loop

STEPS = 40
OVERRIDES = {
    'train.steps': str(STEPS),
    'train.checkpoint_steps': '5',
    'train.log_steps': '5',
    'train.image_steps': '20',
    'data.image_size': '16',
}


def load(devices=1, **changes):
    changes = {'parallel.devices': str(devices)} | OVERRIDES | changes
    return config_lib.load('configs/dcgan_emoji.py:tiny', changes)


def start(workdir, devices=1, preexec=None, **changes):
    """The command of a user, in a process of its own, whose programs are in the cache
    where this process has run them."""
    changes = {'parallel.devices': str(devices)} | OVERRIDES | changes
    flags = [f'--config.{k}={v}' for k, v in changes.items()]
    return subprocess.Popen(
        [
            sys.executable,
            'launch.py',
            '--config=configs/dcgan_emoji.py:tiny',
            f'--workdir={workdir}',
            *flags,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=preexec,
    )


def wait_for(condition, process, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.stdout.read()
        assert time.monotonic() < end
        time.sleep(0.002)


def finish(workdir, devices=1, **changes):
    """Runs the command to its end; its summary."""
    process = start(workdir, devices, **changes)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    return json.loads((workdir / 'summary.json').read_text())


@pytest.fixture(scope='module')
def straight_on(tmp_path_factory):
    """straight_on(2): the summary of an uninterrupted run in this process, on so many
    devices: bits are promised under equal XLA flags."""
    return functools.cache(
        lambda n: loop.train(load(n), tmp_path_factory.mktemp(f'straight{n}'))
    )


@pytest.fixture(scope='module')
def straight(straight_on):
    """That on one device."""
    return straight_on(1)


@pytest.mark.slow
@pytest.mark.parametrize('devices', [1, 2])
def test_kill_inside_a_save_then_the_same_command(devices, tmp_path, straight_on):
    folder, straight = tmp_path / 'checkpoints', straight_on(devices)
    process = start(tmp_path, devices)
    late = re.compile(r'(1\d|2\d|3\d)\..*tmp')  # a save of step 10 or later
    wait_for(lambda: any(late.match(f.name) for f in folder.glob('*tmp*')), process)
    process.kill()
    process.wait()
    assert list(folder.glob('*tmp*'))
    with open(tmp_path / 'metrics.jsonl', 'a') as file:
        file.write('{"step": 39, "train/lo')  # as a kill would leave it
    summary = finish(tmp_path, devices)
    assert not list(folder.glob('*tmp*'))
    assert summary['state_sha256'] == straight['state_sha256']
    record = [json.loads(line) for line in open(tmp_path / 'metrics.jsonl')]
    steps = [r['step'] for r in record if 'train/loss_g' in r]
    assert steps == list(range(5, STEPS + 1, 5))


@pytest.mark.slow
@pytest.mark.parametrize('number', [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_stopped_between_saves_then_the_same_command(number, tmp_path, straight):
    process = start(tmp_path, **{'train.checkpoint_steps': '15'})
    record = tmp_path / 'metrics.jsonl'
    wait_for(lambda: record.exists() and '"step": 20' in record.read_text(), process)
    process.send_signal(number)
    output, _ = process.communicate(timeout=60)
    if number != signal.SIGKILL:
        assert process.returncode == 0, output
        assert f'{number.name}: saved step' in output
    if number != signal.SIGINT:  # which goes the way of SIGTERM
        summary = finish(tmp_path, **{'train.checkpoint_steps': '15'})
        assert summary['state_sha256'] == straight['state_sha256']


@pytest.mark.slow
def test_finished_run_is_left_alone_and_can_go_on(tmp_path, straight, capsys):
    first = loop.train(load(**{'train.steps': '20'}), tmp_path)
    assert loop.train(load(**{'train.steps': '20'}), tmp_path) == first
    assert 'already at step 20' in capsys.readouterr().out
    assert loop.train(load(), tmp_path)['state_sha256'] == straight['state_sha256']
    with pytest.raises(UserError, match='at step 40 already'):
        loop.train(load(**{'train.steps': '20'}), tmp_path)


@pytest.mark.slow
def test_damaged_newest_checkpoint_is_set_aside(tmp_path, straight, capsys):
    loop.train(load(**{'train.steps': '20'}), tmp_path)
    largest = max(
        (tmp_path / 'checkpoints' / '20').rglob('*'), key=lambda f: f.stat().st_size
    )
    data = bytearray(largest.read_bytes())
    data[len(data) // 2] ^= 0xFF
    largest.write_bytes(data)
    summary = loop.train(load(), tmp_path)
    assert 'checkpoint 20 is damaged' in capsys.readouterr().out
    assert (tmp_path / 'damaged' / '20').is_dir()
    assert summary['state_sha256'] == straight['state_sha256']


@pytest.mark.slow
def test_all_checkpoints_damaged_is_an_error_not_a_new_run(tmp_path):
    loop.train(load(**{'train.steps': '5'}), tmp_path)
    for file in (tmp_path / 'checkpoints').rglob('manifest.ocdbt'):
        file.write_bytes(b'')
    with pytest.raises(UserError, match='no checkpoint in .* can be used'):
        loop.train(load(), tmp_path)


@pytest.mark.slow
def test_another_config_is_refused_with_its_keys(tmp_path):
    loop.train(load(**{'train.steps': '5'}), tmp_path)
    with pytest.raises(UserError, match='model.width: 8 -> 16; train.seed: 0 -> 1'):
        loop.train(load(**{'model.width': '16', 'train.seed': '1'}), tmp_path)


def test_divergence_names_step_metric_and_last_good_checkpoint(tmp_path, monkeypatch):
    def breaking(config, spec):
        program = build(config, spec)

        def train_step(state, batch):
            state, metrics = program.train_step(state, batch)
            broken = jax.numpy.where(state.step >= 12, np.nan, metrics['loss_g'])
            return state, metrics | {'loss_g': broken}

        return program._replace(train_step=train_step)

    monkeypatch.setattr(loop, 'build', breaking)
    with pytest.raises(
        RunError, match='step 12: loss_g is nan; checkpoint 10 is the last'
    ):
        loop.train(load(), tmp_path)
    assert sorted(f.name for f in (tmp_path / 'checkpoints').iterdir()) == ['10', '5']


def test_a_state_that_is_not_finite_is_not_saved(tmp_path, monkeypatch):
    def breaking(config, spec):
        program = build(config, spec)

        def train_step(state, batch):
            state, metrics = program.train_step(state, batch)
            if int(state.step) == 10:
                state = state.replace(ema=jax.tree.map(lambda x: x * np.nan, state.ema))
            return state, metrics

        return program._replace(train_step=train_step)

    monkeypatch.setattr(loop, 'build', breaking)
    with pytest.raises(RunError, match='step 10: ema/.* is not finite; checkpoint 5'):
        loop.train(load(), tmp_path)


@pytest.mark.slow
def test_a_full_disk_is_one_line_and_earlier_checkpoints_stay(tmp_path, straight):
    finish(tmp_path, **{'train.steps': '10'})
    largest = max(f.stat().st_size for f in tmp_path.rglob('*') if f.is_file())

    def fill():  # no file may reach the size that a checkpoint's largest has
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest // 2,) * 2)

    process = start(tmp_path, preexec=fill)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 1 and 'Traceback' not in output, output
    assert 'gan_vae: could not save a checkpoint' in output
    summary = finish(tmp_path)
    assert summary['state_sha256'] == straight['state_sha256']


def test_a_folder_is_trained_in_by_one_process(tmp_path):
    from gan_vae.runs import folder as run_folder

    with (
        run_folder.claim(tmp_path, load()),
        pytest.raises(UserError, match='another process'),
    ):
        run_folder.claim(tmp_path, load())


@pytest.mark.slow
def test_changed_data_are_noticed(tmp_path, monkeypatch):
    loop.train(load(**{'train.steps': '5'}), tmp_path)
    examples = loop.data.examples

    def changed(*given):
        found = examples(*given)
        return found._replace(images=255 - found.images)

    monkeypatch.setattr(loop.data, 'examples', changed)
    with pytest.raises(UserError, match='the data have changed'):
        loop.train(load(), tmp_path)


@pytest.mark.slow
def test_a_changed_module_of_the_users_own_is_told(tmp_path, monkeypatch, capsys):
    file = tmp_path / 'mine' / 'half.py'
    file.parent.mkdir()
    file.write_text(
        'from gan_vae.objectives.adversarial import LOSSES\nLOSS = LOSSES["hinge"]\n'
    )
    monkeypatch.syspath_prepend(tmp_path)
    own = {'method.loss': 'mine.half'}
    loop.train(load(**own, **{'train.steps': '2'}), tmp_path / 'run')
    loop.train(load(**own, **{'train.steps': '3'}), tmp_path / 'run')
    assert 'warning' not in capsys.readouterr().out
    file.write_text(file.read_text() + '# and a word\n')
    loop.train(load(**own, **{'train.steps': '4'}), tmp_path / 'run')
    assert 'warning: mine.half changed since step 3' in capsys.readouterr().out


def test_best_checkpoint_is_remembered_across_openings(tmp_path):
    config = load()
    method = build(config, Spec(16, 16, 3)).method
    state = jax.jit(method.init)(jax.random.key(0))
    values = {1: 3.0, 2: 1.0, 3: 2.0}
    for step, value in values.items():  # a new manager each time, as after a restart
        checkpoints = Checkpoints(tmp_path, keep_latest=1, best='min:eval/x')
        at = state.replace(step=jax.numpy.int32(step))
        run = {'state_sha256': sha256(named_leaves(at))}
        checkpoints.save(at, run, {'eval/x': value})
        checkpoints.close()
    checkpoints = Checkpoints(tmp_path, keep_latest=1, best='min:eval/x')
    assert checkpoints.steps() == [2, 3] and checkpoints.best_step() == 2
    checkpoints.save(
        state.replace(step=jax.numpy.int32(4)), run
    )  # a stop: not measured
    checkpoints.close()
    again = Checkpoints(tmp_path, keep_latest=1, best='min:eval/x')
    assert again.steps() == [2, 4] and again.best_step() == 2


@pytest.mark.parametrize('file, told', [('orbax/read.py', 0), ('mine/read.py', 1)])
def test_what_orbax_leaves_of_a_failed_read_is_not_told(monkeypatch, file, told):
    seen = []
    monkeypatch.setattr(sys, 'unraisablehook', seen.append)
    checkpoint._silence_orbax.__wrapped__()
    coroutine = SimpleNamespace(cr_code=SimpleNamespace(co_filename=f'/lib/{file}'))
    sys.unraisablehook(SimpleNamespace(object=coroutine, exc_value=Exception('x')))
    assert len(seen) == told


def test_a_checkpoint_of_other_networks_says_so(tmp_path):
    """As of the discriminators whose channels changed within version 0.1."""
    method = build(load(), Spec(16, 16, 3)).method
    state = jax.jit(method.init)(jax.random.key(0))
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(state, {'state_sha256': sha256(named_leaves(state))})
    checkpoints.close()
    device = jax.sharding.SingleDeviceSharding(jax.devices()[0])
    abstract = abstract_state(method.init, device)
    wider = jax.tree.map(
        lambda x: jax.ShapeDtypeStruct(
            (*x.shape[:-1], 2 * x.shape[-1]) if x.shape else x.shape,
            x.dtype,
            sharding=device,
        ),
        abstract.params,
    )
    other = abstract.replace(params=wider)
    words = 'resnet, sngan and sngan_projection at 48 and 64 pixels: train'
    with pytest.raises(UserError, match=words):
        Checkpoints(tmp_path).restore_step(other, None)
    with pytest.raises(UserError, match=words):
        Checkpoints(tmp_path).restore(other)


@pytest.mark.slow
def test_data_that_moved_are_the_same_and_others_are_not(tmp_path):
    """By content: another place, or a slash at the end. The run lies within the data,
    and its samples are not among them."""
    for i in range(12):
        path = tmp_path / 'pictures' / f'{i}.png'
        path.parent.mkdir(exist_ok=True)
        Image.new('RGB', (16, 16), (20 * i, 0, 99)).save(path)
    every = {'data.split': 'all', 'data.eval_split': 'all', 'data.categories': ''}

    def train(folder, steps):
        name = {'data.name': f'folder:{folder}', 'train.steps': str(steps)}
        return loop.train(load(**every, **name), Path(folder) / 'runs' / 'a')

    train(tmp_path / 'pictures', 5)
    moved, others = tmp_path / 'moved', tmp_path / 'others'
    os.rename(tmp_path / 'pictures', moved)
    assert train(f'{moved}/', 6)['step'] == 6
    kept = (moved / 'runs' / 'a' / 'config.json').read_text()
    assert f'"folder:{moved}/"' in kept
    others.mkdir()
    os.rename(moved / 'runs', others / 'runs')
    os.rename(moved / '0.png', others / '0.png')
    with pytest.raises(UserError, match='the data have changed'):
        train(others, 7)
    assert (others / 'runs' / 'a' / 'config.json').read_text() == kept
