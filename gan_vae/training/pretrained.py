"""Trained runs, opened again; and runs that begin with the weights of another."""

from pathlib import Path

import jax
import numpy as np

from gan_vae import data, methods
from gan_vae.data.sequences import FEATURES, SequenceSpec
from gan_vae.data.source import Spec
from gan_vae.errors import UserError
from gan_vae.training import run_folder
from gan_vae.training.checkpoint import Checkpoints, abstract_state
from gan_vae.training.state import TrainState, named_leaves, sha256

TAKEN = ('params', 'variables', 'ema')  # the rest is as at the start of any run


def opened(workdir) -> tuple[object, methods.Method, Checkpoints, TrainState]:
    """A run's config, method, checkpoints, and the shapes of its state, on one device.

    A UserError where it has no checkpoints.
    """
    config, folder = run_folder.read_config(workdir), Path(workdir) / 'checkpoints'
    if not folder.is_dir():
        raise UserError(f'{workdir} has no checkpoints yet')
    size, names = config.data.image_size, run_folder.read_classes(workdir)
    spec = Spec(size, size, config.data.channels, names)
    if (kind := data.kind_of(config.data.name)) != 'images':
        spec = SequenceSpec(kind, FEATURES[kind])
    method = methods.make(config, spec)
    device = jax.sharding.SingleDeviceSharding(jax.local_devices()[0])
    abstract = abstract_state(method.init, device)
    best = config.train.best_metric
    checkpoints = Checkpoints(folder, best=best, read_only=True)
    return config, method, checkpoints, abstract


def check(state: TrainState, workdir) -> tuple[Checkpoints, TrainState]:
    """The run's checkpoints, and the shapes of its state.

    A UserError where it has none, or networks that are not those of `state`: arrays or
    shapes.
    """
    _, _, checkpoints, abstract = opened(workdir)
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
