"""Perceptual path length: how much pictures change per step between two latents.

    PPL = E[ d(G(z(t)), G(z(t + e))) / e^2 ],    z(t) between z0 and z1, t in [0, 1]

As e goes to 0 and for a squared distance d: the squared speed of the picture. Karras
et al. 2019, arXiv:1812.04948 (slerp in a normal z, lerp in a mapped w); slerp as in
White 2016, arXiv:1609.04468.
"""

from collections.abc import Callable

import numpy as np

from gan_vae.errors import UserError


def lerp(a, b, t):
    """Straight line from a to b, arrays [n, d], at t [n]."""
    return a + (b - a) * np.asarray(t)[:, None]


def slerp(a, b, t):
    """Along the arc of the angle between a and b, arrays [n, d], at t [n].

    Lengths are kept at both ends. `lerp` where a pair has no arc: a zero, or parallel.
    """
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    cosine = np.sum(a * b, 1) / np.where(lengths > 0, lengths, 1)
    angle = np.arccos(np.clip(cosine, -1, 1))
    sine = np.sin(angle)
    straight = (lengths == 0) | (sine < 1e-6)
    sine = np.where(straight, 1, sine)
    of_a, of_b = np.sin((1 - t) * angle) / sine, np.sin(t * angle) / sine
    arc = of_a[:, None] * a + of_b[:, None] * b
    return np.where(straight[:, None], lerp(a, b, t), arc)


def path_length(
    generate: Callable,
    distance: Callable,
    z0,
    z1,
    t,
    epsilon: float = 1e-4,
    interpolate: Callable = lerp,
) -> np.ndarray:
    """distance(G(z(t)), G(z(t + epsilon))) / epsilon^2; [n] float64.

    `generate`: latents [n, d] -> float images, with the same noise at every call (of
    uint8 hardly a step would be seen); `distance`: images, images -> [n], squared as
    LPIPS is. z0, z1 [n, d], t [n]; `interpolate` is `lerp` or `slerp`. Latents are
    mixed in float64, and a generator that rounds them to float32 adds an error of the
    order of 1e-7 / epsilon. A UserError where pictures are not of a float type.
    """
    z0, z1, t = (np.asarray(part, np.float64) for part in (z0, z1, t))
    ends = [generate(interpolate(z0, z1, at)) for at in (t, t + epsilon)]
    for end in ends:
        if np.issubdtype(end.dtype, np.integer):
            raise UserError(f'path length of {end.dtype} pictures: keep them in float')
    return np.asarray(distance(*ends), np.float64) / epsilon**2


def mean_path_length(lengths, lower: float = 1, higher: float = 99) -> float:
    """Mean of lengths [n] within two percentiles, the ends included.

    As StyleGAN reports it: the lowest and highest hundredth are left out, where an end
    is the nearest length outward.
    """
    lengths = np.asarray(lengths, np.float64)
    low = np.percentile(lengths, lower, method='lower')
    high = np.percentile(lengths, higher, method='higher')
    return float(lengths[(low <= lengths) & (lengths <= high)].mean())
