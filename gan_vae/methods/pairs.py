"""Examples of two pictures each, as one image of the channels of both, and the network
from the first to the second."""

import jax
import jax.numpy as jnp

from gan_vae import models
from gan_vae.errors import UserError
from gan_vae.learning.settings import Learning


def colours_of(spec) -> int:
    """Channels of one picture of a pair; of a trained network, which is told of single
    pictures, those of a picture."""
    return spec.channels // 2 if spec.channels in (2, 6) else spec.channels


def parts(pair: jax.Array, colours: int, name: str, wanted: str) -> list[jax.Array]:
    """Both of pairs [B, H, W, 2 C]. A UserError for others, which says what data a
    method takes."""
    if pair.shape[-1] != 2 * colours:
        raise UserError(
            f'config.method.name={name} learns from two pictures at a time: set '
            f'config.data.name to {wanted}'
        )
    return jnp.split(pair, 2, -1)


def translator(model, learning: Learning, spec, axis_name, **fields):
    """The network that the section `model` names; fields: more of those that it may
    have."""
    return models.make(
        'translator',
        model.translator,
        image_size=spec.height,
        channels=colours_of(spec),
        width=model.width,
        axis_name=axis_name,
        dtype=jnp.dtype(learning.dtype),
        **fields,
    )
