"""Engines: they choose the next trial, and learn from the outcomes.

A worker takes `candidates`, runs those that it can lock, and `tell`s each outcome.
`Listed` has a fixed list of trials (grid, random search). `Study` asks Optuna (Akiba
et al. 2019, arXiv:1907.10902): TPE (Bergstra et al. 2011, NeurIPS) over the
experiment's space, and the median rule on intermediate evaluations: a trial whose best
value so far is worse than the median of the others at the same step is stopped.
"""

import hashlib
import json
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from gan_vae import config as config_lib
from gan_vae import files
from gan_vae.errors import UserError, install, not_installed
from gan_vae.sweep.plan import Experiment, Point, Trial, fill
from gan_vae.sweep.trial import ENDED, Outcome, curve


class Listed:
    """A fixed list of trials, in its order."""

    final = ('finished', 'failed')  # a pruned trial goes on
    importance: Mapping[str, float] = {}

    def __init__(self, groups: list[list[Trial]]):
        self.groups = groups  # the trials of each point
        self._open = {trial.id: trial for group in groups for trial in group}

    def candidates(self) -> Iterator[Trial]:
        """The trials that have not ended, perhaps because others run them."""
        yield from list(self._open.values())

    def tell(self, trial: Trial, result: Outcome):
        self._open.pop(trial.id, None)

    def prune(self, trial: Trial) -> bool:
        return False

    @property
    def done(self) -> bool:
        return not self._open


class _Proposal:
    """A point that Optuna proposed to this worker; its seeds run one by one."""

    def __init__(self, optuna_trial, lock, trials: list[Trial]):
        self.optuna_trial, self.lock, self.trials = optuna_trial, lock, trials
        self.values: list[float] = []
        self.reported = -1  # the last step whose value Optuna has

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
            raise UserError('--engine=optuna draws from a space: add --trials=N')
        self._count = count
        self._optuna = _import()
        self._locks = workdir / '.optuna'
        self._locks.mkdir(parents=True, exist_ok=True)
        same = json.dumps(dict(identity), sort_keys=True)
        digest = hashlib.sha256(same.encode()).hexdigest()[:8]
        with self._alone():  # two workers that create tables at once would clash
            self._study = self._create(
                f'{experiment.name}-{digest}', storage, workdir / 'optuna.journal'
            )
        self._open: dict[int, _Proposal] = {}
        self._left: list[_Proposal] = []  # stopped: their locks are kept

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
                line += f' ({install("sweep")})'
            where = re.sub(r'//.*@', '//', url) or journal  # no password
            raise UserError(f'--storage={where} cannot be used: {line}') from error

    def candidates(self) -> Iterator[Trial]:
        """The open trials of this worker, then those that Optuna proposes."""
        for proposal in list(self._open.values()):
            yield proposal.current
        while proposal := self._ask():
            yield proposal.current

    def _ask(self) -> _Proposal | None:
        states = self._optuna.trial.TrialState
        with self._alone():
            self._requeue()
            known = self._study.get_trials(deepcopy=False)
            waiting = any(t.state == states.WAITING for t in known)
            started = sum(
                t.state != states.WAITING and 'again' not in t.user_attrs for t in known
            )
            if not waiting:
                if started >= self._count:
                    return None
                if self._experiment.space is None:
                    point = self._experiment.points[started]
                    self._study.enqueue_trial(point, user_attrs={'keys': list(point)})
            # Of the study's length: a worker started again does not draw the same.
            seeds = np.random.SeedSequence([self._seed, len(known)]).generate_state(1)
            with warnings.catch_warnings():
                warnings.simplefilter('ignore')  # constant_liar is called experimental
                self._study.sampler = self._optuna.samplers.TPESampler(
                    seed=int(seeds[0]), constant_liar=True
                )
            optuna_trial = self._study.ask()
            lock = files.try_lock(self._locks / f'{optuna_trial.number}.lock')
            try:
                point = self._suggest(optuna_trial)
                trials = self._trials(point)
            except UserError:
                self._study.tell(optuna_trial, state=states.FAIL)
                raise
            optuna_trial.set_user_attr('point', point)
        proposal = _Proposal(optuna_trial, lock, trials)
        self._open[optuna_trial.number] = proposal
        return proposal

    def _suggest(self, optuna_trial) -> Point:
        if self._experiment.space:
            return fill(self._experiment, _Suggest(optuna_trial))
        points = self._experiment.points
        return {
            key: optuna_trial.suggest_categorical(
                key, list(dict.fromkeys(p[key] for p in points if key in p))
            )
            for key in optuna_trial.user_attrs['keys']
        }

    def _requeue(self):
        """Trials of dead workers, whose locks are free, are to be tried again.

        Their folders go on from their checkpoints. A trial without a lock file is of a
        worker in another folder, of which nothing can be known from here.
        """
        states = self._optuna.trial.TrialState
        for seen in self._study.get_trials(deepcopy=False, states=(states.RUNNING,)):
            file = self._locks / f'{seen.number}.lock'
            lock = files.try_lock(file) if file.exists() else None
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

    def tell(self, trial: Trial, result: Outcome):
        """To all points that wait for this trial (Optuna may suggest one twice)."""
        states = self._optuna.trial.TrialState
        for number, proposal in list(self._open.items()):
            if proposal.current.id != trial.id:
                continue
            if result.status == 'finished':
                proposal.values.append(result.value)
                if len(proposal.values) < len(proposal.trials):
                    continue
                self._study.tell(proposal.optuna_trial, float(np.mean(proposal.values)))
            elif result.status == 'pruned':
                self._study.tell(proposal.optuna_trial, state=states.PRUNED)
            elif result.status == 'failed':
                self._study.tell(proposal.optuna_trial, state=states.FAIL)
            else:  # stopped from outside: RUNNING until the next command
                self._left.append(proposal)
            del self._open[number]
            if proposal not in self._left:
                proposal.lock.close()

    def prune(self, trial: Trial) -> bool:
        """Reports what was evaluated since; whether the trial is to be stopped."""
        for proposal in self._open.values():
            if proposal.current.id != trial.id or proposal.values:
                continue
            news = [
                (step, value)
                for step, value in curve(trial, self._experiment.metric.name)
                if value is not None and proposal.reported < step < trial.steps
            ]
            for step, value in news:
                proposal.optuna_trial.report(value, step)
                proposal.reported = step
            if news:
                return proposal.optuna_trial.should_prune()
        return False

    @property
    def done(self) -> bool:
        """Whether neither this worker nor another one of this folder has a proposal."""
        states = self._optuna.trial.TrialState
        running = self._study.get_trials(deepcopy=False, states=(states.RUNNING,))
        left = {proposal.optuna_trial.number for proposal in self._left}
        return not self._open and not any(
            (self._locks / f'{t.number}.lock').exists() and t.number not in left
            for t in running
        )

    @property
    def groups(self) -> list[list[Trial]]:
        """The trials of every point that Optuna has proposed to any worker."""
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
        return files.lock(self._locks / 'ask.lock')


class _Suggest:
    """What a space draws from when Optuna suggests the values."""

    def __init__(self, optuna_trial):
        self._trial, self.point = optuna_trial, {}

    def uniform(self, key, low, high):
        return self._keep(key, self._trial.suggest_float(key, low, high))

    def log_uniform(self, key, low, high):
        return self._keep(key, self._trial.suggest_float(key, low, high, log=True))

    def integer(self, key, low, high):
        return self._keep(key, self._trial.suggest_int(key, low, high))

    def choice(self, key, values):
        return self._keep(key, self._trial.suggest_categorical(key, values))

    def _keep(self, key, value):
        self.point[key] = value
        return value


def identity(experiment: Experiment, fixed: Mapping, seeds: int | None) -> dict:
    """What must be equal for two sweeps to be one study."""
    free = config_lib.resumable(config_lib.load(experiment.config).method.name)
    computing = {k: v for k, v in fixed.items() if k not in free}
    return {
        'config': experiment.config,
        'metric': experiment.metric,
        'fixed': computing,
        'seeds': seeds,
    }


def _import():
    try:
        import optuna
    except ImportError as error:
        raise not_installed('--engine=optuna', 'Optuna', 'sweep') from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna
