"""Engines: they choose the next trial, and learn from the outcomes.

`Listed` has a fixed list of trials (grid, random search). `Study` asks Optuna (Akiba
et al. 2019, arXiv:1907.10902): TPE (Bergstra et al. 2011, NeurIPS), and the median
rule: a trial whose best value so far is worse than the median of the others at the same
step is stopped.
"""

import hashlib
import json
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gan_vae import config as config_lib
from gan_vae import files, modules
from gan_vae.errors import UserError, install
from gan_vae.sweep import plan
from gan_vae.sweep.plan import Experiment, Point, Trial
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


@dataclass(eq=False)
class _Proposal:
    """A point that Optuna proposed to this worker; its seeds run one by one."""

    optuna_trial: Any
    lock: Any
    trials: list[Trial]
    values: list[float] = field(default_factory=list)
    reported: int = -1  # the last step whose value Optuna has

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
        fixed: Mapping[str, str],
        seeds: int | None,
        make: Callable[[Point], list[Trial]],
        count: int | None,
        seed: int,
        storage: str,
        workdir: Path,
    ):
        if experiment.space is None:
            count = min(count or len(experiment.points), len(experiment.points))
        elif count is None:
            raise UserError('--engine=optuna draws from a space: add --trials=N')
        self._experiment, self._make = experiment, make
        self._count, self._seed = count, seed
        self._cache: dict[str, list[Trial]] = {}
        self._optuna = modules.optional('optuna', '--engine=optuna', 'Optuna', 'sweep')
        self._optuna.logging.set_verbosity(self._optuna.logging.WARNING)
        self._states = self._optuna.trial.TrialState
        self._locks = workdir / '.optuna'
        self._locks.mkdir(parents=True, exist_ok=True)
        computing = plan.computing(fixed, config_lib.load(experiment.config))
        same = {  # for two sweeps to be one study
            'config': experiment.config,
            'metric': experiment.metric,
            'fixed': {key: fixed[key] for key in computing},
            'seeds': seeds,
        }
        digest = hashlib.sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()
        name = f'{experiment.name}-{digest[:8]}'
        with self._alone():  # two workers that create tables at once would clash
            self._study = self._create(name, storage, workdir / 'optuna.journal')
        self._open: dict[int, _Proposal] = {}
        self._stopped: list[_Proposal] = []  # their locks are kept

    def _create(self, name: str, url: str, journal: Path):
        optuna = self._optuna
        try:
            if url:
                options = {'pool_pre_ping': True}
                storage = optuna.storages.RDBStorage(url, engine_kwargs=options)
            else:
                backend = optuna.storages.journal.JournalFileBackend(str(journal))
                storage = optuna.storages.JournalStorage(backend)
            return optuna.create_study(
                study_name=name,
                storage=storage,
                direction=f'{self._experiment.metric.direction}imize',
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

    def _known(self, *states) -> list:
        """The trials of all workers as Optuna has them, in some states or in any."""
        return self._study.get_trials(deepcopy=False, states=states or None)

    def candidates(self) -> Iterator[Trial]:
        """The open trials of this worker, then those that Optuna proposes."""
        for proposal in list(self._open.values()):
            yield proposal.current
        while proposal := self._ask():
            yield proposal.current

    def _ask(self) -> _Proposal | None:
        with self._alone():
            self._requeue()
            known = self._known()
            begun = [t for t in known if t.state != self._states.WAITING]
            if len(begun) == len(known):  # none is waiting
                started = sum('again' not in t.user_attrs for t in begun)
                if started >= self._count:
                    return None
                if self._experiment.space is None:
                    point = self._experiment.points[started]
                    self._study.enqueue_trial(point, user_attrs={'keys': list(point)})
            # Of the study's length: a worker started again does not draw the same.
            seeds = np.random.SeedSequence([self._seed, len(known)]).generate_state(1)
            with warnings.catch_warnings(action='ignore'):  # liar is experimental
                self._study.sampler = self._optuna.samplers.TPESampler(
                    seed=int(seeds[0]), constant_liar=True
                )
            optuna_trial = self._study.ask()
            lock = files.try_lock(self._locks / f'{optuna_trial.number}.lock')
            try:
                point = self._suggest(optuna_trial)
                trials = self._trials(point)
            except UserError:
                self._study.tell(optuna_trial, state=self._states.FAIL)
                raise
            optuna_trial.set_user_attr('point', point)
        proposal = _Proposal(optuna_trial, lock, trials)
        self._open[optuna_trial.number] = proposal
        return proposal

    def _suggest(self, optuna_trial) -> Point:
        if self._experiment.space:
            return plan.fill(self._experiment, optuna_trial)
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
        for running in self._known(self._states.RUNNING):
            file = self._locks / f'{running.number}.lock'
            lock = files.try_lock(file) if file.exists() else None
            if not lock:
                continue
            with lock:
                now = self._known()[running.number]
                if now.state == self._states.RUNNING:
                    self._enqueue_again(now)
                    self._study.tell(now.number, state=self._states.FAIL)

    def retry(self):
        """Asks again for the points that failed."""
        with self._alone():
            known = self._known()
            done = {t.user_attrs.get('again') for t in known}
            for t in known:
                if t.state == self._states.FAIL and t.number not in done:
                    self._enqueue_again(t)

    def _enqueue_again(self, trial):
        if trial.params:
            attributes = {k: v for k, v in trial.user_attrs.items() if k == 'keys'}
            attributes['again'] = trial.number
            self._study.enqueue_trial(trial.params, user_attrs=attributes)

    def tell(self, trial: Trial, result: Outcome):
        """To all points that wait for this trial (Optuna may suggest one twice)."""
        for number, proposal in list(self._open.items()):
            if proposal.current.id != trial.id:
                continue
            if result.status == 'finished' and result.value is not None:
                proposal.values.append(result.value)
                if len(proposal.values) < len(proposal.trials):
                    continue
                self._study.tell(proposal.optuna_trial, float(np.mean(proposal.values)))
            elif result.status in ('pruned', 'failed'):
                state = 'PRUNED' if result.status == 'pruned' else 'FAIL'
                self._study.tell(proposal.optuna_trial, state=self._states[state])
            del self._open[number]
            if result.status in ENDED:
                proposal.lock.close()
            else:  # stopped from outside: RUNNING until the next command
                self._stopped.append(proposal)

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
        stopped = {proposal.optuna_trial.number for proposal in self._stopped}
        return not self._open and not any(
            (self._locks / f'{t.number}.lock').exists() and t.number not in stopped
            for t in self._known(self._states.RUNNING)
        )

    @property
    def groups(self) -> list[list[Trial]]:
        """The trials of every point that Optuna has proposed to any worker."""
        points = [t.user_attrs.get('point') for t in self._known()]
        return plan.distinct(self._trials(point) for point in points if point)

    def _trials(self, point: Point) -> list[Trial]:
        key = json.dumps(point, sort_keys=True)
        if key not in self._cache:
            self._cache[key] = self._make(point)
        return self._cache[key]

    @property
    def importance(self) -> Mapping[str, float]:
        """{key: share} by Optuna's default evaluator; {} where it cannot tell."""
        try:
            with warnings.catch_warnings(action='ignore'):
                return self._optuna.importance.get_param_importances(self._study)
        except (ImportError, ValueError, RuntimeError):  # too few trials, no scikit
            return {}

    def _alone(self):
        """Holds the sweep's lock: one worker at a time asks."""
        return files.lock(self._locks / 'ask.lock')
