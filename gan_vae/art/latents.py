"""Latents of pictures: of the inputs of a tool, and carried in the pictures it makes.

A picture carries its z as base64 of float32, with the hash of the model that it is of,
so that a tool can go on from it.
"""

import base64
import binascii
from functools import partial

import jax
import numpy as np

from gan_vae import images
from gan_vae.art.tools import Input, Model, Picture
from gan_vae.data.pictures import Fit, fit, given
from gan_vae.errors import UserError
from gan_vae.methods import sampling
from gan_vae.methods.contract import capability, required


def pictures(model: Model, z, labels=None, progress=lambda items, _: items):
    """Pictures of latents [n, D], each of which carries its own: sampling.decode."""
    decoded = sampling.decode(model.method, model.weights, z, labels, progress)
    return [
        Picture(
            image,
            provenance=carried(model, z[n], None if labels is None else int(labels[n])),
        )
        for n, image in enumerate(decoded)
    ]


def carried(model: Model, z: np.ndarray, label: int | None = None) -> dict:
    """What a picture's provenance holds of its latent [D] and class."""
    raw = np.ascontiguousarray(z, '<f4')
    record = {
        'latent': base64.b64encode(raw.tobytes()).decode(),
        'model': model.about['state_sha256'],
    }
    return record if label is None else record | {'class': model.classes[label]}


def of_input(model: Model, item: Input, seed: int) -> tuple[np.ndarray, int | None]:
    """The latent [D], and class if any, of an input: number N of the samples of `seed`,
    a picture that carries one of this model, or a picture that its encoder takes. A
    UserError for anything else.
    """
    method, word = model.method, item.word
    if not item.sha256:
        if not word.isdecimal():
            raise UserError(
                f'{word}: no file, and no number of a sample of --seed={seed}'
            )
        number = int(word)
        if number >= sampling.LARGEST:
            raise UserError(f'{word}: there are samples up to {sampling.LARGEST - 1}')
        label = number % method.classes if method.classes else None
        return sampling.latent(method, seed, number), label
    if item.provenance.get('model') == model.about['state_sha256']:
        z = unpacked(word, item.provenance.get('latent'), size(model))
        return z, _label(model, item)
    if capability(method, 'latents.encode') is None:
        raise UserError(
            f'{word} carries no latent of this model, and a GAN has no encoder: '
            'python -m gan_vae.art project finds one'
        )
    if method.classes:
        raise UserError(
            f'{word} carries no latent of this model, whose encoder needs a class: '
            'python -m gan_vae.art project --class=NAME finds one'
        )
    return encode(model, read(word, model)[None])[0], None


def encode(model: Model, pictures: np.ndarray) -> np.ndarray:
    """The codes [n, D] of pictures uint8 [n, H, W, C], of a model without classes."""
    x = images.from_uint8(pictures)
    return np.array(_encode(model.method.latents.encode, model.weights, x))


@partial(jax.jit, static_argnums=0)
def _encode(encode, state, x):
    return encode(state, x)


def read(path, model: Model, size: int | None = None) -> np.ndarray:
    """A picture as the model takes it: uint8 [size, size, C]."""
    settings = model.config.data
    size = size or settings.image_size
    how = Fit(size, settings.channels, settings.fit, settings.background)
    return fit(given(path), how)


def smaller(path: str, side: int) -> list[str]:
    """A line to say that a picture has been made smaller, if it has."""
    width, height = given(path).size
    if max(width, height) <= side:
        return []
    return [f'{path}: {width}x{height}, made {side}x{side} for this model']


def size(model: Model) -> int:
    """Numbers in a latent."""
    required(model.method, 'latents.decode', 'a latent')
    return model.method.latents.size


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


def _label(model: Model, item: Input) -> int | None:
    if not model.method.classes:
        return None
    name = item.provenance.get('class')
    if name not in model.classes:
        raise UserError(f'{item.word}: its class was altered')
    return model.classes.index(name)
