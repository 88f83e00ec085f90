"""Checks of the arrays that public functions take: type, shape, range, one message.

Pictures are uint8 in 0..255; features and logits are finite numbers [n, d].
"""

import numpy as np

from gan_vae.errors import UserError, counted


def pictures(images, what: str = 'pictures', shape: tuple | None = None) -> np.ndarray:
    """uint8 [n, H, W, C] with n of at least 1; `shape`: the (H, W, C) they must have.

    Raises UserError for another type, shape or size, and says how to convert.
    """
    try:
        images = np.asarray(images)
    except ValueError as error:  # of parts that differ
        raise UserError(
            f'{what} are not one array: give pictures of one size'
        ) from error
    if images.ndim != 4 or 0 in images.shape:
        raise UserError(
            f'{what} have the shape {images.shape}: give [n, H, W, C], n >= 1'
        )
    if images.shape[3] not in (1, 3) and images.shape[1] in (1, 3):
        raise UserError(
            f'{what} have the shape {images.shape}: channels come last, [n, H, W, C]'
        )
    if images.dtype != np.uint8:
        hint = 'give uint8 in 0..255'
        if np.issubdtype(images.dtype, np.floating):
            hint += '; gan_vae.images.to_uint8 converts from [-1, 1]'
        raise UserError(f'{what} are {images.dtype}: {hint}')
    if shape is not None and images.shape[1:] != tuple(shape):
        size, wanted = ('x'.join(map(str, s)) for s in (images.shape[1:], shape))
        raise UserError(
            f'{what} have the size {size}, and must have {wanted} '
            '(height x width x channels): the same size and channels'
        )
    return images


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
        count = counted(len(values), 'example')
        raise UserError(f'{what} of {count}: give at least {least}')
    if not np.isfinite(values).all():
        raise UserError(f'{what} hold NaN or infinity')
    return values


def vector_pair(x, y, least: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Two sets of `vectors`, which must have one dimension d."""
    x, y = vectors(x, least=least), vectors(y, least=least)
    if x.shape[1] != y.shape[1]:
        raise UserError(
            f'features of {x.shape[1]} and {y.shape[1]} dimensions: use one extractor'
        )
    return x, y
