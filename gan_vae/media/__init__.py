"""What samples look and sound like, by the kind of the data: images, rolls, strokes,
text."""

from importlib import import_module
from types import ModuleType

import numpy as np

from gan_vae import images
from gan_vae.data.sequences import FEATURES
from gan_vae.errors import unknown

HEARD = 4  # samples in TensorBoard


def of(kind: str) -> ModuleType:
    """The module of 'rolls', 'strokes' or 'text', which are arrays [T, D].

    pictures(sequences): uint8 [n, H, W, 3], for a grid. save(path, sequence,
    provenance): the files that it writes, of `path` and each suffix. Both take
    `prompt_steps`, how many steps are a prompt, to mark them. audio(sequence): float32
    [samples] in [-1, 1] and their rate, or None without sound or `pretty_midi`.
    """
    if kind not in FEATURES:
        raise unknown('kind of sequences', kind, FEATURES)
    return import_module(f'gan_vae.media.{kind}')


def pictures(kind: str, samples) -> np.ndarray:
    """uint8 [n, H, W, C] of what a method draws: images, or Padded sequences."""
    if kind == 'images':
        return images.to_uint8(samples)
    return of(kind).pictures(samples.each())


def of_examples(examples, rows: np.ndarray) -> np.ndarray:
    """uint8 [n, H, W, C] of the examples of a set at `rows`, an index array."""
    if examples.kind == 'images':
        return images.beside(np.asarray(examples.images[rows]))
    return of(examples.kind).pictures([examples.values[i] for i in rows])


def audio(kind: str, samples) -> tuple[np.ndarray, int] | None:
    """(float32 [n, samples, 1], rate) of the first samples; None where none sound."""
    if kind == 'images':
        return None
    sounds = [of(kind).audio(value) for value in samples.each()[:HEARD]]
    if not sounds or None in sounds:
        return None
    longest = max(len(sound) for sound, _ in sounds)
    padded = [np.pad(sound, (0, longest - len(sound))) for sound, _ in sounds]
    return np.stack(padded)[..., None], sounds[0][1]
