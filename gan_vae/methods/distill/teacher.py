"""A decoder as `gan_vae export --to=jax` writes it: a function of latents, read whole.

Any program may write one: jax.export of (z float32 [b, D], class int32 [b]) -> images
[b, H, W, C] in [-1, 1], the class left out of a decoder without, b symbolic.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from jax import export

from gan_vae import files
from gan_vae.errors import UserError

FILE = 'decoder.jax'
LARGEST = 1 << 30  # bytes that are read
TOY = 'toy'  # the name of a decoder that needs no file


def content(teacher: str) -> bytes:
    """The bytes of config.method.teacher; a UserError where there are none."""
    key = f'config.method.teacher={teacher}'
    path = files.expand(teacher)
    path = path / FILE if path.is_dir() else path
    try:
        if not path.is_file():
            raise UserError(
                f'{key}: there is no {path}: gan_vae export --workdir=RUN --to=jax '
                '--out=FOLDER writes it'
            )
        if path.stat().st_size > LARGEST:
            raise UserError(f'{key}: {path} has more than {LARGEST:,} bytes')
        return Path(path).read_bytes()
    except OSError as error:
        raise UserError(f'{key}: {path} cannot be read: {error.strerror}') from error


def digest(teacher: str) -> str:
    """SHA-256 of the file."""
    if teacher == TOY:
        return TOY
    return hashlib.sha256(content(teacher)).hexdigest()


def read(teacher: str, size: int, conditional: bool, shape) -> Callable:
    """(z [b, size], class int [b] if conditional) -> images [b, *shape].

    A UserError where the file is none, or its decoder takes or gives something else.
    """
    if teacher == TOY:
        return toy(size, shape)
    key, raw = f'config.method.teacher={teacher}', content(teacher)
    try:
        decoder = export.deserialize(bytearray(raw))
        takes = [(*a.shape[1:], a.dtype.name) for a in decoder.in_avals]
        (gives,) = decoder.out_avals
        gives = (*gives.shape[1:], gives.dtype.name)
    except Exception as error:  # of as many kinds as a flatbuffer can be damaged
        raise UserError(
            f'{key} is no decoder that this JAX reads: export the model again'
        ) from error
    if takes[0] != (size, 'float32'):
        raise UserError(
            f'{key} takes latents of {takes[0][:-1]} and {takes[0][-1]}, and this run '
            f'gives ({size},) and float32: set config.model.latent_dim'
        )
    if (len(takes) > 1) != conditional:
        has = 'a class' if len(takes) > 1 else 'no class'
        raise UserError(
            f'{key} takes {has}: set config.method.conditional={not conditional}'
        )
    if gives != (*shape, 'float32'):
        height, width, channels = gives[:-1]
        raise UserError(
            f'{key} draws {height}x{width} pixels of {channels} channel(s), and '
            f'config.data says {shape[0]}x{shape[1]} of {shape[2]}'
        )
    return decoder.call


def toy(size: int, shape) -> Callable:
    """tanh of a sum of waves: z_i is the height of the i-th, the class its phase."""
    height, width, channels = shape
    i = np.arange(1, size + 1)[:, None, None, None]
    y, x = np.arange(height)[:, None, None] / height, np.arange(width)[:, None] / width
    waves = 2 * np.pi * (i % 3 * y + i % 4 * x) + i * np.arange(channels)

    def draw(z, label=None):
        phase = 0.0 if label is None else label[:, None, None, None, None]
        each = jnp.cos(jnp.asarray(waves, jnp.float32) + phase)
        heights = z[:, :, None, None, None] / np.sqrt(size)
        return jnp.tanh(jnp.sum(heights * each, 1))

    return draw
