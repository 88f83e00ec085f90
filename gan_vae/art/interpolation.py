"""Ways through a latent space, from stop to stop.

slerp or lerp between neighbours, at places that are evenly spread in t, or such that
each picture differs as much from the one before:

  s(t) = int_0^t |dx / dt'| dt',   x(t) = G(z(t)),   places t_i with s(t_i) = i s(1) / n

|x - y|: root mean square over the pixels of both and of their halves and quarters.
"""

from collections.abc import Callable

import numpy as np

from gan_vae.evaluation.path_length import lerp, slerp

WAYS: dict[str, Callable] = {'slerp': slerp, 'lerp': lerp}
FINER = 4  # pictures looked at for each that is shown


def along(stops: np.ndarray, places: np.ndarray, how: str) -> np.ndarray:
    """Latents float32 [n, D] at places [n] from 0, the first of stops [S, D], to S - 1,
    the last."""
    first = np.clip(np.floor(places).astype(int), 0, len(stops) - 2)
    ends = stops[first].astype(np.float64), stops[first + 1].astype(np.float64)
    return WAYS[how](*ends, places - first).astype(np.float32)


def apart(pictures: np.ndarray) -> np.ndarray:
    """[n - 1]: how far each picture [n, H, W, C] is from the one before."""
    steps = np.diff(np.asarray(pictures, np.float64), axis=0)
    total = np.zeros(len(steps))
    for _ in range(3):
        total += np.mean(steps**2, (1, 2, 3))
        height, width = (2 * (side // 2) for side in steps.shape[1:3])
        if not height or not width:
            break
        steps = steps[:, :height, :width]
        steps = (steps[:, ::2] + steps[:, 1::2]) / 2
        steps = (steps[:, :, ::2] + steps[:, :, 1::2]) / 2
    return np.sqrt(total)


def even(draw: Callable, last: float, num: int, loop: bool) -> np.ndarray:
    """`num` places from 0 to `last` whose pictures are equally far from each other.

    draw: places [n] -> pictures [n, H, W, C]. loop: the place `last`, which is the
    first again, is left out.
    """
    fine = np.linspace(0, last, FINER * num + 1)
    way = np.concatenate([[0], np.cumsum(apart(draw(fine)))])
    # where nothing changes, places go on all the same
    way += 1e-6 * max(way[-1], 1e-12) * fine / last
    return np.interp(shares(num, loop) * way[-1], way, fine)


def shares(num: int, loop: bool) -> np.ndarray:
    """[num] from 0 to 1, without the 1 of a loop."""
    return np.linspace(0, 1, num, endpoint=not loop)
