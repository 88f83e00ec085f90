"""New pictures from a run folder: a grid, and PNGs that say where they are from."""

from pathlib import Path

import jax
import numpy as np

from gan_vae import images, methods
from gan_vae.data.source import Spec
from gan_vae.errors import UserError
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
    size = config.data.image_size
    method = methods.make(config, Spec(size, size, config.data.channels))
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
    return method, state, provenance


def draw(method: methods.Method, state: TrainState, seed: int, num: int) -> np.ndarray:
    """`num` samples as uint8 [num, H, W, C]; picture i is the same for any `num`."""
    if not 1 <= num <= 100_000:
        raise UserError(f'--num={num}: must be from 1 to 100000')
    if not 0 <= seed < 2**32:
        raise UserError(f'--seed={seed}: must be from 0 to 2**32 - 1')
    sample = jax.jit(method.sample, static_argnums=2)
    made = [
        images.to_uint8(
            sample(state, jax.random.fold_in(jax.random.key(seed), start), BATCH)
        )
        for start in range(0, num, BATCH)
    ]
    return np.concatenate(made)[:num]


def sample(workdir, num: int = 64, seed: int = 0, step: int | None = None) -> Path:
    """Writes `num` pictures in a folder, which it returns, and their grid beside it."""
    method, state, provenance = load(workdir, step)
    folder = Path(workdir) / 'pictures' / f'step{provenance["step"]}-seed{seed}'
    made = draw(method, state, seed, num)
    provenance |= {'seed': seed}
    try:
        for number, image in enumerate(made):
            images.save_png(
                folder / f'{number:05d}.png', image, provenance | {'number': number}
            )
        # beside the folder, which holds the pictures alone, to be scored or shown
        sheet = folder.with_name(folder.name + '.png')
        images.save_png(sheet, images.grid(made[:1024]), provenance)
    except OSError as error:
        raise UserError(
            f'cannot write pictures in {folder}: {error.strerror}'
        ) from error
    return folder
