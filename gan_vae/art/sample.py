"""New pictures from a run folder: a grid, and PNGs that say where they are from."""

from functools import partial
from pathlib import Path

import jax
import numpy as np

from gan_vae import images, methods
from gan_vae.art import sequences
from gan_vae.data import kind_of
from gan_vae.errors import UserError, unknown
from gan_vae.training import pretrained, process, run_folder
from gan_vae.training.state import TrainState, keys_of

BATCH = 64
SEQUENCES = 16  # by default, each in several files
LATENTS = ('prior', 'aggregate')
FITTED = 10_000  # training images, at most, whose codes a mixture is fitted to


def load(
    workdir, step: int | str | None = None
) -> tuple[methods.Method, TrainState, dict]:
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
    return method, method.settled(state), provenance


def draw(
    method: methods.Method,
    state: TrainState,
    seed: int,
    num: int,
    labels: np.ndarray | int | None = None,
    truncation: float | None = None,
    temperature: float | None = None,
) -> np.ndarray:
    """`num` samples as uint8 [num, H, W, C]; picture i is the same for any `num`.

    labels: their classes, int [num] or one for all; by default each class in turn.
    truncation: latents are drawn again until all their numbers are within +- this.
    temperature: factor of the deviations of the latents.
    """
    check(seed, num, truncation, temperature)
    if truncation is not None and temperature is not None:
        raise UserError(
            '--truncation and --temperature both narrow the prior: take one'
        )
    if method.classes and labels is None:
        labels = np.arange(num) % method.classes
    if labels is not None:  # whole batches, the last of which is cut off again
        labels = np.resize(labels, num + -num % BATCH).astype(np.int32)

    made = [
        images.to_uint8(
            _batch(
                method,
                truncation,
                temperature,
                state,
                jax.random.fold_in(jax.random.key(seed), start),
                None if labels is None else labels[start : start + BATCH],
            )
        )
        for start in range(0, num, BATCH)
    ]
    return np.concatenate(made)[:num]


def decoded(
    method: methods.Method, state: TrainState, z: np.ndarray, label: int | None = None
) -> np.ndarray:
    """The pictures of latents [num, D], of one class if given: uint8 [num, H, W, C]."""
    decode, num = jax.jit(method.decode), len(z)
    z = np.concatenate([z, np.zeros((-num % BATCH, z.shape[1]), z.dtype)])
    labels = None if label is None else np.full(BATCH, label)
    made = [
        images.to_uint8(decode(state, z[start : start + BATCH], labels))
        for start in range(0, num, BATCH)
    ]
    return np.concatenate(made)[:num]


def check(
    seed: int,
    num: int,
    truncation: float | None = None,
    temperature: float | None = None,
):
    """A UserError for what there cannot be."""
    if truncation is not None and not truncation >= 0:
        raise UserError(f'--truncation={truncation}: must be at least 0')
    if temperature is not None and not 0 <= temperature < np.inf:
        raise UserError(f'--temperature={temperature}: must be at least 0')
    if not 1 <= num <= 100_000:
        raise UserError(f'--num={num}: must be from 1 to 100000')
    if not 0 <= seed < 2**32:
        raise UserError(f'--seed={seed}: must be from 0 to 2**32 - 1')


# A jit of the module, as of a function made at each draw each would compile anew.
@partial(jax.jit, static_argnums=(0, 1, 2))
def _batch(method, truncation, temperature, state, key, label):
    if temperature is not None:
        return method.tempered(state, key, BATCH, temperature, label)
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


def seen(settings, split: str, num: int, seed: int):
    """Batches of the first images of a split, at most `num`, as a model sees them.

    Each with its labels, None of a set without.
    """
    from gan_vae import data
    from gan_vae.data import augment

    examples = data.examples(settings, split)
    plain, key = augment.make(False, 0, settings.binarize), jax.random.key(seed)
    count = min(num, examples.count)
    for start in range(0, count, BATCH):
        rows = np.arange(start, min(start + BATCH, count))
        found = examples.gather(rows)
        yield plain(keys_of(key, rows), found['image']), found.get('label')


def of_method(method: methods.Method, batches):
    """`seen` without the labels that a method has no use for."""
    return ((x, label if method.classes else None) for x, label in batches)


def _aggregate(workdir, method, state, seed, num, temperature):
    """Pictures from a mixture of the codes of training images, and what it is like."""
    from gan_vae.art import aggregate

    if method.posterior is None:
        raise UserError(f'--latents=aggregate: {workdir} has no encoder, as a VAE has')
    check(seed, num)
    aggregate.library()  # said before the work
    posterior = jax.jit(method.posterior)
    settings = run_folder.read_config(workdir).data
    batches = of_method(method, seen(settings, settings.split, FITTED, seed))
    found = aggregate.codes(partial(posterior, state), batches, seed)
    mixture = aggregate.fit(*found, seed)
    count = len(mixture.weights)
    print(
        f'{count} Gaussian(s) fitted to {mixture.active.sum()} active units of '
        f'{len(found[0])} training images: KL to the prior at least '
        f'{mixture.mismatch:.2f} +- {mixture.error:.2f} nats'
    )
    z = aggregate.draw(mixture, seed, num, temperature)
    return decoded(method, state, z), {
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
    label = None if name is None else class_id(names, name)
    method, state, provenance = load(workdir, step)
    kind = kind_of(run_folder.read_config(workdir).data.name)
    _refuse(method, kind, workdir, label, truncation, temperature, latents)
    if num is None:
        num = BATCH if kind == 'images' else SEQUENCES
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
        check(seed, num, temperature=temperature)
        made = sequences.draw(method, state, seed, num, temperature)
        return sequences.save(folder, made, kind, provenance | about)
    if latents == 'prior':
        made = draw(method, state, seed, num, label, truncation, temperature)
    else:
        made, found = _aggregate(workdir, method, state, seed, num, temperature or 1.0)
        about |= found
    columns = None if name is not None else images.columns(method.classes)
    return _save(folder, made, columns, provenance | about)


def _refuse(method, kind, workdir, label, truncation, temperature, latents):
    """A UserError for what a run cannot do, or what does not go together."""
    if kind != 'images' and (truncation is not None or latents != 'prior'):
        raise UserError(f'--truncation and --latents are of images, not of {kind}')
    if truncation is not None and method.prior is None:
        raise UserError(f'--truncation: {workdir} has no prior to cut off')
    if temperature is not None and method.tempered is None:
        raise UserError(
            f'--temperature is of VAEs, and {workdir} is none: a GAN has --truncation'
        )
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
