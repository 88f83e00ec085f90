"""A worker of a sweep: runs trials, N at a time, until none is left.

Any number of workers share a folder: the same command on each machine. A trial's lock
shows that it runs, its folder how far it is; so a killed worker loses nothing but time.
"""

import shlex
import time
from collections.abc import Mapping
from pathlib import Path

from gan_vae import config as config_lib
from gan_vae.errors import RunError, UserError, counted, unknown
from gan_vae.interrupt import Watch, cleanup
from gan_vae.sweep import board, plan, ranking, rehearsal, report, table, trial
from gan_vae.sweep.plan import Experiment, Trial
from gan_vae.sweep.ranking import Ranked
from gan_vae.sweep.search import Listed, Study
from gan_vae.sweep.trial import Child, Outcome

ENGINES = ('grid', 'random', 'optuna')
_POLL, _WAIT = 0.5, 2.0  # seconds between looks at own children, and at others'


def sweep(
    spec: str,
    fixed: Mapping[str, plan.Value],
    *,
    engine: str = 'grid',
    parallel: int = 1,
    trials: int | None = None,
    seeds: int | None = None,
    seed: int = 0,
    storage: str = '',
    workdir: str = '',
    retry: bool = False,
) -> list[Ranked]:
    """Runs what is left of a sweep; returns its points, best first.

    spec: 'experiments/x.py[:variant]'; fixed: overrides of every trial; trials: points
    to draw (random, optuna); seeds: runs of each point; seed: of the search. Raises a
    UserError for what the files and flags rule out, before any trial starts, and a
    RunError if every trial failed.
    """
    fixed = {key: plan.text(value) for key, value in fixed.items()}
    if engine not in ENGINES:
        raise unknown('--engine', engine, ENGINES)
    for name, number in (('parallel', parallel), ('trials', trials), ('seeds', seeds)):
        if number is not None and number < 1:
            raise UserError(f'--{name}={number}: must be at least 1')
    if seed < 0:
        raise UserError(f'--seed={seed}: must not be negative')
    if engine == 'grid' and trials is not None:
        raise UserError('--trials has no meaning with --engine=grid: it runs all')
    if engine != 'optuna' and storage:
        raise UserError(f'--storage has no meaning with --engine={engine}')
    if storage.startswith('sqlite'):
        raise UserError(
            '--storage=sqlite fails with several workers: leave it out for a journal '
            'file, or use postgresql://USER@HOST/DATABASE'
        )
    experiment = plan.read(spec)
    folder = Path(workdir or Path('runs') / 'sweeps' / experiment.name)
    if (folder / 'config.json').exists():
        raise UserError(f'{folder} is the folder of a run: sweep in another --workdir')
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f'cannot write in {folder}: {error.strerror}') from error

    def make(point):
        return plan.trials(experiment, point, fixed, seeds, folder)

    points = experiment.points
    if engine == 'random' or (engine == 'optuna' and experiment.space):
        count = trials if engine == 'random' else 1
        points = plan.random_points(experiment, count, seed)
    if not points:
        raise UserError(
            f'{experiment.file} has no sweep(add): use --engine=random or optuna'
        )
    groups = plan.distinct(map(make, points))  # of configs that are valid, all of them
    search: Listed | Study = Listed(groups)
    if engine == 'optuna':
        search = Study(experiment, fixed, seeds, make, trials, seed, storage, folder)
    if not (folder / 'trials.jsonl').exists():  # else this has been checked
        rehearsal.check(experiment, groups[0][0])
    worker = _Worker(experiment, search, folder, parallel)
    if retry:
        worker.retry()
    stopped = worker.go()
    ranked = ranking.rank(search.groups, worker.states, experiment.metric)
    page = report.write(folder, experiment, ranked, engine, search.importance)
    board.write(folder, experiment.metric, ranked)
    _conclude(experiment, ranked, page, stopped)
    return ranked


class _Worker:
    """One process's part of a sweep."""

    def __init__(self, experiment, search, folder: Path, parallel: int):
        self._metric, self._search = experiment.metric, search
        self._folder, self._parallel = folder, parallel
        self._children: dict[str, Child] = {}
        self._screen = table.Screen(experiment.metric.name)
        self.states: dict[str, Outcome] = {}

    @property
    def _trials(self) -> list[Trial]:
        return [one for group in self._search.groups for one in group]

    def retry(self):
        """Forgets that trials failed."""
        events = trial.ledger(self._folder)
        for one in self._trials:
            if events.get(one.id, {}).get('status') == 'failed':
                trial.record(self._folder, one, 'to retry', Outcome(''), 0)
        if isinstance(self._search, Study):
            self._search.retry()

    def go(self) -> str | None:
        """Works until all is done; returns the name of the signal that stopped it."""
        next_look = 0.0
        with cleanup(self._kill), Watch('running trials save and stop') as watch:
            self._look()
            while True:
                free, nothing = self._parallel > len(self._children), False
                if free and not watch.asked and time.monotonic() >= next_look:
                    if self._start_one():
                        continue
                    nothing, next_look = True, time.monotonic() + _WAIT
                if self._reap():
                    next_look = 0.0  # a place is free
                if watch.asked:
                    for child in self._children.values():
                        child.stop(watch.asked)
                self._draw()
                over = watch.asked or (nothing and self._search.done)
                if over and not self._children:
                    self._look()
                    self._draw()
                    return watch.asked
                time.sleep(_POLL)

    def _kill(self):
        """No child is left behind after an error or a second signal."""
        children = list(self._children.values())
        for child in children:
            child.kill()
        for child in children:
            child.process.wait()

    def _start_one(self) -> bool:
        """Starts the first trial that is open and free."""
        events = trial.ledger(self._folder)
        for one in self._search.candidates():
            if one.id in self._children or self._has_ended(one, events):
                continue
            lock = trial.claim(one)
            if lock is None:  # another worker's
                self.states[one.id] = Outcome('unfinished')
                continue
            events = trial.ledger(self._folder)
            if self._has_ended(one, events):  # just before
                lock.close()
                continue
            waiting = self.states[one.id].status == 'waiting'
            status = 'started' if waiting else 'resumed'
            trial.record(self._folder, one, status, Outcome(status), 0)
            self._children[one.id] = Child(one, lock, self._parallel)
            return True
        return False

    def _has_ended(self, one: Trial, events: Mapping[str, dict]) -> bool:
        """Reads the state of a trial, and gives the search its outcome."""
        state = trial.outcome(one, self._metric, events)
        self.states[one.id] = state
        if state.status in self._search.final:
            self._search.tell(one, state)
        return state.status in self._search.final

    def _reap(self) -> bool:
        """Records the children that have ended, and stops those that are pruned."""
        ended = False
        for child in list(self._children.values()):
            one = child.trial
            result = child.ended(self._metric)
            if result is None:
                if not child.reason and self._search.prune(one):
                    child.stop('pruned')
                continue
            del self._children[one.id]
            seconds = time.monotonic() - child.started
            trial.record(self._folder, one, result.status, result, seconds)
            self.states[one.id] = result
            self._search.tell(one, result)
            ended = True
        return ended

    def _look(self):
        """Reads the state of each trial whose end this worker has not seen."""
        events = trial.ledger(self._folder)
        for one in self._trials:
            if self.states.get(one.id, Outcome('')).status not in trial.ENDED:
                self.states[one.id] = trial.outcome(one, self._metric, events)

    def _draw(self):
        rows = []
        for group in self._search.groups:
            for one in group:
                state = self.states.get(one.id, Outcome('waiting'))
                status, value = state.status, state.value
                if one.id in self._children:
                    status = 'running'
                    curve = trial.curve(one, self._metric.name)
                    value = curve[-1][1] if curve else None
                step = one.steps if status == 'finished' else trial.position(one)
                seed = one.seed if len(group) > 1 else None
                changed = table.describe(one.point, seed)
                rows.append(table.Row(one.id, changed, status, step, one.steps, value))
        self._screen.show(rows)


def longer(experiment: Experiment, best: Ranked) -> str:
    """The command that trains a point's first seed for twice the steps."""
    one = best.trials[0]
    config = config_lib.load(one.config, one.overrides)
    steps = 2 * one.steps
    # A schedule stretches with the steps, so that more of them are another run.
    constant = config.optimizer.schedule == 'constant'
    folder = one.folder if constant else Path(f'{one.folder}-{steps}')
    changed = one.overrides | {'train.steps': str(steps)}
    longest = one._replace(folder=folder, overrides=changed)
    return shlex.join(['python', '-m', 'gan_vae', 'train', *longest.flags()])


def _conclude(
    experiment: Experiment, ranked: list[Ranked], page: Path, stopped: str | None
):
    failed = [
        (t, o)
        for r in ranked
        for t, o in zip(r.trials, r.outcomes, strict=True)
        if o.status == 'failed'
    ]
    for one, result in failed:
        print(f'{one.id} failed: {result.error}')
    if failed:
        print(f'{counted(len(failed), "trial")} failed: --retry tries again')
    if stopped:
        print(f'{stopped}: running trials saved; the same command goes on')
    first = [r for r in ranked if r.place == 1]
    if first:
        best, *others = first
        spread = ''
        if best.spread is not None:
            seeds = counted(len(best.outcomes), 'seed')
            each = ', '.join(f'{o.value:.5g}' for o in best.outcomes)
            spread = f' ± {best.spread:.2g} over {seeds} ({each})'
        result = f'{experiment.metric.name} {best.mean:.5g}{spread}'
        print(f'best: {table.describe(best.point)}: {result}')
        for other in others:
            print(f'equal: {table.describe(other.point)}')
        for other in ranked:
            if other.place != 1 and ranking.told_apart(other, best) is False:
                print(f'its mean cannot be told from: {table.describe(other.point)}')
        print(f'longer: {longer(experiment, best)}')
    print(f'report: {page}')
    if failed and not stopped and len(failed) == sum(len(r.trials) for r in ranked):
        line = failed[-1][1].error
        raise RunError(
            f'{counted(len(failed), "trial")} of {len(failed)} failed; the last: {line}'
        )
