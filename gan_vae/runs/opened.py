"""Trained runs, opened; and runs whose initial weights are those of another."""

from __future__ import annotations

import functools
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import numpy as np

from gan_vae import config as config_lib
from gan_vae import data, methods
from gan_vae.config.fields import names_of
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
    record: dict[
        str, Any
    ]  # step, state_sha256, git_commit and what else was saved with it

    @property
    def about(self) -> dict[str, Any]:
        """What models and pictures that leave the run say of it."""
        own = {k: self.record[k] for k in ('step', 'git_commit', 'state_sha256')}
        own |= {k: v for k in packed.SAID if (v := self.record.get(k))}
        return own | {'config': self.config.name}

    @property
    def carried(self) -> dict[str, Any]:
        """What a packed model knows of its run: that, and what training took."""
        took = {k: v for k in packed.TOOK if (v := self.record.get(k))}
        return self.about | took


def model_of(workdir: str | Path) -> Model:
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


def checkpoints_of(workdir: str | Path) -> Checkpoints:
    """A run's checkpoints, to read. A UserError where it has none."""
    from gan_vae.runs.checkpoint import Checkpoints  # with Orbax: slow

    folder = Path(workdir) / 'checkpoints'
    if not folder.is_dir():
        raise UserError(f'{workdir} has no checkpoints yet')
    best = run_folder.read_config(workdir).train.best_metric
    return Checkpoints(folder, best=best, read_only=True)


def load(workdir: str | Path, step: int | str | None = None) -> Opened:
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


def check(config: Any, state: Any, workdir: str | Path) -> set[str]:
    """The networks that a run takes of another, or of a packed model.

    config, state: of the run that begins. A UserError where there are no weights, or
    networks that are not those of `state`: arrays or shapes. Of runs by different
    methods that have a network of ALONE, that alone is taken; of a packed model, the
    networks that it has.
    """
    workdir, folder = str(workdir), packed.find(workdir)
    if not packed.is_packed(folder):
        checkpoints_of(folder)
    other = model_of(folder)
    theirs = _parts(other.abstract, packed.is_packed(folder))
    taken = _taken(state.params.keys(), theirs['params'].keys(), folder)
    for part in TAKEN:
        trees = theirs[part], getattr(state, part)
        stored, wanted = ({n: t[n] for n in taken & t.keys()} for t in trees)
        _same(stored, wanted, f'{workdir}: {part}')
    for key in OF_TOKENISER:
        its, ours = (c.method.get(key) for c in (other.config, config))
        if TOKENISER in state.params and its != ours:
            raise UserError(
                f'config.train.init_from={workdir} has config.method.{key}={its}, '
                f'and this run {ours}: they must be the same'
            )
    for name in names_of(config.optimizer.frozen):
        if name.partition('/')[0] not in taken:
            raise UserError(
                f'config.optimizer.frozen={name}: {workdir} has no such network, and '
                'random numbers would not learn: begin with a run folder'
            )
    return taken


def begin(
    config: Any, state: Any, workdir: str | Path
) -> tuple[Any, dict[str, Any], list[str]]:
    """(`state` with the weights of a run's newest checkpoint or of a packed model,
    {run, step, hash}, the networks that stay as they are)."""
    taken, folder = check(config, state, workdir), packed.find(workdir)
    abstract = model_of(folder).abstract
    if packed.is_packed(folder):
        weights, about = packed.restore(folder, abstract)
        restored, step = replace(abstract, ema=weights.averaged), about['step']
        digest = about['state_sha256']
    else:
        restored = checkpoints_of(folder).restore_step(abstract, None)
        step, digest = int(restored.step), sha256(named_leaves(restored))
    theirs = _parts(restored, packed.is_packed(folder))

    def placed(part: str) -> Any:
        new, old = theirs[part], getattr(state, part)
        names = taken & new.keys() & old.keys()
        new, like = ({n: tree[n] for n in names} for tree in (new, old))
        return old | jax.tree.map(
            lambda new, old: jax.device_put(np.asarray(new), old.sharding), new, like
        )

    record = {'run': str(workdir), 'step': step, 'state_sha256': digest}
    state = state.replace(**{part: placed(part) for part in TAKEN})
    return state, record, sorted(state.params.keys() - taken)


def _parts(state: Any, averaged_only: bool) -> dict[str, dict[str, Any]]:
    """{part of TAKEN: {network: tree}}; of a packed model from its averages."""
    if not averaged_only:
        return {part: getattr(state, part) for part in TAKEN}
    params, variables = dict(state.ema), {}
    for name, tree in state.ema.items():
        if isinstance(tree, dict) and 'params' in tree:  # with statistics of batches
            variables[name] = dict(tree)
            params[name] = variables[name].pop('params')
    return {'params': params, 'variables': variables, 'ema': state.ema}


def _taken(ours: Any, theirs: Any, folder: Path) -> set[str]:
    """The networks to compare, and to take."""
    if ours != theirs and (both := ALONE & ours & theirs):
        return both
    return set(theirs if packed.is_packed(folder) else ours | theirs)


def _same(stored: Any, wanted: Any, where: str):
    trees = by_name(stored), by_name(wanted)
    for name in sorted(trees[0].keys() | trees[1].keys()):
        has, wants = (getattr(t.get(name), 'shape', 'nothing') for t in trees)
        if has != wants:
            raise UserError(
                f'config.train.init_from={where}/{name} is {has}, and this run has '
                f'{wants}: the networks must be the same'
            )
