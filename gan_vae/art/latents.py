"""Latents of pictures: drawn, found in what was given, and carried in what was made.

A picture of ours carries its z as base64 of float32, so that a tool can take it up
again, with the hash of the model that it is of.
"""

import base64
import binascii
from collections.abc import Callable
from functools import partial

import jax
import numpy as np

from gan_vae import images
from gan_vae.art.tools import Picture, Run, Thing
from gan_vae.data.pictures import Fit, fit, given
from gan_vae.errors import UserError
from gan_vae.methods.contract import required

BATCH = 64


def draw(method, seed: int, num: int, truncation: float | None = None) -> np.ndarray:
    """Latents [num, D] of the prior; number i is the same for any `num`."""
    required(method, 'latents.prior', 'a sample by its latent')
    made = [
        _prior(
            method.latents.prior,
            jax.random.fold_in(jax.random.key(seed), start),
            truncation,
        )
        for start in range(0, num, BATCH)
    ]
    return np.concatenate(made)[:num]


@partial(jax.jit, static_argnums=(0, 2))
def _prior(prior, key, truncation):
    return prior(key, BATCH, truncation)


def decode(
    run: Run,
    z: np.ndarray,
    labels: np.ndarray | None = None,
    track: Callable = lambda of, what: of,
) -> np.ndarray:
    """The pictures of latents [n, D], and classes int [n] if the model has them: uint8
    [n, H, W, C]. No more than BATCH at a time, and few are no more work than few.

    track: as Asked.steps; after Ctrl-C those that there are.
    """
    count = len(z)
    size = BATCH if count > BATCH else 1 << max(0, count - 1).bit_length()
    z = np.concatenate([z, np.zeros((-count % size, *z.shape[1:]), z.dtype)])
    if labels is not None:
        labels = np.resize(np.asarray(labels, np.int32), len(z))
    made = [
        _decode(
            run.method.latents.decode,
            run.state,
            z[start : start + size],
            None if labels is None else labels[start : start + size],
        )
        for start in track(range(0, len(z), size), 'drawing')
    ]
    x = np.concatenate(made)[:count]
    if not np.isfinite(x).all():
        raise UserError('latents so far out give no picture: a smaller number')
    return images.to_uint8(x)


@partial(jax.jit, static_argnums=0)
def _decode(decode, state, z, labels):
    return decode(state, z, labels)


def pictures(run: Run, z, labels=None, names=(), track=lambda of, what: of):
    """[Picture] of latents [n, D], each of which carries its own; track: see decode."""
    made = decode(run, z, labels, track)
    found = []
    for number, image in enumerate(made):
        label = None if labels is None else int(labels[number])
        name = names[number] if names else ''
        found.append(Picture(image, name, carried(run, z[number], label)))
    return found


def carried(run: Run, z: np.ndarray, label: int | None = None) -> dict:
    """What a picture's provenance holds of its latent [D] and class."""
    raw = np.ascontiguousarray(z, '<f4')
    found = {
        'latent': base64.b64encode(raw.tobytes()).decode(),
        'model': run.about['state_sha256'],
    }
    return found if label is None else found | {'class': run.classes[label]}


def of_thing(run: Run, thing: Thing, seed: int) -> tuple[np.ndarray, int | None]:
    """The latent [D], and class if any, of a word of a command: number N of the samples
    of `seed`, a picture that carries one of this model, or a picture that its encoder
    takes. A UserError for anything else.
    """
    if not thing.sha256:
        if not thing.word.isdecimal():
            raise UserError(
                f'{thing.word}: no file, and no number of a sample of --seed={seed}'
            )
        number = int(thing.word)
        if number >= 100_000:
            raise UserError(f'{thing.word}: there are samples up to 99999')
        label = number % run.method.classes if run.method.classes else None
        start = number - number % BATCH
        key = jax.random.fold_in(jax.random.key(seed), start)
        return np.asarray(_prior(run.method.latents.prior, key, None))[
            number - start
        ], label
    if thing.about.get('model') == run.about['state_sha256']:
        z = unpacked(thing.word, thing.about.get('latent'), size(run))
        return z, _label(run, thing)
    if run.method.latents.encode is None:
        raise UserError(
            f'{thing.word} carries no latent of this model, and a GAN has no encoder: '
            'python -m gan_vae.art project finds one'
        )
    if run.method.classes:
        raise UserError(
            f'{thing.word} carries no latent of this model, whose encoder asks for a '
            'class: python -m gan_vae.art project --class=NAME finds one'
        )
    return encode(run, read(thing.word, run)[None])[0], None


def encode(run: Run, pictures: np.ndarray) -> np.ndarray:
    """The codes [n, D] of pictures uint8 [n, H, W, C], of a model without classes."""
    x = images.from_uint8(pictures)
    return np.array(_encode(run.method.latents.encode, run.state, x))


@partial(jax.jit, static_argnums=0)
def _encode(encode, state, x):
    return encode(state, x)


def read(path, run: Run, size: int | None = None) -> np.ndarray:
    """A picture as the run takes it: uint8 [size, size, C], size that of the run."""
    settings = run.config.data
    size = size or settings.image_size
    how = Fit(size, settings.channels, settings.fit, settings.background)
    return fit(given(path), how)


def smaller(path: str, side: int) -> list[str]:
    """A line to say that a picture has been made smaller, if it has."""
    width, height = given(path).size
    if max(width, height) <= side:
        return []
    return [f'{path}: {width}x{height}, made {side}x{side} for this model']


def size(run: Run) -> int:
    """Numbers in a latent."""
    required(run.method, 'latents.decode', 'a latent')
    return run.method.latents.size


def unpacked(file: str, text, count: int) -> np.ndarray:
    """The `count` numbers of base64 text that the picture `file` carries."""
    try:
        raw = base64.b64decode(str(text), validate=True)
        z = np.frombuffer(raw, '<f4').astype(np.float32)
    except (ValueError, binascii.Error):
        z = np.zeros(0, np.float32)
    if z.shape != (count,) or not np.isfinite(z).all():
        raise UserError(f'{file}: its latent was altered')
    return z


def _label(run: Run, thing: Thing) -> int | None:
    if not run.method.classes:
        return None
    name = thing.about.get('class')
    if name not in run.classes:
        raise UserError(f'{thing.word}: its class was altered')
    return run.classes.index(name)
