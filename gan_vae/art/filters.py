"""Restoration of a picture at its own size by what all pictures have in common.

The filters of objectives/estimates.py, for one picture of any size. What is missing is
filled here by sparse matrices, from small to large.
"""

import jax
import numpy as np
from PIL import Image
from scipy import ndimage, sparse

from gan_vae.art.degradations import kernel
from gan_vae.errors import UserError
from gan_vae.objectives import damage, estimates

COARSE = 8  # pixels of the longer side, where filling begins
ITERATIONS = 200  # of conjugate gradients
MARGIN = 16  # pixels around what is missing that say what it is like
MOST = 2**20  # pixels that are filled at their own size
SIDE = 256  # pixels of the longer side of others
_denoised, _deblurred = jax.jit(estimates.denoised), jax.jit(estimates.deblurred)
_noise_of = jax.jit(estimates.noise_of)


def noise_of(y: np.ndarray) -> float:
    """The deviation of white noise in y [H, W, C]."""
    return float(_noise_of(np.float32(y)))


def denoised(y: np.ndarray, deviation: float) -> np.ndarray:
    """float32 [H, W, C] of y [H, W, C] with white noise of that deviation."""
    return np.asarray(_denoised(np.float32(y), np.float32(deviation)))


def deblurred(y: np.ndarray, radius: float, deviation: float) -> np.ndarray:
    """float32 [H, W, C] of y [H, W, C], blurred by a Gaussian of that radius in pixels
    and with white noise of that deviation."""
    return np.asarray(_deblurred(np.float32(y), kernel(radius), np.float32(deviation)))


def estimate(y: np.ndarray, mask: np.ndarray, told: np.ndarray) -> np.ndarray:
    """objectives.estimates.of, of y [H, W, C], mask [H, W, 1], told [T]."""
    x, _ = plate(y, mask[..., 0] == 0)
    found, blur = noise_of(x), float(told[2]) * damage.MOST_BLUR
    if blur > 0:
        noise = np.float32(max(found, estimates.ROUNDING))
        return np.asarray(_deblurred(x, damage.gaussian(blur), noise))
    deviation = float(estimates.noise_told(told, found))
    return denoised(x, deviation) if deviation > 0 else x


def plate(y: np.ndarray, missing: np.ndarray) -> tuple[np.ndarray, str]:
    """y [H, W, C] `filled` at its own size, unless what is missing reaches over too
    much of it, and at which size then."""
    if not missing.any():
        return y, ''
    if missing.all():
        raise UserError('everything is missing: leave something to be seen')
    rows, columns = (np.flatnonzero(missing.any(1 - axis)) for axis in (0, 1))
    box = tuple(slice(max(0, a[0] - MARGIN), a[-1] + MARGIN) for a in (rows, columns))
    x = y.copy()
    if missing[box].size <= MOST:
        x[box] = filled(y[box], missing[box])
        return x, ''
    step = -(-max(missing[box].shape) // SIDE)
    seen = ~missing[box][..., None]
    known, values = (_sums(part, step) for part in (1.0 * seen, y[box] * seen))
    small = filled(values / np.maximum(known, 1), known[..., 0] == 0)
    large = np.stack(
        [
            np.asarray(Image.fromarray(p).resize(missing[box].shape[::-1]))
            for p in np.moveaxis(small.astype(np.float32), -1, 0).copy()
        ],
        -1,
    )
    x[box] = np.where(missing[box][..., None], large, y[box])
    return x, f'{small.shape[1]}x{small.shape[0]}'


def _sums(a: np.ndarray, step: int) -> np.ndarray:
    """Of [H, W, C] over blocks of so many pixels."""
    for axis in (0, 1):
        a = np.add.reduceat(a, np.arange(0, a.shape[axis], step), axis)
    return a


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
    operator = (inside.T @ inside + estimates.TENSION * inside[unknown]).tocsr()
    bent = laplacian @ x
    rest = -(inside.T @ bent + estimates.TENSION * bent[unknown])
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
    if max(height, width) <= COARSE:
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
