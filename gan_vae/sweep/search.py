"""Engines: which trial comes next, and what is learned from one that ended.

A worker asks for `candidates`, runs what it can lock, and `tell`s what came of each.
`Listed` knows its trials beforehand (grid, random search). `Study` asks Optuna (Akiba
et al. 2019, arXiv:1907.10902): TPE (Bergstra et al. 2011, NeurIPS) over the
experiment's space, and the median rule on intermediate evaluations: a trial whose best
value so far is worse than the median of the others at the same step is stopped.
"""

import fcntl
import hashlib
import json
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from gan_vae import config as config_lib
from gan_vae.errors import UserError
from gan_vae.sweep.plan import Experiment, Point, Trial, fill
from gan_vae.sweep.trial import ENDED, Outcome, curve, try_lock


class Listed:
    """Trials known beforehand, in their order."""

    final = ('finished', 'failed')  # a pruned trial goes on
    importance: Mapping[str, float] = {}

    def __init__(self, groups: list[list[Trial]]):
        self.groups = groups  # the trials of each point
        self._open = {trial.id: trial for group in groups for trial in group}

    def candidates(self) -> Iterator[Trial]:
        """The trials that have not ended, perhaps because others run them."""
        yield from list(self._open.values())

    def tell(self, trial: Trial, found: Outcome):
        self._open.pop(trial.id, None)

    def prune(self, trial: Trial) -> bool:
        return False

    @property
    def done(self) -> bool:
        return not self._open


class _Asked:
    """A trial of Optuna's that this worker holds: a point, its seeds one by one."""

    def __init__(self, asked, lock, trials: list[Trial]):
        self.asked, self.lock, self.trials = asked, lock, trials
        self.values: list[float] = []
        self.reported = -1  # the last step that Optuna was told of

    @property
    def current(self) -> Trial:
        return self.trials[len(self.values)]


class Study:
    """Optuna's search; any number of workers share its storage and the folder.

    With sweep(add) alone, its points are tried in order and pruned. The first seed of a
    point decides on pruning, the mean over seeds is what Optuna learns.
    """

    final = ENDED

    def __init__(
        self,
        experiment: Experiment,
        make: Callable[[Point], list[Trial]],
        identity: Mapping,
        count: int | None,
        seed: int,
        storage: str,
        workdir: Path,
    ):
        self._experiment, self._make, self._seed = experiment, make, seed
        self._cache: dict[str, list[Trial]] = {}
        if experiment.space is None:
            count = min(count or len(experiment.points), len(experiment.points))
        elif count is None:
            raise UserError('--engine=optuna draws from a space: say --trials=N')
        self._count = count
        self._optuna = _import()
        self._locks = workdir / '.optuna'
        self._locks.mkdir(parents=True, exist_ok=True)
        told = json.dumps(dict(identity), sort_keys=True)
        digest = hashlib.sha256(told.encode()).hexdigest()[:8]
        with self._alone():  # two workers that create tables at once would clash
            self._study = self._create(
                f'{experiment.name}-{digest}', storage, workdir / 'optuna.journal'
            )
        self._held: dict[int, _Asked] = {}
        self._left: list[_Asked] = []  # stopped: their locks are kept

    def _create(self, name: str, url: str, journal: Path):
        optuna = self._optuna
        try:
            if url:
                storage = optuna.storages.RDBStorage(
                    url, engine_kwargs={'pool_pre_ping': True}
                )
            else:
                backend = optuna.storages.journal.JournalFileBackend(str(journal))
                storage = optuna.storages.JournalStorage(backend)
            return optuna.create_study(
                study_name=name,
                storage=storage,
                direction={'min': 'minimize', 'max': 'maximize'}[
                    self._experiment.metric.direction
                ],
                pruner=optuna.pruners.MedianPruner(),
                load_if_exists=True,
            )
        except Exception as error:  # of whichever database and driver
            cause = getattr(error, 'orig', None) or error.__cause__ or error
            line = str(cause).strip().splitlines()[0]
            if isinstance(cause, ModuleNotFoundError):
                line += " (pip install 'psycopg[binary]' for postgresql://)"
            where = re.sub(r'//.*@', '//', url) or journal  # no password
            raise UserError(f'--storage={where} cannot be used: {line}') from error

    def candidates(self) -> Iterator[Trial]:
        """What this worker has begun to ask about, then what Optuna suggests."""
        for held in list(self._held.values()):
            yield held.current
        while asked := self._ask():
            yield asked.current

    def _ask(self) -> _Asked | None:
        states = self._optuna.trial.TrialState
        with self._alone():
            self._requeue()
            known = self._study.get_trials(deepcopy=False)
            waiting = any(t.state == states.WAITING for t in known)
            begun = sum(
                t.state != states.WAITING and 'again' not in t.user_attrs for t in known
            )
            if not waiting:
                if begun >= self._count:
                    return None
                if self._experiment.space is None:
                    point = self._experiment.points[begun]
                    self._study.enqueue_trial(point, user_attrs={'keys': list(point)})
            # Of the study's length: a worker started again does not draw the same.
            seeds = np.random.SeedSequence([self._seed, len(known)]).generate_state(1)
            with warnings.catch_warnings():
                warnings.simplefilter('ignore')  # constant_liar is called experimental
                self._study.sampler = self._optuna.samplers.TPESampler(
                    seed=int(seeds[0]), constant_liar=True
                )
            asked = self._study.ask()
            lock = try_lock(self._locks / f'{asked.number}.lock')
            try:
                point = self._suggest(asked)
                trials = self._trials(point)
            except UserError:
                self._study.tell(asked, state=states.FAIL)
                raise
            asked.set_user_attr('point', point)
        held = _Asked(asked, lock, trials)
        self._held[asked.number] = held
        return held

    def _suggest(self, asked) -> Point:
        if self._experiment.space:
            return fill(self._experiment, _Suggest(asked))
        points = self._experiment.points
        return {
            key: asked.suggest_categorical(
                key, list(dict.fromkeys(p[key] for p in points if key in p))
            )
            for key in asked.user_attrs['keys']
        }

    def _requeue(self):
        """Trials of dead workers, whose locks are free, are to be tried again.

        Their folders go on from their checkpoints. A trial without a lock file is of a
        worker in another folder, of which nothing can be known from here.
        """
        states = self._optuna.trial.TrialState
        for seen in self._study.get_trials(deepcopy=False, states=(states.RUNNING,)):
            file = self._locks / f'{seen.number}.lock'
            lock = file.exists() and try_lock(file)
            if not lock:
                continue
            with lock:
                now = self._study.get_trials(deepcopy=False)[seen.number]
                if now.state != states.RUNNING:
                    continue
                kept = {k: v for k, v in now.user_attrs.items() if k == 'keys'}
                if now.params:
                    again = kept | {'again': now.number}
                    self._study.enqueue_trial(now.params, user_attrs=again)
                self._study.tell(now.number, state=states.FAIL)

    def retry(self):
        """Asks again for the points that failed."""
        states = self._optuna.trial.TrialState
        with self._alone():
            known = self._study.get_trials(deepcopy=False)
            done = {t.user_attrs.get('again') for t in known}
            for t in known:
                if t.state == states.FAIL and t.number not in done and t.params:
                    kept = {k: v for k, v in t.user_attrs.items() if k == 'keys'}
                    again = kept | {'again': t.number}
                    self._study.enqueue_trial(t.params, user_attrs=again)

    def tell(self, trial: Trial, found: Outcome):
        """To all points that wait for this trial (Optuna may suggest one twice)."""
        states = self._optuna.trial.TrialState
        for number, held in list(self._held.items()):
            if held.current.id != trial.id:
                continue
            if found.status == 'finished':
                held.values.append(found.value)
                if len(held.values) < len(held.trials):
                    continue
                self._study.tell(held.asked, float(np.mean(held.values)))
            elif found.status == 'pruned':
                self._study.tell(held.asked, state=states.PRUNED)
            elif found.status == 'failed':
                self._study.tell(held.asked, state=states.FAIL)
            else:  # stopped from outside: RUNNING until the next command
                self._left.append(held)
            del self._held[number]
            if held not in self._left:
                held.lock.close()

    def prune(self, trial: Trial) -> bool:
        """Reports what was evaluated since; whether the trial is to be stopped."""
        for held in self._held.values():
            if held.current.id != trial.id or held.values:
                continue
            news = [
                (step, value)
                for step, value in curve(trial, self._experiment.metric.name)
                if value is not None and held.reported < step < trial.steps
            ]
            for step, value in news:
                held.asked.report(value, step)
                held.reported = step
            if news:
                return held.asked.should_prune()
        return False

    @property
    def done(self) -> bool:
        """Whether nothing is held here or by a worker that this folder knows of."""
        states = self._optuna.trial.TrialState
        running = self._study.get_trials(deepcopy=False, states=(states.RUNNING,))
        left = {held.asked.number for held in self._left}
        return not self._held and not any(
            (self._locks / f'{t.number}.lock').exists() and t.number not in left
            for t in running
        )

    @property
    def groups(self) -> list[list[Trial]]:
        """The trials of every point that any worker has asked for."""
        known = self._study.get_trials(deepcopy=False)
        points = [t.user_attrs['point'] for t in known if 'point' in t.user_attrs]
        groups = [self._trials(point) for point in points]
        return list({group[0].id: group for group in groups}.values())

    def _trials(self, point: Point) -> list[Trial]:
        key = json.dumps(point, sort_keys=True)
        if key not in self._cache:
            self._cache[key] = self._make(point)
        return self._cache[key]

    @property
    def importance(self) -> Mapping[str, float]:
        """{key: share} by Optuna's default evaluator; {} where it cannot tell."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter('ignore')
                return self._optuna.importance.get_param_importances(self._study)
        except (ImportError, ValueError, RuntimeError):  # too few trials, no scikit
            return {}

    def _alone(self):
        """Holds the sweep's lock: one worker at a time asks."""
        return _Alone(self._locks / 'ask.lock')


class _Alone:
    def __init__(self, file: Path):
        self._file = file

    def __enter__(self):
        self._lock = open(self._file, 'a')
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def __exit__(self, *_):
        self._lock.close()


class _Suggest:
    """What a space draws from when Optuna suggests the values."""

    def __init__(self, asked):
        self._asked, self.point = asked, {}

    def uniform(self, key, low, high):
        return self._keep(key, self._asked.suggest_float(key, low, high))

    def log_uniform(self, key, low, high):
        return self._keep(key, self._asked.suggest_float(key, low, high, log=True))

    def integer(self, key, low, high):
        return self._keep(key, self._asked.suggest_int(key, low, high))

    def choice(self, key, values):
        return self._keep(key, self._asked.suggest_categorical(key, values))

    def _keep(self, key, value):
        self.point[key] = value
        return value


def identity(experiment: Experiment, fixed: Mapping, seeds: int | None) -> dict:
    """What must be equal for two sweeps to be one study."""
    free = config_lib.resumable(config_lib.load(experiment.config).method.name)
    told = {k: v for k, v in fixed.items() if k not in free}
    return {
        'config': experiment.config,
        'metric': experiment.metric,
        'fixed': told,
        'seeds': seeds,
    }


def _import():
    try:
        import optuna
    except ImportError as error:
        raise UserError(
            "--engine=optuna needs Optuna: pip install -e '.[sweep]'"
        ) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna
