"""New pictures from a run folder: a grid, and PNGs that say where they are from."""

from functools import partial
from pathlib import Path

import jax
import numpy as np

from gan_vae import images
from gan_vae.art import sequences
from gan_vae.data import kind_of
from gan_vae.devices import process
from gan_vae.errors import UserError, unknown
from gan_vae.learning.state import TrainState
from gan_vae.methods import sampling
from gan_vae.methods.contract import Method, required
from gan_vae.runs import folder as run_folder
from gan_vae.runs import opened as pretrained
from gan_vae.runs import seen

SEQUENCES = 16  # by default, each in several files
LATENTS = ('prior', 'aggregate')
FITTED = 10_000  # training images, at most, whose codes a mixture is fitted to


def load(workdir, step: int | str | None = None) -> tuple[Method, TrainState, dict]:
    """(method, state with the averaged weights alone, provenance) of a checkpoint.

    `step`: which checkpoint, or 'best'; by default the newest. A UserError says what is
    missing.
    """
    process.prepare()
    config, method, state, run = pretrained.load(workdir, step)
    provenance = {
        'config': config.name,
        'step': run['step'],
        'state_sha256': run['state_sha256'],
        'git_commit': run['git_commit'],
    }
    return method, method.settle(state), provenance


def _aggregate(workdir, method, state, seed, num, temperature):
    """Pictures from a mixture of the codes of training images, and what it is like."""
    from gan_vae.art import aggregate

    required(method, 'latents.posterior', '--latents=aggregate')
    sampling.check(seed, num)
    aggregate.library()  # said before the work
    posterior = jax.jit(method.latents.posterior)
    settings = run_folder.read_config(workdir).data
    batches = seen.of_method(method, seen.seen(settings, settings.split, FITTED, seed))
    found = aggregate.codes(partial(posterior, state), batches, seed)
    mixture = aggregate.fit(*found, seed)
    count = len(mixture.weights)
    print(
        f'{count} Gaussian(s) fitted to {mixture.active.sum()} active units of '
        f'{len(found[0])} training images: KL to the prior at least '
        f'{mixture.mismatch:.2f} +- {mixture.error:.2f} nats'
    )
    z = aggregate.draw(mixture, seed, num, temperature)
    return sampling.decoded(method, state, z), {
        'components': count,
        'mismatch_nats': mixture.mismatch,
    }


def sample(
    workdir,
    num: int | None = None,
    seed: int = 0,
    step: int | str | None = None,
    name: str | None = None,
    truncation: float | None = None,
    temperature: float | None = None,
    latents: str = 'prior',
) -> Path:
    """Writes `num` samples in a folder, which it returns, and a picture beside it.

    name: of the class, or its id; by default each class in turn. latents: of the
    'prior', or of a mixture fitted to the 'aggregate' posterior of training images.
    """
    if latents not in LATENTS:
        raise unknown('--latents', latents, LATENTS)
    names = run_folder.read_classes(workdir)
    label = None if name is None else sampling.class_id(names, name)
    method, state, provenance = load(workdir, step)
    kind = kind_of(run_folder.read_config(workdir).data.name)
    _refuse(method, kind, workdir, label, truncation, temperature, latents)
    if num is None:
        num = sampling.BATCH if kind == 'images' else SEQUENCES
    about, words = {'seed': seed}, [f'step{provenance["step"]}-seed{seed}']
    if label is not None:
        about['class'] = names[label]
        words.append(names[label].replace('/', '_'))
    if truncation is not None:
        about['truncation'] = truncation
        words.append(f'truncation{truncation:g}')
    if temperature is not None:
        about['temperature'] = temperature
        words.append(f'temperature{temperature:g}')
    if latents != 'prior':
        about['latents'] = latents
        words.append(latents)
    place = 'pictures' if kind == 'images' else kind
    folder = Path(workdir) / place / '-'.join(words)
    if kind != 'images':
        sampling.check(seed, num, temperature=temperature)
        made = sequences.draw(method, state, seed, num, temperature)
        return sequences.save(folder, made, kind, provenance | about)
    if latents == 'prior':
        made = sampling.draw(method, state, seed, num, label, truncation, temperature)
    else:
        made, found = _aggregate(workdir, method, state, seed, num, temperature or 1.0)
        about |= found
    columns = None if name is not None else images.columns(method.classes)
    return _save(folder, made, columns, provenance | about)


def _refuse(method, kind, workdir, label, truncation, temperature, latents):
    """A UserError for what a run cannot do, or what does not go together."""
    if kind != 'images' and (truncation is not None or latents != 'prior'):
        raise UserError(f'--truncation and --latents are of images, not of {kind}')
    if truncation is not None and method.latents is None:
        raise UserError(f'--truncation: {workdir} has no prior to cut off')
    if latents != 'prior' and (truncation is not None or label is not None):
        raise UserError('--latents=aggregate takes no --truncation and no --class')


def _save(folder: Path, made: np.ndarray, columns: int | None, about: dict) -> Path:
    """Pictures [num, H, W, C] in a folder, and a grid of them beside it."""
    try:
        for number, image in enumerate(made):
            file = folder / f'{number:05d}.png'
            images.save_png(file, image, about | {'number': number})
        # beside the folder, which holds the pictures alone, to be scored or shown
        sheet = folder.with_name(folder.name + '.png')
        images.save_png(sheet, images.grid(made[:1024], columns), about)
    except OSError as error:
        raise UserError(
            f'cannot write pictures in {folder}: {error.strerror}'
        ) from error
    return folder
