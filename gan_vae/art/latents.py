"""Latents of pictures: of the inputs of a tool, and carried in those that it writes.

A picture carries its z as base64 of float32, with the hash of the model; or, of a
style-based generator, the styles w of its layers, which are more than a z can give.
Tools work with those in the same way: on `styled(model)`, whose latents they are.
"""

import base64
import binascii
import dataclasses
from functools import partial

import jax
import numpy as np

from gan_vae import images
from gan_vae.art import conditions, provenance
from gan_vae.art.tools import Flag, Input, Model, ModelRequest, Picture
from gan_vae.data.pictures import Fit, fit, given
from gan_vae.errors import UserError
from gan_vae.methods import sampling
from gan_vae.methods.contract import Latents, capability, required


def styled(model: Model) -> Model:
    """The model with its styles as latents [n, layers x size]; their groups are the
    layers. A UserError where it has none."""
    styles = required(model.method, 'latents.styles', 'a style for each layer')

    def prior(*_):
        raise UserError('styles have no prior of their own')

    own = Latents(groups=styles.groups, prior=prior, decode=styles.decode)
    method = dataclasses.replace(model.method, latents=own)
    return model._replace(method=method, base=model)


def space_of(model: Model, items: list[Input]) -> Model:
    """The model that inputs are latents of: `styled` where one carries styles."""
    carried = any(_is_of(item, model) and 'styles' in item.provenance for item in items)
    return styled(model) if carried else model


def _is_of(item: Input, model: Model) -> bool:
    return item.provenance.get('model') == model.about['state_sha256']


def pictures(model: Model, z, labels=None, progress=lambda items, _: items):
    """Pictures of latents [n, D], each of which carries its own: sampling.decode.

    labels: their conditions, or one class for all.
    """
    decoded = sampling.decode(model.method, model.weights, z, labels, progress)
    about, name = {'model': model.about['state_sha256']}, _record(model)
    records = [about | {name: packed(vector)} for vector in z]
    if labels is not None:
        told = conditions.records(model, np.atleast_1d(labels), len(z))
        records = [r | t for r, t in zip(records, told, strict=True)]
    return [
        Picture(image, provenance=record)
        for image, record in zip(decoded, records, strict=False)
    ]


def styles_of(model: Model, z: np.ndarray, labels=None) -> np.ndarray:
    """The styles [n, S] of latents [n, D] of the model that a `styled` one is of."""
    base = model.base or model
    return sampling.styles(base.method, model.weights, z, labels)


def _record(model: Model) -> str:
    return 'styles' if model.base else 'latent'


def of_input(
    model: Model, item: Input, seed: int
) -> tuple[np.ndarray, np.ndarray | None]:
    """The latent [D], and condition if any, of an input: number N of the samples of
    `seed`, a picture that carries one of this model, or one that its encoder takes. A
    UserError for anything else.
    """
    method, word = model.method, item.word
    if model.base and 'styles' not in item.provenance:
        z, label = of_input(model.base, item, seed)
        return styles_of(model, z[None], label)[0], label
    if not item.sha256:
        if not word.isdecimal():
            raise UserError(
                f'{word}: there is no such file; a number, as 3, would be sample 3 of '
                f'--seed={seed}'
            )
        if (number := int(word)) >= sampling.LARGEST:
            raise UserError(f'{word}: there are samples up to {sampling.LARGEST - 1}')
        label = conditions.of_sample(model, seed, number)
        return sampling.latent(method, seed, number), label
    if _is_of(item, model):
        if 'styles' in item.provenance and not model.base:
            raise UserError(f'{word} carries styles, and this is of latents')
        z = unpacked(word, item.provenance.get(_record(model)), size(model))
        return z, conditions.recorded(model, item.provenance, word)
    reason, flag = 'and a GAN has no encoder', ''
    if capability(method, 'latents.encode') is not None:
        if not method.classes and not method.captions:
            return encode(model, read(word, model)[None])[0], None
        reason, flag = 'whose encoder needs a class', ' --class=NAME'
    raise UserError(
        f'{word} carries no latent of this model, {reason}: '
        f'python -m gan_vae.art project{flag} finds one'
    )


def of_inputs(
    model: Model, items: list[Input], seed: int
) -> tuple[np.ndarray, np.ndarray | None]:
    """The latents [n, D] and conditions, if any, of inputs: see `of_input`."""
    z, labels = zip(*(of_input(model, item, seed) for item in items), strict=True)
    return np.stack(z), conditions.together(labels)


SEARCH = {  # flags of the tools that look for latents
    'restarts': Flag(8, int, 'starts, of which the best is kept', least=1),
    'steps': Flag(400, int, 'of Adam', least=1),
} | conditions.FLAGS


def starts(request: ModelRequest, near: np.ndarray | None = None):
    """Latents float32 [R, D] to start from, their conditions, and messages.

    near: a picture uint8 [H, W, C] whose code is the first start, where the model has
    an encoder that needs no class; the others are of the prior.
    """
    model, flags = request.model, request.flags
    z = sampling.latents(model.method, flags.seed, flags.restarts)
    label, lines = conditions.asked(request)
    if label is not None:
        return z, np.repeat(label, len(z), 0), lines
    label = sampling.conditions(model.method, flags.seed, len(z))
    if label is not None:
        return z, label, []
    if near is not None and model.method.latents.encode is not None:
        z[0] = encode(model, near[None])[0]
    return z, None, []


def encode(model: Model, pictures: np.ndarray) -> np.ndarray:
    """The codes [n, D] of pictures uint8 [n, H, W, C], of a model without classes."""
    x = images.from_uint8(pictures)
    return np.array(_encode(model.method.latents.encode, model.weights, x))


@partial(jax.jit, static_argnums=0)
def _encode(encode, state, x):
    return encode(state, x)


def read(path: str, model: Model) -> np.ndarray:
    """A picture as the model takes it: uint8 [size, size, C]."""
    return fit(given(path), Fit.of(model.config.data))


def size(model: Model) -> int:
    """Numbers in a latent."""
    required(model.method, 'latents.decode', 'a latent')
    return model.method.latents.size


def along(model: Model, files: list[str], strengths: list[float]) -> np.ndarray:
    """float32 [D], the sum of the directions in pictures of `directions`, each times
    its strength. A UserError for a file that has none of this model."""
    total = np.zeros(size(model), np.float32)
    for file, strength in zip(files, strengths, strict=True):
        carried = provenance.embedded(file) if file else {}
        own = carried.get('model') == model.about['state_sha256']
        if not own or 'direction' not in carried:
            raise UserError(
                f'--along={file}: give a picture that directions made of this model'
            )
        direction = unpacked(file, carried['direction'], len(total))
        total += np.float32(strength) * direction
    return total


def packed(vector: np.ndarray) -> str:
    """Numbers as base64 text of float32, which a provenance carries."""
    return base64.b64encode(np.ascontiguousarray(vector, '<f4').tobytes()).decode()


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
