"""Features of many pictures, mapped over devices; those of a reference stay on disk."""

import hashlib
import json
import os
import zipfile
from collections.abc import Callable
from functools import cache as cached

import jax
import numpy as np
from jax.sharding import Mesh, PartitionSpec
from tqdm import tqdm

from gan_vae import arrays, cache, files
from gan_vae.data.source import Examples, padded_batches
from gan_vae.devices.hosts import rows_of_host
from gan_vae.devices.mesh import AXIS, put
from gan_vae.extractors import Extractor

VECTORS = ('features', 'logits')  # the outputs of an extractor that metrics use


def extract(
    extractor: Extractor, images, mesh: Mesh, batch_size: int = 128
) -> dict[str, np.ndarray]:
    """{'features': float32 [N, d], 'logits': [N, k] where it has them} of uint8 images.

    In memory are one batch of pictures and the vectors of all. A UserError for
    anything but uint8 [N, H, W, C].
    """
    images = arrays.pictures(images)
    mapped = _mapped(extractor.apply, mesh)
    size = batch_size + -batch_size % mesh.size
    parts = []
    batches = tqdm(
        padded_batches(Examples(images), size),
        total=-(-len(images) // size),
        desc=extractor.name,
        leave=False,
        dynamic_ncols=True,
        disable=None,  # where nobody watches
    )
    for batch in batches:
        on_device = put(rows_of_host({'image': batch['image']}), mesh)['image']
        parts.append(jax.device_get(mapped(extractor.params, on_device)))
    return {
        name: np.concatenate([part[name] for part in parts])[: len(images)]
        for name in parts[0]
    }


@cached
def _mapped(apply: Callable, mesh: Mesh) -> Callable:
    """(params, images split over the mesh) -> vectors, compiled once a process."""
    rows = PartitionSpec(AXIS)

    def vectors(params, images):
        outputs = apply(params, images)
        return {  # of all devices: each host measures all samples
            name: jax.lax.all_gather(outputs[name], AXIS, tiled=True)
            for name in VECTORS
            if name in outputs
        }

    return jax.jit(
        jax.shard_map(
            vectors,
            mesh=mesh,
            in_specs=(PartitionSpec(), rows),
            out_specs=PartitionSpec(),
            check_vma=False,
        )
    )


def digest(images) -> str:
    """SHA-256 of all of an array [N, ...], read in pieces."""
    hashed = hashlib.sha256(f'{images.shape}'.encode())
    for start in range(0, len(images), 1000):
        hashed.update(np.ascontiguousarray(images[start : start + 1000]))
    return hashed.hexdigest()


def of_reference(extractor: Extractor, examples: Examples, mesh: Mesh) -> dict:
    """`extract`, once for a set and an extractor, from then on read from disk."""
    key = [*extractor[:4], digest(examples.images)]
    return stored('features', key, lambda: extract(extractor, examples.images, mesh))


def stored(kind: str, key, make: Callable[[], dict]) -> dict[str, np.ndarray]:
    """The arrays that `make` computes from a JSON `key`, once: then read from disk."""
    text = json.dumps(key, sort_keys=True)
    name = hashlib.sha256(text.encode()).hexdigest()[:24]
    folder = cache.root() / kind
    file = folder / f'{name}.npz'
    try:
        with np.load(file, allow_pickle=False) as archive:
            return dict(archive)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):  # none yet, or torn
        computed = make()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with files.temporary_folder(folder) as part:
            np.savez(part / file.name, **computed)
            os.replace(part / file.name, file)
    except OSError:
        pass  # slower next time, nothing else
    return computed
