"""New pictures from a run folder: a grid, and PNGs that say where they are from."""

from functools import partial
from pathlib import Path

import jax
import numpy as np

from gan_vae import images, methods
from gan_vae.data.source import Spec
from gan_vae.errors import UserError, unknown
from gan_vae.training import process, run_folder
from gan_vae.training.checkpoint import Checkpoints, abstract_state
from gan_vae.training.state import TrainState

BATCH = 64


def load(workdir, step: int | None = None) -> tuple[methods.Method, TrainState, dict]:
    """(method, state with the averaged weights alone, provenance) of a checkpoint.

    `step`: which checkpoint, by default the newest. A UserError says what is missing.
    """
    config = run_folder.read_config(workdir)
    process.prepare()
    folder = Path(workdir) / 'checkpoints'
    if not folder.is_dir():
        raise UserError(f'{workdir} has no checkpoints yet')
    size, names = config.data.image_size, run_folder.read_classes(workdir)
    method = methods.make(config, Spec(size, size, config.data.channels, names))
    device = jax.sharding.SingleDeviceSharding(jax.devices()[0])
    checkpoints = Checkpoints(folder, read_only=True)
    step = checkpoints.steps()[-1] if step is None and checkpoints.steps() else step
    state, run = checkpoints.restore_model(abstract_state(method.init, device), step)
    provenance = {
        'config': config.name,
        'step': step,
        'state_sha256': run['state_sha256'],
        'git_commit': run['git_commit'],
    }
    return method, method.settled(state), provenance


def draw(
    method: methods.Method,
    state: TrainState,
    seed: int,
    num: int,
    labels: np.ndarray | int | None = None,
    truncation: float | None = None,
) -> np.ndarray:
    """`num` samples as uint8 [num, H, W, C]; picture i is the same for any `num`.

    labels: their classes, int [num] or one for all; by default each class in turn.
    truncation: latents are drawn again until all their numbers are within +- this.
    """
    check(seed, num)
    if truncation is not None and not truncation >= 0:
        raise UserError(f'--truncation={truncation}: must be at least 0')
    if method.classes and labels is None:
        labels = np.arange(num) % method.classes
    if labels is not None:  # whole batches, the last of which is cut off again
        labels = np.resize(labels, num + -num % BATCH).astype(np.int32)

    made = [
        images.to_uint8(
            _batch(
                method,
                truncation,
                state,
                jax.random.fold_in(jax.random.key(seed), start),
                None if labels is None else labels[start : start + BATCH],
            )
        )
        for start in range(0, num, BATCH)
    ]
    return np.concatenate(made)[:num]


def check(seed: int, num: int):
    """A UserError for a seed or a number of samples that there cannot be."""
    if not 1 <= num <= 100_000:
        raise UserError(f'--num={num}: must be from 1 to 100000')
    if not 0 <= seed < 2**32:
        raise UserError(f'--seed={seed}: must be from 0 to 2**32 - 1')


# A jit of the module, as of a function made at each draw each would compile anew.
@partial(jax.jit, static_argnums=(0, 1))
def _batch(method, truncation, state, key, label):
    if truncation is None:
        return method.sample(state, key, BATCH, label)
    return method.decode(state, method.prior(key, BATCH, truncation), label)


def class_id(names: tuple[str, ...], asked: str) -> int:
    """The id of a class by its name, or by its id as text."""
    if not names:
        raise UserError(f'--class={asked}: this model has no classes')
    if asked in names:
        return names.index(asked)
    if asked.isdecimal() and int(asked) < len(names):
        return int(asked)
    raise unknown('--class', asked, names)


def sample(
    workdir,
    num: int = 64,
    seed: int = 0,
    step: int | None = None,
    name: str | None = None,
    truncation: float | None = None,
) -> Path:
    """Writes `num` pictures in a folder, which it returns, and their grid beside it.

    name: of the class, or its id; by default each class in turn.
    """
    names = run_folder.read_classes(workdir)
    label = None if name is None else class_id(names, name)
    method, state, provenance = load(workdir, step)
    if truncation is not None and method.prior is None:
        raise UserError(f'--truncation: {workdir} has no prior to cut off')
    folder = Path(workdir) / 'pictures' / f'step{provenance["step"]}-seed{seed}'
    about = {'seed': seed}
    if label is not None:
        about['class'] = names[label]
        folder = folder.with_name(f'{folder.name}-{names[label].replace("/", "_")}')
    if truncation is not None:
        about['truncation'] = truncation
        folder = folder.with_name(f'{folder.name}-truncation{truncation:g}')
    made = draw(method, state, seed, num, label, truncation)
    provenance |= about
    columns = None if name is not None else images.columns(method.classes)
    try:
        for number, image in enumerate(made):
            images.save_png(
                folder / f'{number:05d}.png', image, provenance | {'number': number}
            )
        # beside the folder, which holds the pictures alone, to be scored or shown
        sheet = folder.with_name(folder.name + '.png')
        images.save_png(sheet, images.grid(made[:1024], columns), provenance)
    except OSError as error:
        raise UserError(
            f'cannot write pictures in {folder}: {error.strerror}'
        ) from error
    return folder
