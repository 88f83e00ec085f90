"""From a config to compiled functions on this run's devices."""

from collections.abc import Callable
from typing import NamedTuple

import jax

from gan_vae import methods
from gan_vae.data import augment
from gan_vae.data.source import Spec
from gan_vae.training import process
from gan_vae.training.state import example_indices, keys_of, purpose_key, step_key
from gan_vae.training.step import AXIS, map_step, mesh_of


class Program(NamedTuple):
    """A config made into compiled functions on this run's devices."""

    method: methods.Method
    mesh: jax.sharding.Mesh
    preprocess: Callable  # (keys, uint8 images) -> what an evaluation sees
    train_step: Callable  # (state, batch) -> (state, metrics); uses up the state
    evaluate_step: Callable
    sample: Callable  # (state, rng, n) -> images, n static


def build(config, spec: Spec) -> Program:
    """Compiles nothing yet; raises a UserError for what config and devices rule out."""
    process.prepare()
    mesh = mesh_of(config.parallel.devices, config.data.batch_size)
    method = methods.make(config, spec, axis_name=AXIS)
    settings = config.data
    light = augment.make(settings.flip, settings.shift, settings.binarize)
    plain = augment.make(False, 0, settings.binarize)

    def train_step(state, batch):
        indices = example_indices(len(batch['image']), AXIS)
        keys = keys_of(step_key(state, 'data'), indices)
        return method.train_step(state, batch | {'image': light(keys, batch['image'])})

    def evaluate_step(state, batch):
        keys = keys_of(purpose_key(state.rng, 'data'), batch['index'])
        return method.evaluate_step(
            state, batch | {'image': plain(keys, batch['image'])}
        )

    how = config.parallel.map
    return Program(
        method=method,
        mesh=mesh,
        preprocess=plain,
        train_step=map_step(train_step, mesh, how),
        evaluate_step=map_step(evaluate_step, mesh, how, donate=False),
        sample=jax.jit(method.sample, static_argnums=2),
    )
