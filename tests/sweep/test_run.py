"""Workers: each trial once, failures alone, seeds averaged, kills without a trace."""

import json
import os
import signal
import time
from pathlib import Path

import pytest

from gan_vae.errors import RunError
from gan_vae.sweep import plan, ranking, table, trial
from gan_vae.sweep.trial import Outcome
from tests.sweep.conftest import GRID, HEAD


def starts(workdir: Path) -> dict[str, list[int]]:
    """{trial: the step of each start of its trainer}."""
    files = sorted(workdir.glob('*/starts'))
    return {f.parent.name: [int(x) for x in f.read_text().split()] for f in files}


def statuses(ranked) -> list[str]:
    return [o.status for r in ranked for o in r.outcomes]


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def in_session(leader: int) -> list[int]:
    """The processes of a session: a worker and its children."""
    found = []
    for entry in Path('/proc').glob('[0-9]*'):
        try:
            if os.getsid(int(entry.name)) == leader:
                found.append(int(entry.name))
        except ProcessLookupError:
            continue
    return found


def test_seeds_are_averaged_and_ranked_by_their_mean(write, quick, tmp_path, capsys):
    ranked = quick(write(HEAD + GRID), parallel=3, seeds=2)
    rates = [r.point['optimizer.learning_rate'] for r in ranked]
    assert rates[0] in (2e-4, 4e-4) and rates[2] == 1e-4
    assert ranked[2].mean == pytest.approx(2 + 0.05 + 0.25)
    assert ranked[2].spread == pytest.approx(0.1 / 2**0.5)
    said = capsys.readouterr().out
    assert '± 0.071 over 2 seeds' in said and '--config.train.steps=8' in said
    page = (tmp_path / 'sweep' / 'report.html').read_text()
    for r in ranked:
        for t, o in zip(r.trials, r.outcomes, strict=True):
            assert t.id in page and f'{o.value:.5g}' in page
    assert 'every trial has 4 steps' in page and 'http' not in page
    quick(write(HEAD + GRID), seeds=2)  # all is done
    quick(write(HEAD + GRID), seeds=3)  # one more seed each
    assert starts(tmp_path / 'sweep').keys() == {
        t.id
        for g in (
            plan.trials(plan.read(write(HEAD + GRID)), r.point, {}, 3, tmp_path)
            for r in ranked
        )
        for t in g
    }
    assert set(map(tuple, starts(tmp_path / 'sweep').values())) == {(0,)}


def test_a_failure_costs_itself_alone_and_is_not_retried(
    write, quick, tmp_path, capsys
):
    spec = write(HEAD + GRID.replace('1e-4', '1e30'))
    ranked = quick(spec)
    assert statuses(ranked) == ['finished', 'finished', 'failed']
    assert ranked[2].outcomes[0].error == 'the run diverged at step 2: loss_g is nan'
    assert ranked[2].mean is None
    events = [json.loads(line) for line in open(tmp_path / 'sweep' / 'trials.jsonl')]
    failed = next(e for e in events if e['status'] == 'failed')
    assert failed['error'].startswith('the run diverged') and failed['seed'] == 0
    assert failed['overrides']['optimizer.learning_rate'] == '1e+30'
    assert 'loss_g is nan' in (tmp_path / 'sweep' / 'report.html').read_text()
    quick(spec)
    bad = ranked[2].trials[0].id
    assert starts(tmp_path / 'sweep')[bad] == [0]
    quick(spec, retry=True)
    assert starts(tmp_path / 'sweep')[bad] == [0, 1]
    assert '--retry' in capsys.readouterr().out


def test_a_point_with_a_failed_seed_is_not_ranked(write, quick):
    good, bad = (Outcome('finished', 1.0), Outcome('failed'))
    trials = [plan.Trial(i, {'k': 1}, 0, '', {}, 4, Path(i)) for i in 'abc']
    ranked = ranking.rank(
        [trials[:2], trials[2:]],
        {'a': Outcome('finished', 0.1), 'b': bad, 'c': good},
        plan.Metric('eval/x', 'min', 'final'),
    )
    assert [r.mean for r in ranked] == [1.0, None]


def test_all_failed_is_an_error(write, quick):
    text = HEAD + "def sweep(add): add({'optimizer.learning_rate': 9.0})"
    with pytest.raises(RunError, match='all 1 trials failed.*diverged'):
        quick(write(text))


def test_score_best_or_final_and_at_the_budget(write, quick, tmp_path):
    ranked = quick(write(HEAD + GRID))
    one = ranked[0].trials[0]
    with open(one.folder / 'metrics.jsonl', 'a') as file:
        file.write('{"step": 6, "eval/swd": -1}\n')  # continued by hand
    (one.folder / 'summary.json').write_text('{"step": 6}')
    assert trial.score(one, plan.Metric('eval/swd', 'min', 'final')) == ranked[0].mean
    worst = trial.score(one, plan.Metric('eval/swd', 'max', 'best'))
    assert worst == pytest.approx(ranked[0].mean - 1 / 4 + 1)  # of the first step
    assert quick(write(HEAD + GRID))[0].mean == ranked[0].mean
    other = HEAD.replace('swd', 'loss') + GRID
    with pytest.raises(RunError, match='has no eval/loss at step 4'):
        quick(write(other))


def test_two_workers_share_the_trials(write, worker, tmp_path, monkeypatch):
    monkeypatch.setenv('SWEEP_PAUSE', '0.05')
    both = [worker(write(HEAD + GRID), 'seeds=2, parallel=2') for _ in range(2)]
    outputs = [p.communicate(timeout=100)[0] for p in both]
    assert [p.returncode for p in both] == [0, 0], outputs
    assert all('best: learning_rate=' in text for text in outputs)
    found = starts(tmp_path / 'sweep')
    assert len(found) == 6 and set(map(tuple, found.values())) == {(0,)}


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_children_save_and_the_same_command_goes_on(
    number, write, worker, quick, tmp_path, monkeypatch
):
    monkeypatch.setenv('SWEEP_PAUSE', '0.3')
    spec, folder = write(HEAD + GRID), tmp_path / 'sweep'
    process = worker(spec, 'parallel=2')
    wait_for(lambda: len(list(folder.glob('*/metrics.jsonl'))) == 2)
    process.send_signal(number)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0 and f'{number.name}: running' in output, output
    assert not in_session(process.pid)
    events = [json.loads(line)['status'] for line in open(folder / 'trials.jsonl')]
    assert events == ['started'] * 2 + ['stopped'] * 2
    monkeypatch.setenv('SWEEP_PAUSE', '0')
    assert statuses(quick(spec)) == ['finished'] * 3
    assert sorted(map(len, starts(folder).values())) == [1, 2, 2]
    assert all(s[-1] > 0 for s in starts(folder).values() if s[1:])


def test_a_killed_worker_leaves_its_child_its_trial(
    write, worker, quick, tmp_path, monkeypatch
):
    monkeypatch.setenv('SWEEP_LOAD', '1')
    spec, folder = write(HEAD + GRID), tmp_path / 'sweep'
    process = worker(spec)
    wait_for(lambda: list(folder.glob('*/starts')))
    process.kill()
    process.wait()
    assert in_session(process.pid)  # the child goes on, and has no lock of its own yet
    monkeypatch.setenv('SWEEP_LOAD', '0')
    assert statuses(quick(spec)) == ['finished'] * 3
    assert set(map(tuple, starts(folder).values())) == {(0,)}


def test_everything_killed_then_the_same_command(
    write, worker, quick, tmp_path, monkeypatch
):
    monkeypatch.setenv('SWEEP_PAUSE', '0.3')
    spec, folder = write(HEAD + GRID), tmp_path / 'sweep'
    process = worker(spec, 'parallel=2')
    wait_for(lambda: len(list(folder.glob('*/metrics.jsonl'))) == 2)
    for pid in in_session(process.pid):
        os.kill(pid, signal.SIGKILL)
    process.wait()
    with open(folder / 'trials.jsonl', 'a') as file:
        file.write('{"trial": "to')  # as a kill may leave it
    monkeypatch.setenv('SWEEP_PAUSE', '0')
    assert statuses(quick(spec)) == ['finished'] * 3
    assert sorted(map(len, starts(folder).values())) == [1, 2, 2]


def test_effects_of_a_grid_in_closed_form():
    """y = 3 a + b over a full grid of +-1: shares 9/10 and 1/10."""
    metric = plan.Metric('eval/x', 'min', 'final')
    groups, states = [], {}
    for a in (-1, 1):
        for b in (-1, 1):
            name = f'{a}{b}'
            point = {'a': a, 'b': b, 'same': 0}
            groups.append([plan.Trial(name, point, 0, '', {}, 4, Path(name))])
            states[name] = Outcome('finished', 3.0 * a + b)
    found = ranking.effects(ranking.rank(groups, states, metric))
    assert {k: (round(e.share, 12), e.levels) for k, e in found.items()} == {
        'a': (0.9, 2),
        'b': (0.1, 2),
    }
    assert found['a'].chance == pytest.approx(1 / 3)


def test_the_table_fits_the_terminal_and_keeps_what_runs():
    rows = [table.Row(f't{i}', 'b1=0.5', 'waiting', 0, 4, None) for i in range(30)]
    rows[20] = rows[20]._replace(status='running', metric=0.25)
    lines = table.lines(rows, 'eval/swd', 79, 10)
    assert len(lines) <= 10 and any('t20' in x and '0.25' in x for x in lines)
    assert lines[-1].startswith('29 waiting, 1 running') and '22 not shown' in lines[-1]
