"""The look of one picture on another: four ways, each a pure function of arrays.

    transfer(content, styles, weights, strength, steps, seed, ...) -> picture

Pictures are float32 [H, W, 3] in [-1, 1], of any sizes. Strength 0 gives the content
back, bit for bit, and so does a picture that is its own style. Several styles with
weights make the average of their statistics and not of the pictures. The change alone
is carried up a pyramid, so that no detail of the content is lost on the way:

    x_l = content_l + up(x_(l-1) - content_(l-1))
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

LUMA = np.float32([0.299, 0.587, 0.114])  # ITU-R BT.601

Steps = Callable[[Any, str], Iterator]  # as tools.Request.progress


class Task(NamedTuple):
    """What is to be made of what."""

    content: np.ndarray  # [H, W, 3]
    styles: list[np.ndarray]  # each [h, w, 3]
    weights: list[float]  # of the styles, sum 1
    strength: float  # 0: the content, 1: all of the style
    steps: int  # of each level, or in all where there are no levels
    seed: int
    ticks: Steps  # an iterator over a list, which may end early


def resize(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """float32 [H, W, C] to [height, width, C], antialiased; itself if it fits.

    Each pixel is a mean of others: none leaves their range.
    """
    if image.shape[:2] == (height, width):
        return image
    parts = [Image.fromarray(channel) for channel in np.moveaxis(image, -1, 0).copy()]
    parts = [part.resize((width, height), Image.Resampling.BILINEAR) for part in parts]
    return np.clip(np.stack(parts, -1), image.min(), image.max())


def shapes(height: int, width: int, coarsest: int, factor: float) -> list[tuple]:
    """(height, width) of each level, coarse to fine, the last as given.

    Longer sides grow by `factor` or a little less, from `coarsest` pixels.
    """
    longest = max(height, width)
    levels = max(0, int(np.ceil(np.log(longest / coarsest) / np.log(factor) - 1e-9)))
    scales = np.geomspace(coarsest / longest, 1, levels + 1) if levels else [1.0]
    return [(max(1, round(height * s)), max(1, round(width * s))) for s in scales]


def scaled(image: np.ndarray, scale: float, least: int = 1) -> np.ndarray:
    """A picture `scale` times as large, and no side below `least` pixels."""
    height, width = (max(least, round(side * scale)) for side in image.shape[:2])
    return resize(image, height, width)


def carried(x: np.ndarray, content: np.ndarray, finer: np.ndarray) -> np.ndarray:
    """The change from `content` to `x`, both [h, w, 3], put on `finer` [H, W, 3]."""
    if x.shape == finer.shape:
        return x
    return finer + resize(x - content, *finer.shape[:2])


def luma(image: np.ndarray) -> np.ndarray:
    """The grey picture [H, W, 3], three equal channels, of one [H, W, 3]."""
    return np.repeat((image @ LUMA)[..., None], 3, -1)


def brightened(image: np.ndarray, old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """The image with the change of luma from `old` to `new`: all [H, W, 3].

    A change that is equal in all channels leaves chroma (blue and red less luma) as
    it is; a search may give colour to what was grey, and that is dropped.
    """
    return image + ((new - old) @ LUMA)[..., None]


def row(pictures: list[np.ndarray], pad: int = 4) -> np.ndarray:
    """uint8 pictures of any sizes beside each other, of one height: [H, W', 3]."""
    height = pictures[-1].shape[0]
    parts = []
    for picture in pictures:
        size = max(1, round(picture.shape[1] * height / picture.shape[0])), height
        fitted = Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS)
        parts += [np.asarray(fitted), np.full((height, pad, 3), 235, np.uint8)]
    return np.concatenate(parts[:-1], 1)
