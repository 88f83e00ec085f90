"""Trained runs, opened; and runs whose initial weights are those of another."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import numpy as np

from gan_vae import config as config_lib
from gan_vae import data, methods
from gan_vae.data.sequences import FEATURES, SequenceSpec
from gan_vae.data.source import Spec
from gan_vae.errors import UserError
from gan_vae.keys import purpose_key
from gan_vae.learning.state import (
    TrainState,
    Weights,
    abstract_state,
    by_name,
    named_leaves,
    sha256,
)
from gan_vae.methods.contract import Method
from gan_vae.runs import folder as run_folder
from gan_vae.runs import packed

if TYPE_CHECKING:
    from gan_vae.runs.checkpoint import Checkpoints

TOKENISER = 'tokeniser'
ALONE = {TOKENISER, 'restorer', 'translator'}  # networks that several methods have
OF_TOKENISER = 'quantiser', 'levels'  # what its shapes do not tell
TAKEN = ('params', 'variables', 'ema')  # the rest is as at the start of any run


class Model(NamedTuple):
    """A run without its weights."""

    config: Any
    method: Method
    abstract: TrainState  # shapes and dtypes, on one device


class Opened(NamedTuple):
    """A trained model."""

    config: Any
    method: Method
    weights: Weights
    record: dict  # step, state_sha256, git_commit and what else was saved with it

    @property
    def about(self) -> dict:
        """What models and pictures that leave the run say of it."""
        own = {k: self.record[k] for k in ('step', 'git_commit', 'state_sha256')}
        own |= {k: v for k in ('licence', 'privacy') if (v := self.record.get(k))}
        return own | {'config': self.config.name}


def model_of(workdir) -> Model:
    """The Model of a run folder, or of a packed model's.

    Equal configs give one and the same method, so that what was compiled for it is not
    compiled again when a run is opened again.
    """
    config = run_folder.read_config(workdir)
    size, names = config.data.image_size, run_folder.read_classes(workdir)
    text = run_folder.read_text(workdir)
    spec = Spec(size, size, config.data.channels, names, text=text)
    if (kind := data.kind_of(config.data.name)) != 'images':
        spec = SequenceSpec(kind, FEATURES[kind], text=text)
    return Model(config, *_method_of(config_lib.to_json(config), spec))


@functools.lru_cache(16)
def _method_of(text: str, spec: Spec | SequenceSpec) -> tuple[Method, TrainState]:
    method = methods.make(config_lib.from_json(text), spec)
    device = jax.sharding.SingleDeviceSharding(jax.local_devices()[0])
    return method, abstract_state(method.init, device)


def checkpoints_of(workdir) -> Checkpoints:
    """A run's checkpoints, to read. A UserError where it has none."""
    from gan_vae.runs.checkpoint import Checkpoints  # with Orbax: slow

    folder = Path(workdir) / 'checkpoints'
    if not folder.is_dir():
        raise UserError(f'{workdir} has no checkpoints yet')
    best = run_folder.read_config(workdir).train.best_metric
    return Checkpoints(folder, best=best, read_only=True)


def load(workdir, step: int | str | None = None) -> Opened:
    """Opens a run at a checkpoint, or a packed model, which may be pretrained:NAME.

    step: of the checkpoint, or 'best'; by default the newest. A UserError says what is
    missing.
    """
    workdir = packed.find(workdir)
    model = model_of(workdir)
    if packed.is_packed(workdir):
        if step is not None:
            raise UserError(f'--step={step}: {workdir} is a packed model, of one step')
        weights, record = packed.restore(workdir, model.abstract)
    else:
        checkpoints = checkpoints_of(workdir)
        step = checkpoints.chosen(step)
        key = purpose_key(jax.random.key(model.config.train.seed), 'run')
        weights, record = checkpoints.restore_model(model.abstract, key, step)
        record = record | {'step': step}
    return Opened(model.config, model.method, weights, record)


def check(
    config: Any, state: Any, workdir: str | Path
) -> tuple[Checkpoints, TrainState]:
    """The run's checkpoints, and the shapes of its state.

    config: of the run that begins. A UserError where there are none, or networks that
    are not those of `state`: arrays or shapes. Of runs by different methods that have
    a network of ALONE, that alone is taken.
    """
    checkpoints, other = checkpoints_of(workdir), model_of(workdir)
    for part in TAKEN:
        trees = getattr(other.abstract, part), getattr(state, part)
        stored, wanted = _alike(state, other.abstract, *trees)
        _same(stored, wanted, f'{workdir}: {part}')
    for key in OF_TOKENISER:
        theirs, ours = (c.method.get(key) for c in (other.config, config))
        if TOKENISER in state.params and theirs != ours:
            raise UserError(
                f'config.train.init_from={workdir} has config.method.{key}={theirs}, '
                f'and this run {ours}: they must be the same'
            )
    return checkpoints, other.abstract


def begin(config: Any, state: Any, workdir: str | Path) -> tuple[Any, dict[str, Any]]:
    """(`state` with the weights of a run's newest checkpoint, {run, step, hash})."""
    checkpoints, abstract = check(config, state, workdir)
    restored = checkpoints.restore_step(abstract, None)

    def taken(part: str) -> Any:
        trees = getattr(restored, part), getattr(state, part)
        new, old = _alike(state, restored, *trees)
        return trees[1] | jax.tree.map(
            lambda new, old: jax.device_put(np.asarray(new), old.sharding), new, old
        )

    digest = sha256(named_leaves(restored))
    record = {'run': str(workdir), 'step': int(restored.step), 'state_sha256': digest}
    return state.replace(**{part: taken(part) for part in TAKEN}), record


def _alike(state: Any, other: Any, *trees: dict[str, Any]) -> list[dict[str, Any]]:
    """What is compared, and taken, of trees by networks: all, or that of ALONE."""
    if state.params.keys() == other.params.keys():
        return list(trees)
    both = ALONE & state.params.keys() & other.params.keys()
    if not both:
        return list(trees)
    return [{n: t for n, t in tree.items() if n in both} for tree in trees]


def _same(stored, wanted, where: str):
    trees = by_name(stored), by_name(wanted)
    for name in sorted(trees[0].keys() | trees[1].keys()):
        has, wants = (getattr(t.get(name), 'shape', 'nothing') for t in trees)
        if has != wants:
            raise UserError(
                f'config.train.init_from={where}/{name} is {has}, and this run has '
                f'{wants}: the networks must be the same'
            )
