"""Children of latents: blended or crossed, and mutated, as likely as their parents.

  blend   z = sum_i a_i z_i, made as long as sum_i a_i |z_i|;  a ~ Dirichlet(1)
  cross   each number of z from one of the parents: at random (uniform crossover), all
          before a cut from one and all after it from the other, or each group of a
          hierarchical VAE from one
  mutate  z' = sqrt(1 - m^2) z + m e,  e ~ N(0, I)

A mean of Gaussians is shorter than they are, and its picture washed out: hence the
length. The latents of a hierarchical VAE lie from coarse to fine, and a cut is as style
mixing (Karras et al. 2019, arXiv:1812.04948). Crossovers: Holland 1975; Syswerda 1989.
"""

from collections.abc import Callable

import numpy as np


def blend(parents: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """[n, D] of parents [P, D] by shares [n, P], of sum 1."""
    mixed = shares @ parents
    target = shares @ np.linalg.norm(parents, axis=1)
    length = np.linalg.norm(mixed, axis=1)
    # opposite parents may leave nothing that has a direction
    scale = np.where(length > 1e-6 * target, target / np.maximum(length, 1e-30), 1)
    return mixed * scale[:, None]


def cross(parents: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """[n, D] of parents [P, D]: number j of child i is that of parent chosen[i, j]."""
    return np.take_along_axis(parents, chosen, 0)


def uniform(rng: np.random.Generator, n: int, size: int, count: int) -> np.ndarray:
    """Parents of `count`, [n, size], each number's by itself."""
    return rng.integers(count, size=(n, size))


def cut(rng: np.random.Generator, n: int, size: int, count: int) -> np.ndarray:
    """Parents of `count`, [n, size]: one before a random place and another after it."""
    places = rng.integers(1, size, n) if size > 1 else np.ones(n, int)
    first = rng.integers(count, size=n)
    last = (first + rng.integers(1, max(count, 2), n)) % count
    before = np.arange(size) < places[:, None]
    return np.where(before, first[:, None], last[:, None])


def mutate(z: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """z [n, D] with a share of new noise; strength from 0 (none) to 1 (all new)."""
    noise = rng.standard_normal(z.shape)
    return np.sqrt(1 - strength**2) * z + strength * noise


CROSSED: dict[str, Callable] = {'uniform': uniform, 'cut': cut}
WAYS = ('blend', *CROSSED, 'groups')


def children(
    parents: np.ndarray,
    num: int,
    how: str,
    mutation: float,
    seed: int,
    sizes: tuple[int, ...] = (),
) -> np.ndarray:
    """`num` children float32 [num, D] of parents [P, D]; one of WAYS.

    sizes: how many of the D are of each group, for the way `groups`.
    """
    rng = np.random.default_rng(seed)
    count, size = parents.shape
    if how == 'blend':
        z = blend(parents, rng.dirichlet(np.ones(count), num))
    elif how == 'groups':  # each group's numbers of one of the parents
        chosen = rng.integers(count, size=(num, len(sizes)))
        z = cross(parents, np.repeat(chosen, sizes, axis=1))
    else:
        z = cross(parents, CROSSED[how](rng, num, size, count))
    return mutate(z, mutation, rng).astype(np.float32)
