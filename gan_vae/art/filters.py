"""Restoration of a picture at its own size by what all pictures have in common.

  x = D^T T_3s(D y)                        noise of deviation s: Yu & Sapiro 2011 (IPOL,
                                           doi:10.5201/ipol.2011.ys-dct)
  x = argmin |K x - y|^2 + a |L x|^2       a blur K: Tikhonov's regularisation
  x = argmin |L x|^2, x = y where seen     missing pixels: the biharmonic equation

D are the cosine transforms of all blocks of SIDE pixels and of the channels, T sets to
0 what is below, and blocks count by how few numbers they need. L is the Laplacian, and
a is the least at which what is left, |K x - y|, is as large as the noise (Morozov 1966)
and the noise in x is limited.
"""

import numpy as np
from scipy import fft, ndimage, sparse

from gan_vae.art.degradations import kernel

SIDE = 8
THRESHOLD = 2.7  # deviations of the noise
GAIN = 4.0  # noise in a sharpened x over that in y, at most
TENSION = 1.0  # of the plate: 0 is biharmonic, and overshoots in large holes
ITERATIONS = 200  # of conjugate gradients
NOISE = 0.03  # its deviation in such an x in [-1, 1], unless that of y is larger


def denoised(y: np.ndarray, deviation: float) -> np.ndarray:
    """float32 [H, W, C] of y [H, W, C] with white noise of that deviation."""
    height, width, channels = y.shape
    more = [(SIDE, SIDE + -height % SIDE), (SIDE, SIDE + -width % SIDE), (0, 0)]
    padded = np.pad(np.asarray(y, np.float32), more, 'symmetric')
    total, weights = np.zeros_like(padded), np.zeros_like(padded[..., :1])
    rows, columns = (side // SIDE - 1 for side in padded.shape[:2])
    shape = rows, SIDE, columns, SIDE
    for top in range(SIDE):
        for left in range(SIDE):
            at = (slice(top, top + rows * SIDE), slice(left, left + columns * SIDE))
            blocks = padded[at].reshape(*shape, channels)
            numbers = fft.dctn(blocks, axes=(1, 3, 4), norm='ortho')
            large = np.abs(numbers) > THRESHOLD * deviation
            large[:, 0, :, 0] = True
            blocks = fft.idctn(numbers * large, axes=(1, 3, 4), norm='ortho')
            weight = 1 / large.sum((1, 3, 4), keepdims=True, dtype=np.float32)
            total[at] += (weight * blocks).reshape(padded[at].shape)
            weight = np.broadcast_to(weight, (*shape, 1))
            weights[at] += weight.reshape(*padded[at].shape[:2], 1)
    inside = slice(SIDE, SIDE + height), slice(SIDE, SIDE + width)
    return total[inside] / weights[inside]


def deblurred(y: np.ndarray, radius: float, deviation: float) -> np.ndarray:
    """float32 [H, W, C] of y [H, W, C], blurred by a Gaussian of that radius in pixels
    and with white noise of that deviation."""
    numbers = fft.dctn(np.asarray(y, np.float64), axes=(0, 1), norm='ortho')
    blur, bends = 1.0, 0.0
    weights = kernel(radius).astype(np.float64)
    away = np.arange(len(weights)) - len(weights) // 2
    for axis, side in enumerate(y.shape[:2]):
        angle = np.pi * np.arange(side) / side
        shape = [1, 1, 1]
        shape[axis] = side
        blur = blur * (np.cos(np.outer(angle, away)) @ weights).reshape(shape)
        bends = bends + (2 - 2 * np.cos(angle)).reshape(shape)
    limit = np.clip(NOISE / deviation, 1, GAIN)
    low, high = -12.0, 6.0  # of log10 a
    for _ in range(40):
        middle = (low + high) / 2
        rough = 10**middle * bends**2
        left = np.mean((numbers * rough / (blur**2 + rough + 1e-30)) ** 2)
        gain = np.mean((blur / (blur**2 + rough + 1e-30)) ** 2)
        more = left < deviation**2 or gain > limit**2
        low, high = (middle, high) if more else (low, middle)
    x = numbers * blur / (blur**2 + 10**low * bends**2 + 1e-30)
    return fft.idctn(x, axes=(0, 1), norm='ortho').astype(np.float32)


def filled(y: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """float32 [H, W, C] of y [H, W, C], its pixels where missing [H, W] is True drawn
    as smoothly as can be from the others, of which there is at least one.

    By conjugate gradients, which begin at the solution for a picture of half the size.
    """
    height, width, channels = y.shape
    if not missing.any():
        return np.asarray(y, np.float32)
    x = np.where(missing[..., None], _coarse(y, missing), y).astype(np.float64)
    x = x.reshape(-1, channels)
    laplacian = sparse.kronsum(_bends(width), _bends(height), 'csr')
    unknown = np.flatnonzero(missing)
    inside = laplacian[:, unknown]
    operator = (inside.T @ inside + TENSION * inside[unknown]).tocsr()
    bent = laplacian @ x
    rest = -(inside.T @ bent + TENSION * bent[unknown])
    direction, size = rest.copy(), np.sum(rest**2, 0)
    for _ in range(ITERATIONS):
        moved = operator @ direction
        step = size / np.maximum(np.sum(direction * moved, 0), 1e-30)
        x[unknown] += step * direction
        rest -= step * moved
        before, size = size, np.sum(rest**2, 0)
        direction = rest + size / np.maximum(before, 1e-30) * direction
        if np.all(size <= 1e-8 * len(unknown)):
            break
    return np.clip(x, -1, 1).reshape(y.shape).astype(np.float32)


def _coarse(y: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """A first guess [H, W, C] of what is missing: from a picture of half the size."""
    height, width, _ = y.shape
    if max(height, width) <= SIDE:
        return y[~missing].mean(0)
    more = [(0, height % 2), (0, width % 2)]
    known = np.pad(1.0 - missing, more)[..., None]
    values = known * np.pad(y, [*more, (0, 0)])

    def halved(a: np.ndarray) -> np.ndarray:
        return a[::2, ::2] + a[1::2, ::2] + a[::2, 1::2] + a[1::2, 1::2]

    count = halved(known)
    small = filled(halved(values) / np.maximum(count, 1), count[..., 0] == 0)
    zoom = [2, 2, 1]
    large = ndimage.zoom(small, zoom, order=1, grid_mode=True, mode='nearest')
    return np.asarray(large)[:height, :width]


def _bends(length: int) -> sparse.csr_matrix:
    """Second differences along a side, even at its ends."""
    rows = max(0, length - 1)
    ahead = sparse.eye(rows, length, 1, format='csr')
    first = ahead - sparse.eye(rows, length, format='csr')
    return first.T @ first


def noise_of(y: np.ndarray) -> float:
    """The deviation of white noise in y [H, W, C]; 0 below 2 pixels a side.

    Of the finest diagonal detail, by its median: Donoho & Johnstone 1994 (Biometrika).
    """
    y = np.asarray(y, np.float64)
    y = y[: len(y) // 2 * 2, : y.shape[1] // 2 * 2]
    detail = y[::2, ::2] - y[1::2, ::2] - y[::2, 1::2] + y[1::2, 1::2]
    return float(np.median(np.abs(detail)) / 2 / 0.6745) if detail.size else 0.0
