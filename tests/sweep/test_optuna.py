"""Optuna as the engine: counts, pruning, dead workers, several workers, PostgreSQL."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from gan_vae.errors import UserError
from gan_vae.sweep import plan
from tests.sweep.conftest import GRID, HEAD, SPACE
from tests.sweep.test_run import in_session, starts, statuses, wait_for

SOME = {'engine': 'optuna', 'trials': 4}


@pytest.fixture
def optuna():
    return pytest.importorskip('optuna', reason="pip install -e '.[sweep]'")


def studies(optuna, folder, url=None):
    """The trials of the one study of a sweep."""
    storage = url or optuna.storages.JournalStorage(
        optuna.storages.journal.JournalFileBackend(str(folder / 'optuna.journal'))
    )
    (name,) = optuna.get_all_study_names(storage)
    return optuna.load_study(study_name=name, storage=storage).trials


def test_without_optuna_one_line_says_how_to_get_it(write, quick, monkeypatch):
    monkeypatch.setitem(sys.modules, 'optuna', None)
    with pytest.raises(UserError, match=r"pip install 'gan_vae\[sweep\]'"):
        quick(write(HEAD + SPACE), **SOME)


def test_as_many_points_as_asked_learned_and_left_alone_afterwards(
    optuna, write, quick, tmp_path
):
    ranked = quick(write(HEAD + SPACE), **SOME, seeds=2, parallel=2)
    assert statuses(ranked) == ['finished'] * 8
    known = studies(optuna, tmp_path / 'sweep')
    assert sorted(t.value for t in known) == pytest.approx([r.mean for r in ranked])
    assert [(t.id, 0) for r in ranked for t in r.trials] == [
        (t.id, 0) for r in quick(write(HEAD + SPACE), **SOME, seeds=2) for t in r.trials
    ]
    assert set(map(tuple, starts(tmp_path / 'sweep').values())) == {(0,)}
    more = quick(write(HEAD + SPACE), engine='optuna', trials=6, seeds=2)
    assert len(more) == 6 and {r.trials[0].id for r in ranked} < {
        r.trials[0].id for r in more
    }


def test_points_alone_are_each_tried_once(optuna, write, quick):
    ranked = quick(write(HEAD + GRID), engine='optuna', parallel=2)
    rates = [r.point['optimizer.learning_rate'] for r in ranked]
    assert sorted(rates) == [1e-4, 2e-4, 4e-4] and rates[-1] == 1e-4


def test_a_failure_is_told_and_the_search_goes_on(optuna, write, quick, tmp_path):
    text = HEAD + GRID.replace('1e-4', '1e30')
    ranked = quick(write(text), engine='optuna')
    assert statuses(ranked) == ['finished', 'finished', 'failed']
    states = [t.state.name for t in studies(optuna, tmp_path / 'sweep')]
    assert states == ['FAIL', 'COMPLETE', 'COMPLETE']
    again = quick(write(text), engine='optuna', retry=True)
    bad = again[-1].trials[0].id
    assert starts(tmp_path / 'sweep')[bad] == [0, 1]


def test_a_poor_trial_is_pruned_with_its_step_saved(
    optuna, write, quick, tmp_path, monkeypatch
):
    monkeypatch.setenv('SWEEP_PAUSE', '0.1')
    rates = '(3e-4, 3.1e-4, 3.2e-4, 3.3e-4, 3.4e-4, 9e-3)'
    text = HEAD + GRID.replace('(1e-4, 2e-4, 4e-4)', rates)
    fixed = {'train.steps': '8'}
    ranked = quick(write(text), fixed, engine='optuna')
    assert statuses(ranked) == ['finished'] * 5 + ['pruned']
    assert ranked[-1].point == {'optimizer.learning_rate': 9e-3}
    folder = ranked[-1].trials[0].folder
    assert 1 <= int((folder / 'checkpoints' / 'step').read_text()) < 8
    last = studies(optuna, tmp_path / 'sweep')[-1]
    assert last.state.name == 'PRUNED' and last.intermediate_values
    assert statuses(quick(write(text), fixed, engine='optuna')).count('pruned') == 1
    assert 'pruned' in (tmp_path / 'sweep' / 'report.html').read_text()
    # the grid gives it the budget of the others
    assert statuses(quick(write(text), fixed)) == ['finished'] * 6
    assert starts(tmp_path / 'sweep')[folder.name][1] >= 1


def killed_and_restarted(optuna, write, worker, quick, tmp_path, monkeypatch, url=None):
    """Two workers share a study; one is killed with its children, then both end."""
    monkeypatch.setenv('SWEEP_PAUSE', '0.3')
    spec, folder = write(HEAD + SPACE), tmp_path / 'sweep'
    options = "engine='optuna', trials=4" + (f', storage={url!r}' if url else '')
    processes = [worker(spec, options) for _ in range(2)]
    wait_for(lambda: len(list(folder.glob('*/metrics.jsonl'))) == 2)
    for pid in in_session(processes[0].pid):
        os.kill(pid, signal.SIGKILL)
    processes[0].wait()
    output, _ = processes[1].communicate(timeout=120)
    assert processes[1].returncode == 0, output
    monkeypatch.setenv('SWEEP_PAUSE', '0')
    known = studies(optuna, folder, url)
    states = sorted(t.state.name for t in known)
    assert states == ['COMPLETE'] * 4 + ['FAIL']  # the dead one, asked again
    (dead,) = (t for t in known if t.state.name == 'FAIL')
    assert any(t.params == dead.params and t.value for t in known)
    lengths = sorted(map(len, starts(folder).values()))
    assert lengths == [1, 1, 1, 2]  # which went on in its folder
    events = [json.loads(line) for line in open(folder / 'trials.jsonl')]
    assert sum(e['status'] == 'finished' for e in events) == 4
    ranked = quick(spec, **SOME, **({'storage': url} if url else {}))
    assert statuses(ranked) == ['finished'] * 4


@pytest.mark.slow
def test_a_dead_workers_trial_goes_on_in_another(
    optuna, write, worker, quick, tmp_path, monkeypatch
):
    killed_and_restarted(optuna, write, worker, quick, tmp_path, monkeypatch)


def test_the_sampler_does_not_repeat_itself_after_a_restart(optuna, write, quick):
    for trials in (1, 2, 3):
        ranked = quick(write(HEAD + SPACE), engine='optuna', trials=trials)
        assert len(ranked) == trials


def test_a_storage_that_does_not_answer_is_one_line(optuna, write, quick):
    with pytest.raises(UserError, match='cannot be used') as error:
        url = 'postgresql://me:secret@127.0.0.1:1/none'
        quick(write(HEAD + SPACE), **SOME, storage=url)
    assert '\n' not in str(error.value) and 'secret' not in str(error.value)


@pytest.fixture
def postgres():
    """The URL of a database on a server of its own, in a temporary folder."""
    pytest.importorskip('psycopg', reason="pip install 'psycopg[binary]'")
    import psycopg

    initdb = shutil.which('initdb')
    if not initdb:
        pytest.skip("no initdb on the PATH: install your system's postgresql")
    # Not in pytest's folder, which is closed to the server's user.
    data, user = tempfile.mkdtemp(prefix='gan_vae_postgres_'), {}
    if os.getuid() == 0:  # as which PostgreSQL refuses to run
        shutil.chown(data, 'postgres', 'postgres')
        user = {'user': 'postgres', 'group': 'postgres'}
    quiet = {'stdout': subprocess.DEVNULL, 'cwd': data} | user
    words = [initdb, '-D', data, '-U', 'me', '--auth=trust', '--no-sync']
    subprocess.run(words, check=True, **quiet)
    binary = Path(initdb).resolve().with_name('postgres')
    words = [binary, '-D', data, '-k', data, '-F', '-c', 'listen_addresses=']
    server = subprocess.Popen(words, stderr=subprocess.DEVNULL, **quiet)

    def answers():
        try:
            psycopg.connect(host=data, user='me', dbname='postgres').close()
            return True
        except psycopg.OperationalError:
            assert server.poll() is None
            return False

    wait_for(answers)
    yield f'postgresql+psycopg://me@/postgres?host={data}'
    server.send_signal(signal.SIGINT)
    server.wait(timeout=30)
    shutil.rmtree(data)


@pytest.mark.slow
def test_workers_share_a_study_in_postgresql(
    optuna, postgres, write, worker, quick, tmp_path, monkeypatch
):
    killed_and_restarted(optuna, write, worker, quick, tmp_path, monkeypatch, postgres)


def test_a_space_draws_the_same_ways_for_both_engines(optuna):
    study = optuna.create_study()
    draw = plan.Draw(study.ask())
    assert 1 <= draw.uniform('a', 1, 2) <= 2 and 1 <= draw.log_uniform('b', 1, 9) <= 9
    assert draw.integer('c', 3, 4) in (3, 4) and draw.choice('d', ['x']) == 'x'
    assert list(draw.point) == list('abcd')
