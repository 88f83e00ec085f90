"""Where a run stands, what is due at a step, and the means that are logged."""

import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from gan_vae.learning.state import Occasional
from gan_vae.runs.checkpoint import parse_best


class Best(NamedTuple):
    """The best value of config.train.best_metric."""

    value: float
    step: int
    since: int  # evaluations since then that were not better


class Schedule(NamedTuple):
    """What happens at which steps; 0 is never."""

    steps: int
    log_steps: int
    image_steps: int
    eval_steps: int
    checkpoint_steps: int
    patience: int
    best: tuple[str, str] | None  # 'min' or 'max', and the metric that ranks

    @classmethod
    def of(cls, train, evaluation) -> 'Schedule':
        """Of the sections `train` and `eval` of a config."""
        return cls(
            train.steps,
            train.log_steps,
            train.image_steps,
            evaluation.every_steps,
            train.checkpoint_steps,
            train.patience,
            parse_best(train.best_metric),
        )

    def is_due(self, every: int, step: int) -> bool:
        """Whether something with this interval is due; all of it is at the end."""
        return step == self.steps or (every > 0 and step % every == 0)

    def saves(self, step: int) -> bool:
        return self.is_due(self.checkpoint_steps, step)

    def ranking(self, step: int) -> str:
        """The metric that ranks the checkpoint of this step; '' if none does."""
        return self.best[1] if self.best and self.saves(step) else ''

    def evaluates(self, step: int) -> bool:
        """Whether the objective is measured; also where it may rank a checkpoint."""
        return bool(self.ranking(step)) or self.is_due(self.eval_steps, step)

    def due(self, step: int, measured: bool = False) -> list[str]:
        """What is due at a step, in order: 'pictures', 'checkpoint', 'evaluation'.

        A checkpoint comes before the evaluation, so that what was trained is safe,
        unless the evaluation ranks it. measured: whether a metric is due by an
        interval of its own.
        """
        pictures = ['pictures'] * self.is_due(self.image_steps, step)
        checkpoint = ['checkpoint'] * self.saves(step)
        evaluation = ['evaluation'] * (measured or self.evaluates(step))
        if self.best:
            return pictures + evaluation + checkpoint
        return pictures + checkpoint + evaluation

    def rank(self, best: Best | None, step: int, value: float) -> Best:
        """The best after one more evaluation."""
        sign = 1 if self.best and self.best[0] == 'max' else -1
        if best is None:
            best = Best(-sign * math.inf, step, 0)
        if sign * value > sign * best.value:
            return Best(value, step, 0)
        return best._replace(since=best.since + 1)


@dataclass
class Progress:
    """Where a run stands: what its checkpoints record, and what this process knows."""

    step: int = 0
    seconds: float = 0.0  # of training, in all processes of the run
    core_seconds: float = 0.0  # of processor time of the host's cores, meanwhile
    best: Best | None = None
    init_from: dict | None = None  # the run, step and hash of the initial weights
    saved_step: int | None = None
    state_sha256: str = ''  # of the last checkpoint
    results: dict[str, dict] = field(default_factory=dict)  # of the last evaluation
    evaluated: bool = False  # whether those are all there are, of the last step
    speeds: list[float] = field(default_factory=list)  # examples per second

    def ended(self, schedule: Schedule) -> bool:
        """Whether all steps are done, or patience with the best metric has run out."""
        tired = schedule.patience and self.best and self.best.since >= schedule.patience
        return self.step >= schedule.steps or bool(tired)

    def to_json(self) -> dict:
        """What a checkpoint records. The keys are those of every run folder."""
        return {
            'state_sha256': self.state_sha256,
            'seconds': self.seconds,
            'core_seconds': self.core_seconds,
            'begun_from': self.init_from,
            'ranked': self.best,
        }

    @classmethod
    def from_json(cls, step: int, record: Mapping) -> 'Progress':
        """The Progress at a checkpoint, of its step and record."""
        best = record.get('ranked')
        return cls(
            step=step,
            seconds=record['seconds'],
            core_seconds=record.get('core_seconds', 0.0),
            best=best and Best(*best),
            init_from=record.get('begun_from'),
            saved_step=step,
            state_sha256=record['state_sha256'],
        )


class Window:
    """Means of metrics over the updates since the last record, and the speed.

    Sums are float64. A window is not part of a checkpoint: after a resume the first
    record is a mean over the updates from the resumed step on alone.
    """

    def __init__(self, step: int, examples_per_step: int):
        self._per_step = examples_per_step
        self._sums: dict[str, list[float]] = {}  # weighted sum, sum of weights
        self.restart_clock(step)

    def restart_clock(self, step: int):
        """What took the time until now was not training."""
        self._step, self._since = step, time.monotonic()

    def add(self, values: Iterable[tuple[str, float, float]]):
        """(name, value, weight) of one update."""
        for name, value, weight in values:
            sums = self._sums.setdefault(name, [0.0, 0.0])
            sums[0] += weight * value
            sums[1] += weight

    def close(self, step: int) -> tuple[dict[str, float], float]:
        """The mean of each metric that acted, and examples per second; begins anew."""
        means = {name: total / weight for name, (total, weight) in self._sums.items()}
        seconds = time.monotonic() - self._since
        speed = (step - self._step) * self._per_step / seconds
        self._sums = {}
        self.restart_clock(step)
        return means, speed


def acting(metrics: Mapping) -> list[tuple[str, float, float]]:
    """(name, value, weight) of an update's metrics on the host, of those that acted."""
    values = []
    for name, metric in metrics.items():
        if not isinstance(metric, Occasional):
            values.append((name, float(metric), 1.0))
        elif metric.acted > 0:
            values.append((name, float(metric.value), float(metric.acted)))
    return values
