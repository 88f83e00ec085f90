"""A trained model in one small folder: config.json, weights.npz, about.json.

What sampling, evaluation and art need of a run, and nothing to go on training with: the
averaged weights, in half precision if asked. `pretrained:NAME` is one of those that
come with the package.
"""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import jax
import numpy as np

from gan_vae import config as config_lib
from gan_vae import files, modules
from gan_vae.data.texts import Text
from gan_vae.errors import UserError, short, unknown
from gan_vae.learning.state import TrainState, Weights, by_name, named_leaves, sha256
from gan_vae.runs import folder as run_folder

WEIGHTS, ABOUT = 'weights.npz', 'about.json'
SAFE = 'model.safetensors'  # the same arrays, for others, see gan_vae/export
SHIPPED = Path(__file__).resolve().parents[1] / 'pretrained'
SAID = 'licence', 'privacy'  # of the data, in words: goes on to all that is made
TOOK = 'seconds', 'core_seconds'  # of training
ROOM = 1024  # bytes of a member of an archive beside its numbers, at most


def names() -> list[str]:
    """Of the models that come with the package."""
    return sorted(p.name for p in SHIPPED.iterdir() if p.is_dir())


def find(workdir: str | Path) -> Path:
    """The folder of a run: that of a name after pretrained:, or the path itself."""
    head, colon, name = str(workdir).partition(':')
    if head != 'pretrained' or not colon:
        return Path(workdir)
    if name not in names():
        raise unknown('pretrained model', name, names())
    return SHIPPED / name


def is_packed(workdir: Path) -> bool:
    return (workdir / WEIGHTS).is_file() or (workdir / SAFE).is_file()


def pack(
    config: Any,
    classes: tuple[str, ...],
    weights: Weights,
    about: dict[str, Any],
    out: str | Path,
    half: bool,
    text: Text | None = None,
    weights_file: str = WEIGHTS,
):
    """Writes a model in the folder `out`: bytes of the weights.

    about: config, step, git_commit, and what else is to be known of it; half: float16;
    text: the words of its prompts; weights_file: WEIGHTS, or SAFE.
    """
    leaves = named_leaves(weights.averaged)
    if half:
        leaves = {name: _halved(name, leaf) for name, leaf in leaves.items()}
    raw, out = _written(leaves, weights_file), Path(out)
    try:
        files.write(out / weights_file, raw)
        files.write(out / 'config.json', config_lib.to_json(_shared(config)) + '\n')
        record = json.dumps(about, indent=1, sort_keys=True)
        files.write(out / ABOUT, record + '\n')
    except OSError as error:
        raise UserError(f'cannot write in {out}: {error.strerror}') from error
    if classes:
        run_folder.write_classes(out, classes)
    if text:
        run_folder.write_text(out, text)
    return len(raw)


def _shared(config: Any) -> Any:
    """The config as others may see it: from the seed of a private run follows its noise
    (docs/guides/privacy.md)."""
    if not config.privacy.noise_multiplier:
        return config
    config = config.copy_and_resolve_references()
    config.train.seed = 0
    return config


def _written(leaves: dict[str, np.ndarray], file: str) -> bytes:
    if file == SAFE:
        library = modules.optional('safetensors.numpy', file, 'safetensors', 'export')
        return library.save(leaves, {'format': 'np'})
    stream = io.BytesIO()
    np.savez_compressed(stream, allow_pickle=False, **leaves)
    return stream.getvalue()


def _halved(name: str, leaf: np.ndarray) -> np.ndarray:
    if leaf.dtype != np.float32:
        return leaf
    with np.errstate(over='ignore'):
        half = leaf.astype(np.float16)
    if not np.isfinite(half).all():
        raise UserError(f'{name} has numbers above 65504: it takes full precision')
    return half


def _unpacked(file: Path, shapes: dict[str, Any]) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(file) as archive:  # before anything is unpacked
        sizes = {m.filename[:-4]: m.file_size for m in archive.infolist()}
    if sizes.keys() != shapes.keys():
        raise ValueError('other arrays than the model of its config')
    for name, leaf in shapes.items():
        if sizes[name] > leaf.size * leaf.dtype.itemsize + ROOM:
            raise ValueError(f'{name} is too large')
    with np.load(file, allow_pickle=False) as stored:
        return {name: stored[name] for name in shapes}


def _safe(file: Path, shapes: dict[str, Any]) -> dict[str, np.ndarray]:
    library = modules.optional('safetensors', str(file), 'safetensors', 'export')
    try:
        with library.safe_open(file, 'numpy') as stored:
            if {*stored.keys()} != shapes.keys():
                raise ValueError('other arrays than the model of its config')
            return {name: stored.get_tensor(name) for name in shapes}
    except library.SafetensorError as error:
        raise ValueError(str(error)) from error


def restore(workdir: Path, abstract: TrainState) -> tuple[Weights, dict[str, Any]]:
    """(weights, about with its state_sha256).

    abstract: the shapes that its config asks for. A UserError for any other file.
    """
    file = workdir / (WEIGHTS if (workdir / WEIGHTS).is_file() else SAFE)
    shapes = by_name(abstract.ema)
    try:
        record = json.loads((workdir / ABOUT).read_text())
        about = {key: record[key] for key in ('config', 'step', 'git_commit')}
        about |= {key: short(record[key]) for key in SAID if record.get(key)}
        about |= {key: float(record[key]) for key in TOOK if record.get(key)}
        arrays = (_safe if file.name == SAFE else _unpacked)(file, shapes)
        for name, array in arrays.items():
            if array.shape != shapes[name].shape or array.dtype.kind not in 'fiu':
                raise ValueError(f'{name} is {array.dtype} {array.shape}')
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise UserError(f'{file} cannot be used: {error}') from error
    leaves = [jax.numpy.asarray(arrays[n], leaf.dtype) for n, leaf in shapes.items()]
    averaged = jax.tree.unflatten(jax.tree.structure(abstract.ema), leaves)
    about['state_sha256'] = sha256(named_leaves(averaged))
    return Weights(averaged, jax.random.key(0)), about
