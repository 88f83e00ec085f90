"""A trained model in one small folder: config.json, weights.npz, about.json.

What sampling, evaluation and art need of a run, and nothing to go on training with: the
averaged weights, in half precision if asked. `pretrained:NAME` is one of those that
come with the package.
"""

import io
import json
import zipfile
from pathlib import Path

import jax
import numpy as np

from gan_vae import config as config_lib
from gan_vae import files
from gan_vae.errors import UserError, unknown
from gan_vae.learning.state import TrainState, Weights, by_name, named_leaves, sha256
from gan_vae.runs import folder as run_folder

WEIGHTS, ABOUT = 'weights.npz', 'about.json'
SHIPPED = Path(__file__).resolve().parents[1] / 'pretrained'
ROOM = 1024  # bytes of a member of an archive beside its numbers, at most


def find(workdir: str | Path) -> Path:
    """The folder of a run: that of a name after pretrained:, or the path itself."""
    head, colon, name = str(workdir).partition(':')
    if head != 'pretrained' or not colon:
        return Path(workdir)
    names = sorted(p.name for p in SHIPPED.iterdir() if p.is_dir())
    if name not in names:
        raise unknown('pretrained model', name, names)
    return SHIPPED / name


def is_packed(workdir: Path) -> bool:
    return (workdir / WEIGHTS).is_file()


def pack(config, classes: tuple[str, ...], weights: Weights, about: dict, out, half):
    """Writes a model in the folder `out`: bytes of the weights.

    about: config, step, git_commit, and what else is to be known of it; half: float16.
    """
    leaves = named_leaves(weights.averaged)
    if half:
        leaves = {name: _halved(name, leaf) for name, leaf in leaves.items()}
    file, out = io.BytesIO(), Path(out)
    np.savez_compressed(file, **leaves)
    try:
        files.write(out / WEIGHTS, file.getvalue())
        files.write(out / 'config.json', config_lib.to_json(config) + '\n')
        text = json.dumps(about, indent=1, sort_keys=True)
        files.write(out / ABOUT, text + '\n')
    except OSError as error:
        raise UserError(f'cannot write in {out}: {error.strerror}') from error
    if classes:
        run_folder.write_classes(out, classes)
    return len(file.getvalue())


def _halved(name: str, leaf: np.ndarray) -> np.ndarray:
    if leaf.dtype != np.float32:
        return leaf
    with np.errstate(over='ignore'):
        half = leaf.astype(np.float16)
    if not np.isfinite(half).all():
        raise UserError(f'{name} has numbers above 65504: it takes full precision')
    return half


def restore(workdir: Path, abstract: TrainState) -> tuple[Weights, dict]:
    """(weights, about with its state_sha256).

    abstract: the shapes that its config asks for. A UserError for any other file.
    """
    file = workdir / WEIGHTS
    shapes = by_name(abstract.ema)
    try:
        about = json.loads((workdir / ABOUT).read_text())
        about = {key: about[key] for key in ('config', 'step', 'git_commit')}
        with zipfile.ZipFile(file) as archive:  # before anything is unpacked
            sizes = {m.filename[:-4]: m.file_size for m in archive.infolist()}
        if sizes.keys() != shapes.keys():
            raise ValueError('other arrays than the model of its config')
        for name, leaf in shapes.items():
            if sizes[name] > leaf.size * leaf.dtype.itemsize + ROOM:
                raise ValueError(f'{name} is too large')
        with np.load(file, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in shapes}
        for name, array in arrays.items():
            if array.shape != shapes[name].shape or array.dtype.kind not in 'fiu':
                raise ValueError(f'{name} is {array.dtype} {array.shape}')
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise UserError(f'{file} cannot be used: {error}') from error
    leaves = [jax.numpy.asarray(arrays[n], leaf.dtype) for n, leaf in shapes.items()]
    averaged = jax.tree.unflatten(jax.tree.structure(abstract.ema), leaves)
    about['state_sha256'] = sha256(named_leaves(averaged))
    return Weights(averaged, jax.random.key(0)), about
