"""Sweeps with the real trainer: divergence, TensorBoard, exact resume after a kill."""

import json
import math
import os
import shlex
import signal
import subprocess
import sys

import pytest

from gan_vae import config as config_lib
from gan_vae.errors import UserError
from gan_vae.flags import parse
from gan_vae.runs import folder as run_folder
from gan_vae.sweep import plan, run
from tests.sweep.conftest import HEAD
from tests.sweep.test_run import in_session, statuses, wait_for

GRID = """
def sweep(add):
    for rate in RATES:
        add({'optimizer.learning_rate': rate})
"""
FIXED = {'parallel.devices': '1', 'data.image_size': '16'}


@pytest.fixture(scope='module')
def real(tmp_path_factory):
    """The folder and the points of a sweep, one of which diverges."""
    folder = tmp_path_factory.mktemp('real')
    file = folder / 'ask.py'
    file.write_text(HEAD + GRID.replace('RATES', '(2e-4, 1e30)'))
    ranked = run.sweep(str(file), FIXED, parallel=2, workdir=str(folder / 'sweep'))
    return folder / 'sweep', ranked


@pytest.mark.slow
def test_a_diverging_trial_costs_only_itself(real):
    folder, ranked = real
    assert statuses(ranked) == ['finished', 'failed']
    good, bad = (r.trials[0] for r in ranked)
    summary = json.loads((good.folder / 'summary.json').read_text())
    assert summary['metrics']['eval/swd']['value'] == ranked[0].mean
    assert math.isfinite(ranked[0].mean) and summary['step'] == good.steps == 4
    assert 'diverged at step' in ranked[1].outcomes[0].error
    page = (folder / 'report.html').read_text()
    assert good.id in page and bad.id in page and 'data:image/png;base64' in page


@pytest.mark.slow
def test_tensorboard_shows_what_was_set_and_what_it_gave(real):
    from tensorboard.backend.event_processing import data_provider
    from tensorboard.backend.event_processing import plugin_event_multiplexer as events
    from tensorboard.context import RequestContext
    from tensorboard.plugins import base_plugin
    from tensorboard.plugins.hparams import (
        api_pb2,
        backend_context,
        get_experiment,
        list_session_groups,
    )

    folder, ranked = real
    runs = events.EventMultiplexer()
    runs.AddRunsFromDirectory(str(folder))
    runs.Reload()
    provider = data_provider.MultiplexerDataProvider(runs, str(folder))
    board = backend_context.Context(base_plugin.TBContext(data_provider=provider))
    asked = api_pb2.GetExperimentRequest(include_metrics=True)
    found = get_experiment.Handler(RequestContext(), board, '', asked).run()
    statuses = range(len(api_pb2.Status.items()))
    request = api_pb2.ListSessionGroupsRequest(
        start_index=0, slice_size=9, allowed_statuses=statuses, include_metrics=True
    )
    for info in found.hparam_infos:
        request.col_params.add(hparam=info.name)
    for info in found.metric_infos:
        request.col_params.add(metric=info.name)
    handler = list_session_groups.Handler(RequestContext(), board, '', request)
    assert [info.name for info in found.hparam_infos] == ['optimizer.learning_rate']
    given = {
        group.hparams['optimizer.learning_rate'].number_value: {
            value.name.tag: value.value for value in group.metric_values
        }
        for group in handler.run().session_groups
    }
    assert given.keys() == {2e-4, 1e30}
    assert given[2e-4]['eval/swd'] == pytest.approx(ranked[0].mean, rel=1e-6)


@pytest.mark.slow
def test_a_metric_that_the_run_does_not_give_is_refused_at_once(write, tmp_path):
    text = HEAD.replace('eval/swd', 'eval/swdd') + GRID.replace('RATES', '(2e-4, 1e-3)')
    with pytest.raises(
        UserError, match="'eval/swdd' .did you mean 'eval/swd'"
    ) as error:
        run.sweep(write(text), FIXED, workdir=str(tmp_path / 'sweep'))
    assert '\n' not in str(error.value)
    assert [f.name for f in (tmp_path / 'sweep').iterdir()] == []


@pytest.mark.slow
def test_killed_and_restarted_it_ends_in_the_same_state(write, tmp_path, monkeypatch):
    spec = write(HEAD + GRID.replace('RATES', '(2e-4, 1e-3)'))
    steps = {'train.steps': 200, 'train.checkpoint_steps': 20, 'train.log_steps': 10}
    steps |= {'train.image_steps': 200, 'parallel.devices': 1}

    def command(folder):
        return [
            sys.executable,
            'launch.py',
            '--mode=sweep',
            f'--sweep={spec}',
            f'--workdir={folder}',
            '--parallel=2',
            *(f'--config.{key}={value}' for key, value in steps.items()),
        ]

    def hashes(folder):
        files = sorted(folder.glob('*/summary.json'))
        return {f.parent.name: json.loads(f.read_text())['state_sha256'] for f in files}

    subprocess.run(command(tmp_path / 'straight'), check=True, capture_output=True)
    folder = tmp_path / 'killed'
    process = subprocess.Popen(
        command(folder), stdout=subprocess.DEVNULL, start_new_session=True
    )
    wait_for(lambda: list(folder.glob('*/checkpoints/[1-9]*0')), 200)
    for pid in in_session(process.pid):
        os.kill(pid, signal.SIGKILL)
    process.wait()
    assert not hashes(folder)  # killed in the middle
    subprocess.run(command(folder), check=True, capture_output=True)
    assert hashes(folder) == hashes(tmp_path / 'straight')
    assert len(hashes(folder)) == 2
    events = [json.loads(line)['status'] for line in open(folder / 'trials.jsonl')]
    assert 'resumed' in events


@pytest.mark.slow
def test_the_command_that_goes_on_is_one_that_the_trainer_takes(real):
    folder, ranked = real
    experiment = plan.read(str(folder.parent / 'ask.py'))
    words = shlex.split(run.longer(experiment, ranked[0]))
    assert words[:4] == ['python', '-m', 'gan_vae', 'train']
    flags, overrides = parse(words[4:])
    asked = config_lib.load(flags.config, overrides)
    stored = run_folder.read_config(flags.workdir)
    assert asked.train.steps == 8 and not config_lib.differences(stored, asked)
