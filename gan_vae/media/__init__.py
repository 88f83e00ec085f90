"""What samples look and sound like, by the kind of the data: images, rolls, strokes."""

from importlib import import_module

import numpy as np

from gan_vae import images

HEARD = 4  # samples in TensorBoard


def of(kind: str):
    """The module of a kind of sequences: its `pictures`, `save` and `sound`."""
    return import_module(f'gan_vae.media.{kind}')


def pictures(kind: str, made) -> np.ndarray:
    """uint8 [n, H, W, C] of what a method draws: images, or Padded sequences."""
    return images.to_uint8(made) if kind == 'images' else of(kind).pictures(made.each())


def audio(kind: str, made) -> tuple[np.ndarray, int] | None:
    """(float32 [n, samples, 1], rate) of the first samples; None where none sound, or
    without the extra `sequences`."""
    if kind != 'rolls' or not of(kind).can_sound():
        return None
    sounds, rates = zip(*map(of(kind).sound, made.each()[:HEARD]), strict=True)
    longest = max(map(len, sounds))
    return np.stack([np.pad(s, (0, longest - len(s))) for s in sounds])[..., None], (
        rates[0]
    )
