"""What samples look and sound like, by the kind of the data: images, rolls, strokes."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gan_vae import images
from gan_vae.data.sequences import FEATURES
from gan_vae.errors import unknown

HEARD = 4  # samples in TensorBoard


class Medium(NamedTuple):
    """How sequences of one kind, arrays [T, D], are shown."""

    # both take `prompt_steps`: how many steps were given, and are marked
    # sequences of any lengths -> uint8 [n, H, W, 3], for a grid
    pictures: Callable[..., np.ndarray]
    # path without suffix, sequence, provenance -> the files written, of all formats
    save: Callable[..., list[Path]]
    # float32 [samples] in [-1, 1] and their rate; None where there is nothing to hear,
    # or without the extra `sequences`
    audio: Callable[[np.ndarray], tuple[np.ndarray, int] | None]


def of(kind: str) -> Medium:
    """The medium of 'rolls' or 'strokes'."""
    if kind not in FEATURES:
        raise unknown('kind of sequences', kind, FEATURES)
    module = import_module(f'gan_vae.media.{kind}')
    return Medium(module.pictures, module.save, module.audio)


def pictures(kind: str, made) -> np.ndarray:
    """uint8 [n, H, W, C] of what a method draws: images, or Padded sequences."""
    return images.to_uint8(made) if kind == 'images' else of(kind).pictures(made.each())


def of_examples(examples, rows: np.ndarray) -> np.ndarray:
    """uint8 [n, H, W, C] of the examples of a set at `rows`, an index array."""
    if examples.kind == 'images':
        return np.asarray(examples.images[rows])
    return of(examples.kind).pictures([examples.values[i] for i in rows])


def audio(kind: str, made) -> tuple[np.ndarray, int] | None:
    """(float32 [n, samples, 1], rate) of the first samples; None where none sound."""
    if kind == 'images':
        return None
    heard = [of(kind).audio(value) for value in made.each()[:HEARD]]
    if not heard or None in heard:
        return None
    longest = max(len(samples) for samples, _ in heard)
    padded = [np.pad(samples, (0, longest - len(samples))) for samples, _ in heard]
    return np.stack(padded)[..., None], heard[0][1]
