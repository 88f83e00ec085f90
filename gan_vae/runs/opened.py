"""Trained runs, opened again; and runs that begin with the weights of another."""

from pathlib import Path

import jax
import numpy as np

from gan_vae import data, methods
from gan_vae.data.sequences import FEATURES, SequenceSpec
from gan_vae.data.source import Spec
from gan_vae.errors import UserError
from gan_vae.keys import purpose_key
from gan_vae.learning.state import TrainState, named_leaves, sha256
from gan_vae.methods.contract import Method
from gan_vae.runs import folder as run_folder
from gan_vae.runs import packed
from gan_vae.runs.checkpoint import Checkpoints, abstract_state

TAKEN = ('params', 'variables', 'ema')  # the rest is as at the start of any run


def model_of(workdir) -> tuple[object, Method, TrainState]:
    """A run's config, its method, and the shapes of its state, on one device."""
    config = run_folder.read_config(workdir)
    size, names = config.data.image_size, run_folder.read_classes(workdir)
    spec = Spec(size, size, config.data.channels, names)
    if (kind := data.kind_of(config.data.name)) != 'images':
        spec = SequenceSpec(kind, FEATURES[kind])
    method = methods.make(config, spec)
    device = jax.sharding.SingleDeviceSharding(jax.local_devices()[0])
    return config, method, abstract_state(method.init, device)


def checkpoints_of(workdir) -> Checkpoints:
    """A run's checkpoints, to read. A UserError where it has none."""
    folder = Path(workdir) / 'checkpoints'
    if not folder.is_dir():
        raise UserError(f'{workdir} has no checkpoints yet')
    best = run_folder.read_config(workdir).train.best_metric
    return Checkpoints(folder, best=best, read_only=True)


def load(workdir, step: int | str | None = None):
    """(config, method, weights, about) of a run, at a
    checkpoint, or of a packed model."""
    workdir = packed.find(workdir)
    config, method, abstract = model_of(workdir)
    if packed.is_packed(workdir):
        if step is not None:
            raise UserError(f'--step={step}: {workdir} is a packed model, of one step')
        return config, method, *packed.restore(workdir, abstract)
    checkpoints = checkpoints_of(workdir)
    step = checkpoints.chosen(step)
    key = purpose_key(jax.random.key(config.train.seed), 'run')
    state, run = checkpoints.restore_model(abstract, key, step)
    return config, method, state, run | {'step': step}


def check(state: TrainState, workdir) -> tuple[Checkpoints, TrainState]:
    """The run's checkpoints, and the shapes of its state.

    A UserError where it has none, or networks that are not those of `state`: arrays or
    shapes.
    """
    checkpoints, (*_, abstract) = checkpoints_of(workdir), model_of(workdir)
    for part in TAKEN:
        _same(getattr(abstract, part), getattr(state, part), f'{workdir}: {part}')
    return checkpoints, abstract


def begin(state: TrainState, workdir) -> tuple[TrainState, dict]:
    """`state` with the weights of a run's newest checkpoint, and what they were."""
    checkpoints, abstract = check(state, workdir)
    found = checkpoints.restore_step(abstract, None)
    taken = {
        part: jax.tree.map(
            lambda new, old: jax.device_put(np.asarray(new), old.sharding),
            getattr(found, part),
            getattr(state, part),
        )
        for part in TAKEN
    }
    about = {'run': str(workdir), 'step': int(found.step)}
    about['state_sha256'] = sha256(named_leaves(found))
    return state.replace(**taken), about


def _same(found, wanted, where: str):
    shapes = [
        {
            jax.tree_util.keystr(path, simple=True, separator='/'): leaf.shape
            for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
        }
        for tree in (found, wanted)
    ]
    for name in sorted(shapes[0].keys() | shapes[1].keys()):
        has, wants = (s.get(name, 'nothing') for s in shapes)
        if has != wants:
            raise UserError(
                f'config.train.init_from={where}/{name} is {has}, and this run has '
                f'{wants}: the networks must be the same'
            )
