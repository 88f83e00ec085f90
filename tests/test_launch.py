"""The command line: quick, one line for each mistake, samples without TensorFlow."""

import dataclasses
import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

import launch
from gan_vae import config as config_lib
from gan_vae import images
from gan_vae.art import making
from gan_vae.methods import sampling
from gan_vae.training import loop

TINY = '--config=configs/dcgan_emoji.py:tiny'


@pytest.fixture(scope='module')
def run(tmp_path_factory):
    """A finished tiny run."""
    workdir = tmp_path_factory.mktemp('runs') / 'tiny'
    small = {'data.image_size': '16'}
    loop.train(config_lib.load('configs/dcgan_emoji.py:tiny', small), workdir)
    return workdir


@pytest.mark.parametrize(
    'argv, message',
    [
        ([], '--config is missing'),
        (['--config=configs/nope.py'], 'no config file'),
        ([TINY, '--config.train.stepz=3'], "did you mean 'train.steps'"),
        ([TINY, '--config.train.steps=x'], 'expected int'),
        ([TINY, '--config.train.steps'], 'needs a value'),
        ([TINY, '--config.train.steps', '--config.train.seed=1'], 'needs a value'),
        ([TINY, '--config.optimizer.b1=2.0'], 'must be in [0, 1)'),
        ([TINY, '--config.data.batch_size=6'], 'does not divide by 4 devices'),
        (
            [TINY, '--config.data.name=cifar10', '--config.data.dir=/nowhere'],
            'is not prepared',
        ),
        ([TINY, '--config.data.name=cifer10'], "did you mean 'cifar10'"),
        ([TINY, '--config.data.name=folder:/nowhere'], 'no folder'),
        ([TINY, '--config.method.name=gann'], "did you mean 'gan'"),
        ([TINY, '--config.model.generator=dcgann'], "did you mean 'dcgan'"),
        ([TINY, '--config.train.best_metric=loss'], "write 'min:eval/NAME'"),
        ([TINY, '--workdir=/dev/null/x'], 'cannot write in the run folder'),
        ([TINY, '--mode=trian'], "did you mean 'train'"),
        ([TINY, '--wrkdir=x'], "did you mean '--workdir'"),
        (['--mode=sample', '--workdir='], '--workdir is empty'),
        (['--mode=evaluate', '--workdir=x', '--metrics='], '--metrics is empty'),
        (['configs/a.py:tiny'], 'write --config=configs/a.py:tiny'),
        (['--mode=sweep', 'a.py'], 'write --sweep=a.py'),
        (['--mode=sample', 'runs/a'], 'write --workdir=runs/a'),
        (['train', '--config=a.py'], 'write --mode=train'),
        ([TINY, '--num=5'], '--num is a flag of --mode=evaluate and sample, not of'),
        (
            ['--mode=sample', '--metrics=swd'],
            'of --mode=evaluate, not of --mode=sample',
        ),
        (['--mode=sample', '--tuncation=1'], "did you mean '--truncation'"),
        ([TINY, '--tuncation=1'], "did you mean '--truncation'"),
        (['--mode=sample', '--config.train.steps=3'], 'the config is that of the run'),
        ([TINY, '--config.optimizer.learning_rate=nan'], 'must be finite'),
        ([TINY, '--config.optimizer.learning_rate=inf'], 'must be finite'),
        (['--mode=sample', '--workdir=/nowhere'], 'no config.json'),
        (['--mode=sample', '--workdir=/nowhere', '--num=x'], 'invalid int value'),
    ],
)
def test_mistakes_are_one_line_and_status_two(argv, message, capsys, monkeypatch):
    monkeypatch.delenv('TFDS_DATA_DIR', raising=False)
    if '--workdir' not in ' '.join(argv):
        argv = [*argv, '--workdir=/dev/null/never']
    assert launch.main(argv) == 2
    error = capsys.readouterr().err
    assert message in error and error.count('\n') == 1 and error.startswith('gan_vae: ')


def test_a_run_is_needed(capsys):
    assert launch.main(['--mode=sample']) == 2
    assert 'needs --workdir=DIR' in capsys.readouterr().err


def command(*argv):
    begin = time.monotonic()
    flags = os.environ['XLA_FLAGS'].replace('=4', '=1')
    done = subprocess.run(
        [sys.executable, '-X', 'importtime', 'launch.py', *argv],
        capture_output=True,
        text=True,
        env=os.environ | {'XLA_FLAGS': flags},
    )
    return done, time.monotonic() - begin


def test_help_and_errors_import_little():
    done, _ = command('--help')
    assert done.returncode == 0 and '--mode=sample' in done.stdout
    for heavy in ('jax', 'tensorflow', 'ml_collections', 'PIL'):
        assert f' {heavy}\n' not in done.stderr, heavy
    done, _ = command('--help=method.vae')
    assert 'method.beta ' in done.stdout and ' jax\n' not in done.stderr
    done, _ = command('--help=method.vea')
    assert done.returncode == 2 and "did you mean 'vae'" in done.stderr
    done, _ = command(TINY, '--config.train.stepz=3')
    assert done.returncode == 2 and ' jax\n' not in done.stderr
    done, _ = command(TINY, '--config.data.name=cifar10', '--config.data.dir=/nowhere')
    assert done.returncode == 2 and ' tensorflow\n' not in done.stderr


def test_debug_shows_the_traceback():
    with pytest.raises(Exception, match='no config file'):
        launch.main(['--config=configs/nope.py', '--debug'])


@pytest.mark.slow
def test_samples_have_provenance_and_need_no_tensorflow(run):
    done, _ = command('--mode=sample', f'--workdir={run}', '--num=5', '--seed=1')
    assert done.returncode == 0, done.stderr[-2000:]
    assert ' tensorflow\n' not in done.stderr
    folder = run / 'pictures' / 'step4-seed1'
    assert (
        len(list(folder.glob('0*.png'))) == 5
        and folder.with_name(folder.name + '.png').exists()
    )
    about = images.read_provenance(folder / '00003.png')
    summary = json.loads((run / 'summary.json').read_text())
    assert (
        about['flags'] == {'num': 5, 'seed': 1, 'step': 4} and about['tool'] == 'sample'
    )
    made_by = about['run']
    assert made_by['state_sha256'] == about['model'] == summary['state_sha256']
    assert made_by['config'] == 'dcgan_emoji-tiny' and made_by['step'] == 4
    first = np.asarray(Image.open(folder / '00003.png'))
    launch.main(['--mode=sample', f'--workdir={run}', '--num=70', '--seed=1'])
    again = np.asarray(Image.open(folder / '00003.png'))
    assert np.abs(first.astype(int) - again).max() <= 1


@pytest.mark.slow
def test_a_second_draw_traces_nothing(run):
    """So that evaluations in training compile the sampler once."""
    method, state, _ = making.load(run)
    traced = []

    def counted(*arguments):
        traced.append(arguments)
        return method.generate(*arguments)

    counting = dataclasses.replace(method, generate=counted)
    first, again = (sampling.draw(counting, state, seed, 5) for seed in (0, 1))
    assert len(traced) == 1 and (first != again).any()


def test_sample_of_another_step_and_of_none(run, capsys):
    assert (
        launch.main(['--mode=sample', f'--workdir={run}', '--step=2', '--num=1']) == 0
    )
    assert launch.main(['--mode=sample', f'--workdir={run}', '--step=3']) == 2
    assert 'no checkpoint of step 3' in capsys.readouterr().err


def test_evaluate_repeats_the_summary(run, capsys):
    assert launch.main(['--mode=evaluate', f'--workdir={run}']) == 0
    summary = json.loads((run / 'summary.json').read_text())
    lines = capsys.readouterr().out.splitlines()
    for name, result in summary['metrics'].items():
        line = next(x for x in lines if x.startswith(f'{name} '))
        assert f'{result["value"]:.5g}' in line and result['protocol'] in line


def test_measures_that_cannot_be_taken_are_refused_before_training(tmp_path, capsys):
    for metrics, message in {
        'fid': 'pt_inception-2015-12-05-6726825d.pth',
        'originality_random': 'originality_random needs',
        'iwae_5': 'needs a likelihood of pixels',
    }.items():
        argv = [TINY, f'--workdir={tmp_path / "r"}', f'--config.eval.metrics={metrics}']
        assert launch.main(argv) == 2
        assert message in capsys.readouterr().err
        assert not (tmp_path / 'r').exists()
