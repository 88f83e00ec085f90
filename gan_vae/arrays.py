"""Checks of the arrays that public functions take: type, shape, range, one message.

Pictures are uint8 in 0..255 outside of a model and floats in [-1, 1] inside; features
and logits are finite numbers [n, d].
"""

import numpy as np

from gan_vae.errors import UserError, counted


def pictures(images, what: str = 'pictures', shape: tuple | None = None) -> np.ndarray:
    """uint8 [n, H, W, C] with n of at least 1; `shape`: the (H, W, C) they must have.

    Raises UserError for another type, shape or size, and says how to convert.
    """
    images = _four(images, what)
    if images.dtype != np.uint8:
        hint = 'give uint8 in 0..255'
        if np.issubdtype(images.dtype, np.floating):
            hint += '; gan_vae.images.to_uint8 converts from [-1, 1]'
        raise UserError(f'{what} are {images.dtype}: {hint}')
    if shape is not None and images.shape[1:] != tuple(shape):
        raise UserError(
            f'{what} have the size {_size(images.shape[1:])}, and must have '
            f'{_size(shape)} (height x width x channels): the same size and channels'
        )
    return images


def floats(images, what: str = 'images', shape: tuple | None = None) -> np.ndarray:
    """float32 [n, H, W, C] in [-1, 1], finite, with n of at least 1.

    Raises UserError for another type, shape, size or range, and says how to convert.
    """
    images = _four(images, what)
    if not np.issubdtype(images.dtype, np.floating):
        hint = '; gan_vae.images.from_uint8 converts' * (images.dtype == np.uint8)
        raise UserError(f'{what} are {images.dtype}: give floats in [-1, 1]{hint}')
    low, high = float(images.min()), float(images.max())
    if not -1.001 <= low <= high <= 1.001:  # NaN fails, too
        raise UserError(f'{what} are from {low:g} to {high:g}: give floats in [-1, 1]')
    if shape is not None and images.shape[1:] != tuple(shape):
        raise UserError(
            f'{what} have the size {_size(images.shape[1:])}, and must have '
            f'{_size(shape)} (height x width x channels)'
        )
    return images.astype(np.float32)


def vectors(values, what: str = 'features', least: int = 1) -> np.ndarray:
    """float64 [n, d], finite, n of at least `least`; a UserError for others."""
    try:
        if np.iscomplexobj(values):
            raise TypeError('complex numbers')
        values = np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        raise UserError(f'{what} are no array of numbers [n, d]: {error}') from error
    if values.ndim != 2 or 0 in values.shape:
        raise UserError(f'{what} have the shape {values.shape}: give [n, d], n >= 1')
    if len(values) < least:
        raise UserError(
            f'{what} of {counted(len(values), "example")}: give at least {least}'
        )
    if not np.isfinite(values).all():
        raise UserError(f'{what} hold NaN or infinity: look at the pictures or network')
    return values


def vector_pair(x, y, least: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Two sets of `vectors`, which must have one dimension d."""
    x, y = vectors(x, least=least), vectors(y, least=least)
    if x.shape[1] != y.shape[1]:
        raise UserError(
            f'features of {x.shape[1]} and {y.shape[1]} dimensions: use one extractor'
        )
    return x, y


def _four(images, what: str) -> np.ndarray:
    """As one array of four dimensions, its channels last."""
    try:
        images = images if isinstance(images, np.ndarray) else np.asarray(images)
    except ValueError as error:  # of parts that differ
        raise UserError(
            f'{what} are not one array: give pictures of one size'
        ) from error
    shape = images.shape
    if images.ndim != 4 or 0 in shape:
        raise UserError(f'{what} have the shape {shape}: give [n, H, W, C], n >= 1')
    if shape[3] not in (1, 3) and shape[1] in (1, 3):
        raise UserError(
            f'{what} have the shape {shape}: channels come last, [n, H, W, C]'
        )
    return images


def _size(shape) -> str:
    return 'x'.join(map(str, shape))
