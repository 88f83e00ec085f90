"""Workers: each trial once, failures alone, seeds averaged, kills without a trace."""

import json
import os
import re
import signal
import time
from pathlib import Path

import pytest

from gan_vae.errors import RunError
from gan_vae.sweep import plan, ranking, report, table, trial
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
    with pytest.raises(RunError, match='1 trial of 1 failed.*diverged'):
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


METRIC = plan.Metric('eval/x', 'min', 'final')


def ranked_of(values: dict):
    """The ranking of {name: (point, the result of each seed)}."""
    groups, states = [], {}
    for name, (point, results) in values.items():
        group = [
            plan.Trial(f'{name}{seed}', point, seed, '', {}, 4, Path(name))
            for seed in range(len(results))
        ]
        groups.append(group)
        for trial_, result in zip(group, results, strict=True):
            states[trial_.id] = Outcome('finished', result)
    return ranking.rank(groups, states, METRIC)


def test_effects_of_a_grid_in_closed_form():
    """y = 3 a + b over a full grid of +-1: shares 9/10 and 1/10."""
    signs = (-1, 1)
    grid = {
        f'{a}{b}': ({'a': a, 'b': b, 'same': 0}, [3.0 * a + b])
        for a in signs
        for b in signs
    }
    effects = ranking.effects(ranked_of(grid))
    assert {k: (round(e.share, 12), e.levels) for k, e in effects.items()} == {
        'a': (0.9, 2),
        'b': (0.1, 2),
    }
    assert effects['a'].chance == pytest.approx(1 / 3)


def test_a_key_with_a_level_for_each_run_explains_nothing_until_there_are_seeds(
    tmp_path,
):
    """y = a + e with e = +-1 over two seeds: V_a = 2 * 5 / (2 * 5 + 8) over 8 runs."""
    single = ranked_of({str(a): ({'a': a}, [float(a)]) for a in range(4)})
    assert ranking.effects(single) == {'a': ranking.Effect(None, 1.0, 4)}
    page = report_of(tmp_path, single)
    assert '<td class="n">unknown</td>' in page and 'repeat the points' in page
    double = ranked_of({str(a): ({'a': a}, [a - 1.0, a + 1.0]) for a in range(4)})
    (effect,) = ranking.effects(double).values()
    assert effect.share == pytest.approx(10 / 18) and effect.chance == 3 / 7


def report_of(folder, ranked, metric=METRIC):
    experiment = plan.Experiment('x.py', 'x', 'c.py', metric, [], None)
    return report.write(folder, experiment, ranked, 'grid', {}).read_text()


def test_equal_means_share_a_place(tmp_path):
    third = [0.1 + 0.2, 0.3]  # differ by rounding alone
    values = {'a': [5.0], 'b': third[:1], 'c': third[1:], 'd': [0.1]}
    ranked = ranked_of({k: ({'k': k}, v) for k, v in values.items()})
    assert [(r.point['k'], r.place) for r in ranked] == [
        *(('d', 1), ('c', 2), ('b', 2), ('a', 4))
    ]
    page = report_of(tmp_path, ranked)
    assert page.count(' 2=</td>') == 2 and ' 3</td>' not in page
    colours = re.findall('class="swatch" style="background:(#[0-9a-f]*)', page)
    assert colours[1] == colours[2] and len(set(colours)) == 3


def test_points_that_seeds_do_not_tell_apart_are_marked(tmp_path):
    """Welch: t = 0.77, p = 0.496 for b against a; t = 11.1, p = 0.0008 for c."""
    values = {'a': [1.0, 2.0, 3.0], 'b': [1.0, 3.0, 5.0], 'c': [14.0, 15.0, 12.0]}
    ranked = ranked_of({k: ({'k': k}, v) for k, v in values.items()})
    apart = [ranking.told_apart(r, ranked[0]) for r in ranked[1:]]
    assert apart == [False, True]
    page = report_of(tmp_path, ranked)
    assert page.count(' 2 ≈</td>') == 1 and ' 3</td>' in page
    single = ranked_of({k: ({'k': k}, v[:1]) for k, v in values.items()})
    assert ranking.told_apart(single[2], single[0]) is None
    assert '≈</td>' not in report_of(tmp_path, single)


def test_the_page_has_a_curve_and_a_link_for_each_trial(tmp_path):
    ranked = ranked_of({'a': ({'k': 1}, [1.0, 2.0]), 'b': ({'k': 2}, [3.0, 4.0])})
    trials = [
        trial._replace(folder=tmp_path / 'trials' / trial.id)
        for r in ranked
        for trial in r.trials
    ]
    ranked = [
        r._replace(trials=trials[2 * i : 2 * i + 2]) for i, r in enumerate(ranked)
    ]
    assert 'No trial has two values' in report_of(tmp_path, ranked)
    for one in trials:
        one.folder.mkdir(parents=True)
        lines = (
            json.dumps({'step': i, METRIC.name: 10.0 - i}) + '\n' for i in range(3)
        )
        (one.folder / 'metrics.jsonl').write_text(''.join(lines))
    page = report_of(tmp_path, ranked)
    assert page.count('stroke-width="1.5"') == len(trials)
    for one in trials:
        assert f'<a href="trials/{one.id}/">' in page


@pytest.mark.parametrize(
    'values',
    [
        (247.61, 247.9, 248.2, 248.35),  # once labelled 248 248 247
        (0.0, 1e-9),
        (-3.0, 40.0, 1e6),
        (1e-5, 0.3),
        (123456.7, 123457.1),
    ],
)
def test_no_two_labels_of_an_axis_are_the_same_text(values):
    for few in (1, 6):
        places, labels = report._axis(list(values), few)
        texts = [text for _, text in labels]
        assert 2 <= len(texts) == len(set(texts)) <= 6
        assert all(-1e-9 <= place <= 1 + 1e-9 for place, _ in labels)
        assert min(places.values()) == 0 and max(places.values()) == 1
        if few == 1:  # a label is where its number is
            low, high = min(values), max(values)
            linear = low <= 0 or high <= 20 * low
            for place, text in labels if linear else ():
                assert low + place * (high - low) == pytest.approx(float(text))


def test_a_page_is_replaced_by_that_of_a_sweep_with_all_its_trials(tmp_path):
    one = ranked_of({'a': ({'k': 1}, [1.0])})
    both = ranked_of({'a': ({'k': 1}, [1.0]), 'b': ({'k': 2}, [2.0])})
    other = ranked_of({'c': ({'k': 3}, [3.0])})
    report_of(tmp_path, one)
    report_of(tmp_path, both)  # goes on
    report_of(tmp_path, other)  # another sweep of the same folder
    report_of(tmp_path, both, METRIC._replace(direction='max'))
    report_of(tmp_path, other)
    pages = {f.name: f.read_text() for f in tmp_path.glob('*.html')}
    assert pages.keys() == {'report.html', 'report-2.html', 'report-3.html'}
    assert all(f'<code>{t}0</code>' in pages['report.html'] for t in 'ab')
    assert '<code>c0</code>' in pages['report-2.html']
    assert 'higher is better' in pages['report-3.html']


def test_the_table_fits_the_terminal_and_keeps_what_runs():
    rows = [table.Row(f't{i}', 'b1=0.5', 'waiting', 0, 4, None) for i in range(30)]
    rows[20] = rows[20]._replace(status='running', metric=0.25)
    lines = table.lines(rows, 'eval/swd', 79, 10)
    assert len(lines) <= 10 and any('t20' in x and '0.25' in x for x in lines)
    assert lines[-1].startswith('29 waiting, 1 running') and '22 not shown' in lines[-1]
