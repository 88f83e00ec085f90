"""Mapping a per-device step over devices, with a named axis `batch`.

`shard_map` without its replication check is what `jax.pmap` has been since jax 0.10,
bit for bit where XLA compiles both alike (a test proves it). With the check on, its
default, averaging gradients by `pmean` would multiply them by the number of devices,
and Adam's loss would hide it.
"""

from collections.abc import Callable

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from gan_vae.errors import UserError

AXIS = 'batch'


def mesh_of(count: int, batch_size: int) -> Mesh:
    """A mesh of `count` devices of each host (0 = all) that the batch divides by.

    They are in the order of the hosts, so that host i holds the i-th part of a batch.
    """
    local = jax.local_devices()
    if count > len(local):
        raise UserError(
            f'config.parallel.devices={count}, but there are {len(local)} '
            f'({local[0].platform})'
        )
    devices = [
        device
        for host in range(jax.process_count())
        for device in jax.local_devices(host)[: count or None]
    ]
    if batch_size % len(devices):
        raise UserError(
            f'config.data.batch_size={batch_size} does not divide by {len(devices)} '
            'devices: change it, or set config.parallel.devices'
        )
    return Mesh(np.array(devices), (AXIS,))


def put(batch: dict, mesh: Mesh) -> dict:
    """This host's rows as global arrays, split over the mesh."""
    sharding = NamedSharding(mesh, PartitionSpec(AXIS))
    return jax.tree.map(
        lambda x: jax.make_array_from_process_local_data(sharding, x), batch
    )


def map_step(step: Callable, mesh: Mesh, how: str, state=None, **compiling) -> Callable:
    """Maps (state, batch) -> (replicated outputs) over the mesh and compiles it.

    `step` averages over `AXIS` itself. `how`: 'shard_map' | 'pmap'. `state`: the
    PartitionSpecs of a state of which `step` sees the device's part, and which it
    returns first; without it, copies. compiling: arguments of `jax.jit`, of which pmap
    has no `compiler_options`.
    """
    if how == 'shard_map':
        copies, rows = PartitionSpec(), PartitionSpec(AXIS)
        mapped = jax.shard_map(
            step,
            mesh=mesh,
            in_specs=(copies if state is None else state, rows),
            out_specs=copies if state is None else (state, copies),
            check_vma=False,
        )
        return jax.jit(mapped, **compiling)
    compiling.pop('compiler_options', None)
    pmapped = jax.pmap(
        step,
        axis_name=AXIS,
        in_axes=(None, 0),
        out_axes=None,
        devices=list(mesh.devices),
        **compiling,
    )

    def run(state, batch):
        split = jax.tree.map(lambda x: x.reshape(mesh.size, -1, *x.shape[1:]), batch)
        return pmapped(state, split)

    return run
