"""Augmentation of what D sees that does not show in G's images: T_p, 0 <= p < 1.

Each transform is made of each image with the probability p, by a gate of its own, or
else left out. What D sees then is a mixture in which the images as they are have a
share, so that only equal distributions look equal; p is moved by how far D's logits of
real images are to one side (Karras et al. 2020, arXiv:2006.06676):

    r = mean sign(D(T_p(x)) - boundary),    p <- p + sign(r - target) images / speed

Transforms in their order, of images in [-1, 1], and what they draw:

  flip         mirrored, of one image in two
  turn         by 0, 1, 2 or 3 quarters
  shift        by U(-1/8, 1/8) of the side, in whole pixels, mirrored at the edges
  brightness   x + b, b ~ N(0, 0.2^2)
  contrast     2^a x, a ~ N(0, 0.5^2)
  luma         lightness turned over, x - 2 v v'x, of one image in two
  hue          turned about v by U(-pi, pi)
  saturation   v v'x + 2^a (x - v v'x), a ~ N(0, 1)

with v = (1, 1, 1) / sqrt(3) in colours. These laws are the paper's; of its pipeline,
turns by any angle, scalings and shifts by parts of a pixel are left out, for what they
filter shows in small pictures with hard edges. Here no pixel is interpolated, and
images at p = 0 are those given, bit for bit.
"""

from collections.abc import Callable, Collection, Mapping

import jax
import jax.numpy as jnp
from jax import lax

from gan_vae.keys import purpose_key

Number = jax.Array | float
Augment = Callable[[jax.Array, jax.Array, jax.Array], jax.Array]

# What is drawn, of two numbers u of U(0, 1) and n of N(0, 1), and what leaves an image
# as it is.
TRANSFORMS: dict[str, tuple[Callable[..., Number], float]] = {
    'flip': (lambda u, n: jnp.floor(2 * u[0]), 0.0),
    'turn': (lambda u, n: jnp.floor(4 * u[0]), 0.0),
    'shift': (lambda u, n: (2 * u - 1) / 8, 0.0),
    'brightness': (lambda u, n: 0.2 * n, 0.0),
    'contrast': (lambda u, n: 2 ** (0.5 * n), 1.0),
    'luma': (lambda u, n: jnp.floor(2 * u[0]), 0.0),
    'hue': (lambda u, n: jnp.pi * (2 * u[0] - 1), 0.0),
    'saturation': (lambda u, n: 2**n, 1.0),
}
OF_PLACES = {'flip', 'turn', 'shift'}


def make(names: Collection[str]) -> Augment:
    """augment(keys [B], images [B, S, S, C] in [-1, 1], p) of those transforms."""

    def one(key: jax.Array, x: jax.Array, p: jax.Array) -> jax.Array:
        # two draws for all, as each is a program of its own
        u = jax.random.uniform(purpose_key(key, 'uniform'), (len(TRANSFORMS), 3))
        n = jax.random.normal(purpose_key(key, 'normal'), (len(TRANSFORMS),))
        drawn = {}
        for i, (name, (law, identity)) in enumerate(TRANSFORMS.items()):
            gate = (u[i, 0] < p) & (name in names)
            drawn[name] = jnp.where(gate, law(u[i, 1:], n[i]), identity)
        if OF_PLACES & set(names):
            x = moved(x, drawn['flip'], drawn['turn'], drawn['shift'])
        return coloured(x, drawn) if set(names) - OF_PLACES else x

    return jax.vmap(one, (0, 0, None))


def moved(x: jax.Array, flip: Number, turn: Number, shift: Number) -> jax.Array:
    """An image [S, S, C] mirrored, turned by quarters and shifted by parts of S [2].

    By products with matrices of 0 and 1, which are exact, and so are gradients of any
    order.
    """
    last = x.shape[0] - 1
    pixels = jnp.round(jnp.asarray(shift) * x.shape[0]).astype(jnp.int32)

    def places(offset: jax.Array) -> jax.Array:
        """Which pixel comes to each place along an axis."""
        return last - jnp.abs(last - jnp.abs(jnp.arange(last + 1) - offset))

    rows, columns = (places(offset) for offset in jnp.broadcast_to(pixels, (2,)))
    flip, turn = jnp.asarray(flip) == 1, jnp.asarray(turn)
    odd = turn % 2 == 1
    # A quarter to the left is transposed, and then top is bottom. Of what is
    # transposed, a mirror in the columns is one of the rows.
    x = jnp.where(odd, x.swapaxes(0, 1), x)
    top = ((turn == 1) | (turn == 2)) ^ (flip & odd)
    side = ((turn == 2) | (turn == 3)) ^ (flip & ~odd)
    by_rows = jax.nn.one_hot(jnp.where(top, last - rows, rows), last + 1)
    by_columns = jax.nn.one_hot(jnp.where(side, last - columns, columns), last + 1)
    return _exact('iu,jv,uvc->ijc', by_rows, by_columns, x)


def coloured(x: jax.Array, drawn: Mapping[str, Number]) -> jax.Array:
    """Colours of an image [S, S, C] by one affine map; of grey, its mean over them."""
    v = jnp.full(3, 3**-0.5)
    axis = jnp.outer(v, v)
    across = jnp.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) * 3**-0.5  # v x
    cos, sin = jnp.cos(drawn['hue']), jnp.sin(drawn['hue'])
    hue = cos * jnp.eye(3) + (1 - cos) * axis + sin * across
    saturation = drawn['saturation']
    saturated = saturation * jnp.eye(3) + (1 - saturation) * axis
    first = drawn['contrast'] * (jnp.eye(3) - 2 * drawn['luma'] * axis)
    colours = _exact('ij,jk,kl->il', saturated, hue, first)
    sums = jnp.sum(colours, axis=1)
    offset = drawn['brightness'] * sums
    if x.shape[-1] == 1:
        return x * jnp.mean(sums) + jnp.mean(offset)
    return _exact('ijc,dc->ijd', x, colours) + offset


def _exact(subscripts: str, *operands: jax.Array) -> jax.Array:
    return jnp.einsum(subscripts, *operands, precision=lax.Precision.HIGHEST)
