"""What is exported of a model with latents: (z [b, D], class [b]) -> [b, H, W, C]."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gan_vae.errors import UserError
from gan_vae.runs.opened import Opened

TESTED = 3  # examples by which a written decoder is compared with this one


class Decoder(NamedTuple):
    """A function of arrays, weights included, and what it takes."""

    function: Callable
    names: tuple[str, ...]  # of its arrays
    shapes: tuple[tuple[tuple[int, ...], Any], ...]  # (shape without b, dtype) of each

    def examples(self) -> list[np.ndarray]:
        """Arrays to try it with."""
        draw = np.random.default_rng(0)
        z = draw.normal(size=(TESTED, *self.shapes[0][0])).astype(np.float32)
        return [z, *(np.zeros(TESTED, np.int32) for _ in self.shapes[1:])]

    def outputs(self) -> tuple[int, ...]:
        """(H, W, C) of a picture."""
        return jax.eval_shape(self.function, *self.examples()).shape[1:]


def of(model: Opened) -> Decoder:
    """The decoder of a model. A UserError where it has none."""
    method = model.method
    if method.latents is None or method.captions is not None:
        raise UserError(
            f'{model.config.name} has no decoder of latents alone: --to=safetensors '
            'takes any model'
        )
    weights, decode = method.settle(model.weights), method.latents.decode

    def function(z, *condition):
        return decode(weights, z, *condition)

    names, shapes = ('z',), (((method.latents.size,), jnp.float32),)
    if method.classes:
        names, shapes = ('z', 'class'), (*shapes, ((), jnp.int32))
    return Decoder(function, names, shapes)


def usage(decoder: Decoder) -> str:
    """What its arrays are, in a line."""
    (size,), _ = decoder.shapes[0]
    condition = ', class int32 [b]' * (len(decoder.shapes) > 1)
    return f'z float32 [b, {size}] of N(0, I){condition} -> pictures [b, H, W, C]'


def compared(decoder: Decoder, outputs: Any, what: str) -> float:
    """The largest difference to the decoder's own pictures. A UserError above 1e-4."""
    own = np.asarray(jax.jit(decoder.function)(*decoder.examples()))
    apart = float(np.abs(own - np.asarray(outputs)).max())
    if not apart <= 1e-4:
        raise UserError(f'{what} gives other pictures than the model, by {apart:.2g}')
    return apart
