"""Experiment files, the points that they list or draw, and the trials of a point.

A point is a set of values {'section.key': value}. A trial is a point with a seed: one
run. An experiment file has CONFIG = 'configs/x.py', METRIC = ('eval/swd', 'min' or
'max', 'best' or 'final'), and sweep(add), which lists points by add({'section.key':
value}), or space(draw), from which points are drawn by the methods of `Draw`, or both.

Random search draws point i of a space by Philox (Salmon et al. 2011, SC11) keyed with
(seed, i), so that neither the number of workers nor an interruption changes it. Where
few keys matter it beats a grid: Bergstra & Bengio 2012, JMLR 13.
"""

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gan_vae import config as config_lib
from gan_vae.config import user_file
from gan_vae.errors import UserError, nearest
from gan_vae.runs import folder as run_folder

Value = bool | int | float | str
Point = dict[str, Value]
# Set by the sweep itself: every trial has the same budget, and seeds are --seeds.
RESERVED = ('train.steps', 'train.seed', 'name')


class Metric(NamedTuple):
    """The metric that ranks the trials, by its name in metrics.jsonl."""

    name: str  # 'eval/swd'
    direction: str  # 'min' | 'max'
    of: str  # 'final': at the last step; 'best': of all evaluations


class Experiment(NamedTuple):
    """The content of an experiment file."""

    file: str
    name: str  # the file's stem, with the variant
    config: str  # path[:variant]
    metric: Metric
    points: list[Point]
    space: Callable | None  # takes a `draw`


class Trial(NamedTuple):
    """One run: a point with a seed."""

    id: str  # hash of the point, the seed and the other overrides
    point: Point
    seed: int
    config: str  # path[:variant]
    overrides: dict[str, str]  # on top of it, as text
    steps: int
    folder: Path

    def flags(self) -> list[str]:
        """Those of the command that trains it."""
        settings = [f'--config.{key}={value}' for key, value in self.overrides.items()]
        return [f'--config={self.config}', f'--workdir={self.folder}', *settings]


def read(spec: str) -> Experiment:
    """Reads `experiments/x.py[:variant]`; the variant takes the place of CONFIG's."""
    if not isinstance(spec, str):
        raise UserError(f"{spec!r} is no experiment: give 'experiments/NAME.py'")
    path, _, variant = spec.partition(':')
    file = Path(path)
    if not file.is_file() or file.suffix != '.py':
        folder = file.parent if file.parent.is_dir() else Path('experiments')
        known = [str(f) for f in sorted(folder.glob('*.py'))]
        if file.is_file():
            raise UserError(f'{path!r} is no experiment file: it must end in .py')
        if file.is_dir():
            raise UserError(f'--sweep={path} is a folder: give a file of it, NAME.py')
        raise UserError(f'no experiment file {path!r}{nearest(path, known)}')
    points: list[Point] = []

    def add(point: Mapping | None = None, /, **values):
        points.append(plain(path, {**(point or {}), **values}))

    with user_file.running(file, path) as module:
        if hasattr(module, 'sweep'):
            module.sweep(add)
    for name, example in {
        'CONFIG': "CONFIG = 'configs/dcgan_emoji.py'",
        'METRIC': "METRIC = ('eval/swd', 'min', 'final')",
    }.items():
        if not hasattr(module, name):
            raise UserError(f'{path} has no {name}: write, for example, {example}')
    space = getattr(module, 'space', None)
    if not points and not space:
        adds = 'sweep(add) adds nothing'
        neither = 'it has neither sweep(add) nor space(draw)'
        raise UserError(f'{path}: {adds if hasattr(module, "sweep") else neither}')
    match module.METRIC:
        case str(), 'min' | 'max', 'best' | 'final':
            metric = Metric(*module.METRIC)
        case value:
            raise UserError(
                f"{path}: METRIC={value!r} should be ('eval/NAME', 'min' or 'max', "
                "'best' or 'final')"
            )
    if not metric.name.startswith('eval/'):
        raise UserError(
            f'{path}: METRIC is {metric.name!r}: trials are compared by an evaluation, '
            "as 'eval/swd'"
        )
    config, name = module.CONFIG, file.stem
    if not isinstance(config, str):
        raise UserError(f"{path}: CONFIG is 'path' or 'path:variant', not {config!r}")
    if variant:
        config = f'{config.partition(":")[0]}:{variant}'
        name = f'{name}-{variant}'
    return Experiment(path, name, config, metric, points, space)


def plain(where: str, point: Mapping) -> Point:
    """The point with Python's own numbers; raises for keys that are not swept."""
    checked: Point = {}
    for key, value in point.items():
        value = value.item() if isinstance(value, np.generic) else value
        if not isinstance(value, bool | int | float | str):
            raise UserError(f'{where}: {key}={value!r} is no number, text or bool')
        if key in RESERVED:
            raise UserError(
                f'{where}: {key} cannot be swept: repeat trials with --seeds=K, '
                'and give all the same --config.train.steps=N'
            )
        checked[key] = value
    if not checked:
        raise UserError(f'{where}: a point is empty')
    return checked


def text(value: Value) -> str:
    """A value as --config.KEY= takes it."""
    return value if isinstance(value, str) else repr(value)


def trials(
    experiment: Experiment,
    point: Point,
    fixed: Mapping[str, str],
    seeds: int | None,
    workdir: Path,
) -> list[Trial]:
    """The trials of a point, one for each seed; loads and so validates each config.

    fixed: overrides of every trial; seeds: of 0..seeds-1, or None for the config's own.
    """
    clashes = sorted(point.keys() & fixed.keys())
    if clashes:
        raise UserError(
            f'--config.{clashes[0]} is swept by {experiment.file}: leave it out'
        )
    if seeds is not None and 'train.seed' in fixed:
        raise UserError('--config.train.seed and --seeds exclude each other')
    overrides = dict(fixed) | {key: text(value) for key, value in point.items()}
    result = []
    for seed in [None] if seeds is None else range(seeds):
        own = overrides if seed is None else overrides | {'train.seed': str(seed)}
        try:
            config = config_lib.load(experiment.config, own)
        except UserError as error:
            raise UserError(f'{experiment.file}: {error}') from error
        flat = config_lib.flatten(config)
        point = {key: flat[key] for key in point}  # 1 and 1.0 are one point
        keys = [*computing(fixed, config), *point, 'train.seed']
        chosen = json.dumps({key: flat[key] for key in keys}, sort_keys=True)
        name = hashlib.sha256(chosen.encode()).hexdigest()[:12]
        trial = Trial(
            id=name,
            point=point,
            seed=config.train.seed,
            config=experiment.config,
            overrides=own | {'train.seed': str(config.train.seed)},
            steps=config.train.steps,
            folder=workdir / name,
        )
        _check_folder(trial, config)
        result.append(trial)
    return result


def computing(fixed: Mapping[str, str], config: Any) -> list[str]:
    """The overrides that change what a trial computes: no places and intervals."""
    free = config_lib.resumable(config.method.name)
    return [key for key in fixed if key not in free]


def _check_folder(trial: Trial, config: Any):
    """Raises if the folder is of a trial of another version of the config file."""
    if not (trial.folder / 'config.json').is_file():
        return
    stored = run_folder.read_config(trial.folder)
    stored.train.steps = min(stored.train.steps, trial.steps)  # it may go on for longer
    if changed := config_lib.differences(stored, config):
        raise UserError(
            f'{trial.folder} was trained with another {trial.config} '
            f'({"; ".join(changed)}): sweep in another --workdir'
        )


class Draw:
    """Draws the values of one point of a space; kept in `point`.

    source: of numbers, with the methods `suggest_*` of a trial of Optuna.
    """

    def __init__(self, source: Any):
        self._source = source
        self.point: dict[str, Any] = {}

    def uniform(self, key: str, low: float, high: float) -> float:
        return self._keep(key, self._source.suggest_float(key, low, high))

    def log_uniform(self, key: str, low: float, high: float) -> float:
        if not 0 < low < high:
            raise UserError(f'log_uniform({key!r}, {low}, {high}): not 0 < low < high')
        return self._keep(key, self._source.suggest_float(key, low, high, log=True))

    def integer(self, key: str, low: int, high: int) -> int:
        """Both ends included."""
        return self._keep(key, self._source.suggest_int(key, low, high))

    def choice(self, key: str, values: Sequence[Value]) -> Value:
        return self._keep(key, self._source.suggest_categorical(key, values))

    def _keep(self, key: str, value: Any) -> Any:
        self.point[key] = value
        return value


class Philox:
    """Numbers of random search, a function of (seed, index)."""

    def __init__(self, seed: int, index: int):
        self.rng = np.random.Generator(np.random.Philox(key=[seed, index]))

    def suggest_float(self, key: str, low: float, high: float, log=False) -> float:
        if not log:
            return self.rng.uniform(low, high)
        value = math.exp(self.rng.uniform(math.log(low), math.log(high)))
        return min(max(value, low), high)

    def suggest_int(self, key: str, low: int, high: int) -> int:
        return int(self.rng.integers(low, high, endpoint=True))

    def suggest_categorical(self, key: str, values: Sequence[Value]) -> Value:
        return values[int(self.rng.integers(len(values)))]


def fill(experiment: Experiment, source: Any) -> Point:
    """The point that the experiment's space draws from `source`."""
    assert experiment.space
    draw = Draw(source)
    try:
        experiment.space(draw)
    except UserError as error:
        raise UserError(f'{experiment.file}: {error}') from error
    except Exception as error:  # the user's own code: name file and fault
        raise UserError(
            f'{experiment.file}: space(draw): {type(error).__name__}: {error}'
        ) from error
    return plain(experiment.file, draw.point)


def random_points(experiment: Experiment, count: int | None, seed: int) -> list[Point]:
    """`count` points drawn from the space, or from sweep's without replacement.

    The first n are the same for every count.
    """
    if experiment.space is None:
        order = Philox(seed, 0).rng.permutation(len(experiment.points))
        return [experiment.points[i] for i in order[:count]]
    if count is None:
        raise UserError('--engine=random draws from a space: add --trials=N')
    return [fill(experiment, Philox(seed, index)) for index in range(count)]


def distinct(groups: Iterable[list[Trial]]) -> list[list[Trial]]:
    """The trials of points, each point once."""
    return list({group[0].id: group for group in groups}.values())
