"""A run replayed to trackers: what they hold is metrics.jsonl, and no step twice."""

import json
import math
import sqlite3
import sys

import pytest

from gan_vae import __main__ as command
from gan_vae import config as config_lib
from gan_vae.config import default
from gan_vae.publish import replay

ROWS = [
    {'step': 1, 'train/loss': 2.5, 'perf/seconds': 0.5},
    {'step': 2, 'train/loss': None},
    {'step': 2, 'eval/swd': 12.0},
    {'step': 4, 'train/loss': -1.25},
]


@pytest.fixture
def run(tmp_path, monkeypatch):
    """The folder of a run, from within an empty folder."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / 'run'
    folder.mkdir()
    config = default.get_config('vae')
    (folder / 'config.json').write_text(config_lib.to_json(config))
    write(folder, ROWS)
    return folder


def write(folder, rows):
    lines = ''.join(json.dumps(row) + '\n' for row in rows)
    (folder / 'metrics.jsonl').write_text(lines)


def publish(run, to) -> int:
    return command.main(['publish', str(run), f'--to={to}'])


@pytest.mark.slow
def test_mlflow_has_each_value_once(run, tmp_path, monkeypatch):
    mlflow = pytest.importorskip('mlflow')
    uri = f'sqlite:///{tmp_path}/db'
    monkeypatch.setenv('MLFLOW_TRACKING_URI', uri)
    client = mlflow.MlflowClient(uri)
    for rows in (ROWS[:3], ROWS, ROWS):
        write(run, rows)
        assert publish(run, 'mlflow') == 0
    (sent,) = client.search_runs(
        [client.get_experiment_by_name('gan_vae').experiment_id]
    )
    history = client.get_metric_history(sent.info.run_id, 'train/loss')
    assert [(m.step, m.value) for m in history] == [(1, 2.5), (4, -1.25)]
    assert sent.data.metrics['eval/swd'] == 12
    assert sent.data.params['method.beta'] == '1.0'
    assert sent.info.status == 'FINISHED'


@pytest.mark.slow
def test_trackio_has_each_value_once(run, tmp_path, monkeypatch):
    monkeypatch.setenv('TRACKIO_DIR', str(tmp_path / 'trackio'))  # read at import
    pytest.importorskip('trackio')
    for rows in (ROWS[:3], ROWS, ROWS):
        write(run, rows)
        assert publish(run, 'trackio') == 0
    (path,) = (tmp_path / 'trackio').glob('gan_vae*.db')
    with sqlite3.connect(path) as database:
        held = database.execute('select step, metrics from metrics order by step')
        held = [(step, json.loads(values)) for step, values in held]
    assert [(step, values.get('train/loss')) for step, values in held] == [
        (1, 2.5),
        (2, None),
        (4, -1.25),
    ]


class Run:
    """What `wandb.init` gives: steps below `step` are refused by wandb."""

    def __init__(self, step, given):
        self.step, self.url, self.dir, self.given = step, None, 'folder', given

    def log(self, values, step):
        self.given.append((step, values))

    def finish(self):
        self.given.append('finished')


def test_wandb_is_called_as_documented(run, monkeypatch):
    """https://docs.wandb.ai/ref/python: init(id, resume), Run.step, Run.log(step=)."""
    calls, given = [], []

    class Wandb:
        @staticmethod
        def init(**values):
            calls.append(values)
            return Run(2 if len(calls) > 1 else 0, given)

    monkeypatch.setitem(sys.modules, 'wandb', Wandb)
    assert publish(run, 'wandb') == 0
    first = {'train/loss': 2.5, 'perf/seconds': 0.5}
    rest = [(2, {'eval/swd': 12.0}), (4, {'train/loss': -1.25}), 'finished']
    assert given == [(1, first), *rest]
    given.clear()
    assert publish(run, 'wandb') == 0
    assert given == rest
    assert calls[0] == calls[1]
    assert calls[0]['resume'] == 'allow' and calls[0]['config']['method.beta'] == 1


class Error(Exception):
    __module__ = 'wandb.errors'


class Transport(Exception):
    __module__ = 'httpx'


@pytest.mark.parametrize(
    'error, told',
    [
        (Error('no API key\nmore of it'), 'no API key more of it'),
        (Error(), 'Error'),
        (Transport('no host'), 'no host'),
        (ConnectionRefusedError(111, 'refused'), '[Errno 111] refused'),
    ],
)
def test_an_error_of_the_tracker_is_one_line(run, error, told, monkeypatch, capsys):
    class Wandb:
        @staticmethod
        def init(**values):
            raise error

    monkeypatch.setitem(sys.modules, 'wandb', Wandb)
    assert publish(run, 'wandb') == 2
    assert capsys.readouterr().err == f'gan_vae: --to=wandb: {told}\n'


def test_a_run_that_went_on_is_the_same_run(run):
    first = replay(run)
    config = default.get_config('vae')
    default.update(config, {'train.steps': 10**6, 'eval.batch_size': 7})
    (run / 'config.json').write_text(config_lib.to_json(config))
    write(run, [*ROWS, {'step': 5, 'train/loss': 0.5}])
    assert replay(run)[:2] == first[:2]
    write(run, [ROWS[0] | {'perf/seconds': 0.6}, *ROWS[1:]])
    assert replay(run).identity != first.identity


def test_only_numbers_are_sent(run):
    odd = {'step': 3, 'a': 'x', 'b': [1], 'c': True, 'd': math.nan, 'e': 10**400}
    steps = [{'step': step, 'a': 1} for step in ('a', None, [1], True, 1.5)]
    write(run, [*steps, odd | {'f': 2}])
    assert replay(run).rows == [(3, {'f': 2})]


@pytest.mark.slow
def test_wandb_writes_offline(run, monkeypatch):
    pytest.importorskip('wandb')
    monkeypatch.setenv('WANDB_MODE', 'offline')
    monkeypatch.setenv('WANDB_SILENT', 'true')
    assert publish(run, 'wandb') == 0
    assert list((run.parent / 'wandb').glob('offline-run-*/run-*.wandb'))


@pytest.mark.parametrize(
    'words, error',
    [
        (['RUN'], '--to is missing'),
        ([], 'give one run'),
        (['RUN', '--to=wandbb'], "did you mean 'wandb'"),
        (['nowhere', '--to=wandb'], 'nowhere'),
        (['RUN', '--too=wandb'], 'unknown flag --too'),
    ],
)
def test_a_mistake_is_one_line(run, words, error, capsys):
    words = [word.replace('RUN', str(run)) for word in words]
    assert command.main(['publish', *words]) == 2
    told = capsys.readouterr().err
    assert error in told and told.count('\n') == 1


@pytest.mark.parametrize('name', ['wandb', 'mlflow', 'trackio'])
def test_a_tracker_that_is_not_installed_is_named(run, name, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, name, None)
    assert publish(run, name) == 2
    assert f'{name} is not installed' in capsys.readouterr().err
    write(run, [])
    assert publish(run, name) == 2
    assert 'has no metrics' in capsys.readouterr().err
