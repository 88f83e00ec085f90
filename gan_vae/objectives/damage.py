"""Random damage of pictures, with what a restorer may be told of it.

  noise    y = x + s e                    s of 0 to 50 grey levels, e ~ N(0, I)
  blur     y = k * x (+ little noise)     a Gaussian of 0.3 to 3 pixels
  jpeg     y = x through JPEG             of quality 10 to 90, colour at half the size
  small    y = x of 1/2 or 1/4 the side, enlarged again by cubic interpolation
  hole     a rectangle, strokes or pixels are missing; the mask says where
  scratch  lines of one colour, of which no mask says anything
  faded    less contrast, other gamma and a cast of one colour

Each picture has one of these, and a third of them noise or JPEG as well. JPEG is that
of ITU-T T.81 annex K: its tables, scaled as the Independent JPEG Group does, rounded
coefficients of blocks of 8 pixels; without its lossless part.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

KINDS = {
    'noise': 'white noise',
    'blur': 'out of focus',
    'jpeg': 'blocks and rings of JPEG',
    'small': 'enlarged 2 or 4 times',
    'hole': 'pixels are missing, known which',
    'scratch': 'lines over the picture, not known where',
    'faded': 'colours and contrast have faded',
}
UNIT = 255 / 2  # grey levels in a unit of a picture in [-1, 1]
MOST_NOISE, MOST_BLUR = 50.0, 3.0
# What is told, each 0 where it is not so: whether something is told, deviation of the
# noise over MOST_NOISE, of the blur over MOST_BLUR, 1 - quality / 100, 1 - 1 / factor
# of what is small.
TOLD = 'told', 'noise', 'blur', 'jpeg', 'small'
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_REACH = 9  # pixels of a blur

_Q_LUMA = np.array(
    '16 11 10 16 24 40 51 61 12 12 14 19 26 58 60 55 14 13 16 24 40 57 69 56 14 17 22 '
    '29 51 87 80 62 18 22 37 56 68 109 103 77 24 35 55 64 81 104 113 92 49 64 78 87 '
    '103 121 120 101 72 92 95 98 112 100 103 99'.split(),
    np.float32,
).reshape(8, 8)
_Q_COLOUR = np.full((8, 8), 99, np.float32)
_Q_COLOUR[:4, :4] = [
    [17, 18, 24, 47],
    [18, 21, 26, 66],
    [24, 26, 56, 99],
    [47, 66, 99, 99],
]


class Damaged(NamedTuple):
    """Damaged pictures."""

    seen: jax.Array  # float32 [B, H, W, C] in [-1, 1]
    mask: jax.Array  # [B, H, W, 1], 1 where a pixel is seen; there 0
    told: jax.Array  # [B, TOLD]
    kind: jax.Array  # int [B], of KINDS


def told(
    noise: float | None = None,
    blur: float | None = None,
    quality: float | None = None,
    factor: float | None = None,
) -> np.ndarray:
    """float32 [T] of what is known of a picture: the deviation of its noise in grey
    levels, and of its blur in pixels, the quality of its JPEG, and how many times as
    large it was made. Zeros where nothing is."""
    values = {
        'noise': noise and noise / MOST_NOISE,
        'blur': blur and blur / MOST_BLUR,
        'jpeg': quality and 1 - quality / 100,
        'small': factor and 1 - 1 / factor,
    }
    row = np.array([values.get(name) or 0.0 for name in TOLD], np.float32)
    row[0] = any(value is not None for value in (noise, blur, quality, factor))
    return row


def noisy(key: jax.Array, x: jax.Array, deviation: Any) -> jax.Array:
    """x [H, W, C] with white noise of that deviation in grey levels."""
    return x + deviation / UNIT * jax.random.normal(key, x.shape)


def gaussian(radius: Any) -> jax.Array:
    """Weights [2 _REACH + 1] of a Gaussian of that deviation in pixels."""
    away = jnp.arange(-_REACH, _REACH + 1)
    weights = jnp.exp(-0.5 * (away / jnp.maximum(radius, 1e-3)) ** 2)
    return weights / jnp.sum(weights)


def blurred(x: jax.Array, radius: Any) -> jax.Array:
    """x [H, W, C] under a Gaussian of that deviation in pixels, edges repeated."""
    weights = gaussian(radius)
    for axis in (0, 1):
        pads = [(_REACH, _REACH) if axis == n else (0, 0) for n in range(3)]
        padded, size = jnp.pad(x, pads, 'edge'), x.shape[axis]
        moved = [
            w * jax.lax.slice_in_dim(padded, k, k + size, axis=axis)
            for k, w in enumerate(weights)
        ]
        x = jnp.sum(jnp.stack(moved), 0)
    return x


def small(x: jax.Array, factor: int) -> jax.Array:
    """x [H, W, C] by means of blocks, and cubic between them again."""
    height, width, channels = x.shape
    f = factor
    y = x.reshape(height // f, f, width // f, f, channels).mean((1, 3))
    return jax.image.resize(y, x.shape, 'cubic')


def _cosines() -> np.ndarray:
    """The orthonormal cosine transform of 8 numbers."""
    n = np.arange(8)
    basis = np.cos(np.pi * (2 * n[None] + 1) * n[:, None] / 16) / 2
    basis[0] /= np.sqrt(2)
    return basis.astype(np.float32)


def _coded(plane: jax.Array, table: Any, quality: Any) -> jax.Array:
    """A plane [H, W] of levels around 0, with its coefficients as JPEG keeps them."""
    quality = jnp.clip(quality, 1, 99)
    scale = jnp.where(quality < 50, 5000 / quality, 200 - 2 * quality)
    table = jnp.clip(jnp.floor((table * scale + 50) / 100), 1, 255)
    height, width = plane.shape
    blocks = plane.reshape(height // 8, 8, width // 8, 8)
    basis = _cosines()
    numbers = jnp.einsum('ui,aibj,vj->aubv', basis, blocks, basis)
    table = table[None, :, None]
    numbers = jnp.round(numbers / table) * table
    return jnp.einsum('ui,aubv,vj->aibj', basis, numbers, basis).reshape(height, width)


def jpeg(x: jax.Array, quality: Any) -> jax.Array:
    """x [H, W, C] in [-1, 1], H and W multiples of 16, through JPEG of that quality."""
    levels = (x + 1) * UNIT
    if x.shape[-1] == 1:
        coded = _coded(levels[..., 0] - 128, _Q_LUMA, quality) + 128
        return jnp.clip(coded, 0, 255)[..., None] / UNIT - 1
    red, green, blue = jnp.moveaxis(levels, -1, 0)
    luma = levels @ LUMA
    colours = [(blue - luma) / 1.772, (red - luma) / 1.402]
    luma = _coded(luma - 128, _Q_LUMA, quality) + 128
    height, width = luma.shape
    halves = []
    for colour in colours:
        half = colour.reshape(height // 2, 2, width // 2, 2).mean((1, 3))
        half = _coded(half, _Q_COLOUR, quality)
        halves.append(jax.image.resize(half, luma.shape, 'linear'))
    cb, cr = halves
    red, blue = luma + 1.402 * cr, luma + 1.772 * cb
    green = (luma - LUMA[0] * red - LUMA[2] * blue) / LUMA[1]
    back = jnp.stack([red, green, blue], -1)
    return jnp.clip(jnp.round(back), 0, 255) / UNIT - 1


def _lines(
    key: jax.Array, shape: tuple[int, ...], count: int, most: float
) -> jax.Array:
    """bool [H, W]: within half a width of up to `most` pixels of `count` segments."""
    height, width = shape
    ends, widths, some = jax.random.split(key, 3)
    size = jnp.array([height, width], jnp.float32)
    points = jax.random.uniform(ends, (count, 2, 2), minval=-0.2, maxval=1.2) * size
    wide = jax.random.uniform(widths, (count,), minval=0.7, maxval=most)
    used = jnp.arange(count) < jax.random.randint(some, (), 1, count + 1)
    at = jnp.stack(jnp.meshgrid(*map(jnp.arange, shape), indexing='ij'), -1)

    def near(points: jax.Array, wide: jax.Array, used: jax.Array) -> jax.Array:
        a, b = points
        along = jnp.sum((at - a) * (b - a), -1) / (jnp.sum((b - a) ** 2) + 1e-6)
        nearest = a + jnp.clip(along, 0, 1)[..., None] * (b - a)
        return used & (jnp.sum((at - nearest) ** 2, -1) <= (wide / 2) ** 2)

    return jax.vmap(near)(points, wide, used).any(0)


def _hole(key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """bool [H, W]: a rectangle, strokes, or pixels."""
    kind, where, lines, share, pixels = jax.random.split(key, 5)
    size = jnp.array(shape)
    extent = jax.random.uniform(where, (2,), minval=0.15, maxval=0.5) * size
    corner = jax.random.uniform(share, (2,)) * (size - extent)
    at = jnp.stack(jnp.meshgrid(*map(jnp.arange, shape), indexing='ij'), -1)
    box = ((corner <= at) & (at < corner + extent)).all(-1)
    strokes = _lines(lines, shape, 6, shape[0] / 8)
    rate = jax.random.uniform(share, (), minval=0.1, maxval=0.8)
    single = jax.random.uniform(pixels, shape) < rate
    return jnp.stack([box, strokes, single])[jax.random.randint(kind, (), 0, 3)]


def _one(key: jax.Array, x: jax.Array, kind: jax.Array) -> tuple[jax.Array, ...]:
    """(seen, mask, told) of a picture [H, W, C], of one kind."""
    first, second, third, more, tell = jax.random.split(key, 5)
    u = jax.random.uniform(first)
    shape = x.shape[:2]
    missing = _hole(second, shape)
    nothing = jnp.zeros(shape, bool)

    def told(**values: Any) -> jax.Array:
        return jnp.stack([jnp.float32(values.get(name, 0.0)) for name in TOLD])

    def noise():
        return noisy(second, x, MOST_NOISE * u), nothing, told(noise=u)

    def blur():
        radius = 0.3 + (MOST_BLUR - 0.3) * u
        little = 2 * jax.random.uniform(third)
        y = noisy(second, blurred(x, radius), little)
        return y, nothing, told(blur=radius / MOST_BLUR, noise=little / MOST_NOISE)

    def compressed():
        quality = jnp.round(10 + 80 * u)
        return jpeg(x, quality), nothing, told(jpeg=1 - quality / 100)

    def smaller():
        y = jnp.where(u < 0.5, small(x, 2), small(x, 4))
        return y, nothing, told(small=jnp.where(u < 0.5, 0.5, 0.75))

    def hole():
        return x, missing, told()

    def scratch():
        where = _lines(second, shape, 5, 2.5)[..., None]
        colour = jax.random.uniform(third, (x.shape[-1],), minval=-1.0)
        return jnp.where(where, colour, x), nothing, told()

    def faded():
        gain = 0.3 + 0.6 * u
        gamma = jnp.exp(jax.random.uniform(second, minval=-0.5, maxval=0.5))
        cast = 0.3 * jax.random.uniform(third, (x.shape[-1],), minval=-1.0)
        unit = jnp.clip((x + 1) / 2, 0, 1) ** gamma
        return gain * (2 * unit - 1) + cast * (1 - gain), nothing, told()

    ways = noise, blur, compressed, smaller, hole, scratch, faded
    y, missing, numbers = jax.lax.switch(kind, ways)
    which, amount, grain = jax.random.split(more, 3)
    extra = jax.random.uniform(which)
    s = 25 * jax.random.uniform(amount)
    quality = jnp.round(30 + 60 * jax.random.uniform(amount))
    none = numbers[1] + numbers[3] == 0
    with_noise, with_jpeg = (extra < 1 / 6) & none, (extra > 5 / 6) & none
    y = jnp.where(with_noise, noisy(grain, y, s), y)
    y = jnp.where(with_jpeg, jpeg(y, quality), y)
    more_told = told(noise=s / MOST_NOISE) * with_noise
    more_told += told(jpeg=1 - quality / 100) * with_jpeg
    tells = jax.random.uniform(tell) < 0.5
    numbers = jnp.where(tells, (numbers + more_told).at[0].set(1.0), 0.0)
    seen = (~missing)[..., None]
    y = jnp.clip(jnp.round((y + 1) * UNIT), 0, 255) / UNIT - 1
    return jnp.where(seen, y, 0.0), jnp.float32(seen), numbers


def numbers_of(names: list[str]) -> np.ndarray:
    """int [K], the places of some KINDS in their order."""
    return np.array([list(KINDS).index(name) for name in names])


def damaged(
    keys: jax.Array,
    x: jax.Array,
    kinds: jax.Array | None = None,
    among: np.ndarray | None = None,
) -> Damaged:
    """Pictures [B, H, W, C] in [-1, 1], each by its key; H and W multiples of 16.

    kinds: int [B], of KINDS; by default at random among those, of all where None.
    """
    pick, keys = jnp.moveaxis(jax.vmap(jax.random.split)(keys), 1, 0)
    if kinds is None:
        of = jnp.arange(len(KINDS)) if among is None else jnp.asarray(among)
        kinds = jax.vmap(lambda k: of[jax.random.randint(k, (), 0, len(of))])(pick)
    seen, mask, told = jax.vmap(_one)(keys, x, kinds)
    return Damaged(seen, mask, told, kinds)
