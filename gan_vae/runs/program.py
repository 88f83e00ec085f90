"""From a config to compiled functions on this run's devices."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

import jax
from jax import lax
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from gan_vae import data, methods
from gan_vae.data import augment
from gan_vae.data.sequences import SequenceSpec
from gan_vae.data.source import Spec
from gan_vae.devices import layout, process
from gan_vae.devices.mesh import AXIS, map_step, mesh_of
from gan_vae.errors import UserError
from gan_vae.keys import example_indices, keys_of, purpose_key
from gan_vae.learning.state import TrainState, abstract_state, step_key
from gan_vae.methods.contract import Method

Batch = dict[str, Any]  # of arrays


class Program(NamedTuple):
    """A config made into compiled functions on this run's devices."""

    method: Method
    mesh: Mesh
    sharding: Any  # of the state: one for all of it, or a tree
    rows: str  # what a device works on in one update, in words
    preprocess: Callable[
        [jax.Array, Batch], Batch
    ]  # (keys, batch) -> batch as an evaluation sees it
    train_step: Callable[
        ..., Any
    ]  # (state, batch) -> (state, metrics); uses up the state
    evaluate_step: Callable[[TrainState, Batch], Any]
    generate: Callable[..., Any] | None  # (weights, key, n) -> examples, n static
    diagnose: Callable[..., Any] | None


def build(config: Any, spec: Spec | SequenceSpec) -> Program:
    """Compiles nothing yet; raises a UserError for what config and devices rule out."""
    process.prepare()
    mesh = mesh_of(config.parallel.devices, config.data.batch_size)
    rows = _rows(config, mesh)
    method = methods.make(config, spec, axis_name=AXIS)
    shapes = jax.eval_shape(method.init, jax.random.key(0))
    specs = _specs(config, shapes, mesh)
    options = process.of_steps(len(jax.tree.leaves(shapes)))
    sharding = jax.tree.map(lambda spec: NamedSharding(mesh, spec), specs)
    light, plain = augment.of(config.data, spec.kind)

    def train_step(state: TrainState, batch: Batch):
        indices = example_indices(len(batch['index']), AXIS)
        keys = keys_of(step_key(state, 'data'), indices)
        return method.train_step(state, light(keys, batch))

    def evaluate_step(state: TrainState, batch: Batch):
        keys = keys_of(purpose_key(state.rng, 'data'), batch['index'])
        return lax.psum(method.evaluate_step(state, plain(keys, batch)), AXIS)

    how = config.parallel.map
    mapped = partial(map_step, mesh=mesh, how=how, compiler_options=options)
    return Program(
        method=method,
        mesh=mesh,
        sharding=sharding,
        rows=rows,
        preprocess=plain,
        train_step=mapped(train_step, state=specs, donate_argnums=0),
        evaluate_step=mapped(evaluate_step),
        generate=method.generate and jax.jit(method.generate, static_argnums=2),
        diagnose=method.diagnose and jax.jit(method.diagnose),
    )


def start(program: Program, seed: int, batch: Batch) -> TrainState:
    """The state at step 0; the train step on such batches is compiled meanwhile.

    The compiler leaves a core idle for much of the time, and so do both together for
    less of it. pmap compiles in its first call.
    """
    init = jax.jit(
        program.method.init,
        out_shardings=program.sharding,
        compiler_options=process.of_init(),
    )
    key = jax.random.key(seed)
    with ThreadPoolExecutor(1) as other:
        compiled = other.submit(init.lower(key).compile)
        if isinstance(program.train_step, jax.stages.Wrapped):
            abstract = abstract_state(program.method.init, program.sharding)
            program.train_step.lower(abstract, batch).compile()
        compiled.result()
    return init(key)


def _rows(config: Any, mesh: Mesh) -> str:
    """Checks that a device's share of a batch divides into its parts, and states it."""
    batch, parts = config.data.batch_size, config.parallel.accumulate
    share = batch // mesh.size
    if share % parts:
        raise UserError(
            f'config.data.batch_size={batch} on {mesh.size} device(s) is {share} each, '
            f'which does not divide by config.parallel.accumulate={parts}'
        )
    what = data.noun(data.kind_of(config.data.name))
    text = f'{mesh.size} device(s), {share} of the {batch} {what} of an update on each'
    return text if parts == 1 else f'{text}, {share // parts} at a time'


def _specs(config: Any, shapes: TrainState, mesh: Mesh):
    """The PartitionSpecs of the state: one for all of it, or a tree."""
    if not config.parallel.shard_state:
        return PartitionSpec()
    if config.parallel.map == 'pmap':
        raise UserError(
            'config.parallel.shard_state needs config.parallel.map=shard_map: '
            'pmap holds a whole copy of the state on each device'
        )
    whole = layout.specs(shapes, 1, AXIS)
    parts = layout.specs(shapes, mesh.size, AXIS)
    return whole.replace(opt_state=parts.opt_state, ema=parts.ema)
