"""Texture of one picture on another, without a network: patch sliced Wasserstein.

    SW(x, y) = mean_u int_0^1 |Q_(u * x)(t) - Q_(u * y)(t)|^2 dt

for random unit filters u of 7x7 pixels; Q are quantile functions of all responses. Adam
moves the picture itself to lessen it, coarse to fine, with fresh filters at each step.
Elnekave & Weiss 2022, arXiv:2203.11862. What differs: it starts from the content with
the colours of the style and is held to it a little; squares in place of absolute
differences, so that it comes to rest; patches are at every s-th place from an offset
drawn at each step; and sets of different sizes are compared by quantiles.
NumPy sorts the responses: XLA:CPU's sort takes longer than all the rest of a step.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax

from gan_vae.art.style import Task, carried, colour, resize, scaled, shapes

SIDE = 7  # of a patch
COARSEST, FACTOR = 64, 2**0.5  # pixels of the longer side, and from level to level
FILTERS = 64  # a step
PLACES = 16_384  # responses of a filter, about, at most
RATE = 0.02
HOLD = 0.005  # of the guide, against the style, at strength 1

_adam = optax.adam(RATE, eps=1e-3)


def unit_filters(random: np.random.Generator, count: int) -> np.ndarray:
    """float32 [count, 7, 7, 3] of length 1, evenly over all directions."""
    filters = random.standard_normal((count, SIDE, SIDE, 3))
    length = np.sqrt(np.square(filters).sum((1, 2, 3), keepdims=True))
    return np.float32(filters / length)


def stride_of(shape: tuple[int, ...]) -> int:
    """Pixels between patches of a picture [H, W]: the least for at most PLACES."""
    return int(np.ceil(np.sqrt((shape[0] - SIDE + 1) * (shape[1] - SIDE + 1) / PLACES)))


@partial(jax.jit, static_argnames='stride')
def respond(x, filters, offset, stride):
    """Responses [F, n] of filters [F, 7, 7, 3] at each stride-th place of [H, W, 3]."""
    count = [(side - SIDE + 1) // stride for side in x.shape[:2]]
    extent = [(n - 1) * stride + SIDE for n in count]
    part = lax.dynamic_slice(x, (*(o % stride for o in offset), 0), (*extent, 3))
    layout = ('NHWC', 'OHWI', 'NHWC')
    responses = lax.conv_general_dilated(
        part[None], filters, (stride, stride), 'VALID', dimension_numbers=layout
    )
    return responses[0].reshape(-1, filters.shape[0]).T


def lacking(responses: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """What each of responses [F, n] is from the one of its rank in sorted `wanted`."""
    order = np.argsort(responses, -1)
    change = wanted - np.take_along_axis(responses, order, -1)
    lack = np.empty_like(responses)
    np.put_along_axis(lack, order, change, -1)
    return lack


@partial(jax.jit, static_argnames='stride')
def _step(x, state, guide, filters, lack, strength, offset, stride):
    def spread(filters, responses):
        back = jax.linear_transpose(lambda x: respond(x, filters, offset, stride), x)
        return back(responses)[0]

    # how many patches there are over each pixel: few at the border
    over = spread(jnp.ones((1, SIDE, SIDE, 3)), jnp.ones_like(lack[:1]))
    # as many directions as a patch has numbers would give the whole way back
    pull = spread(filters, lack) * (SIDE * SIDE * 3 / FILTERS) / jnp.maximum(over, 1)
    gradient = -strength * pull + HOLD**strength * (x - guide)
    change, state = _adam.update(gradient, state)
    return jnp.clip(x + change, -1, 1), state


def transfer(task: Task) -> np.ndarray:
    """The content with the styles' patches; `steps` of Adam at each level.

    It lessens strength SW(x, styles) + HOLD^strength |x - guide|^2; the guide is the
    content with colours of the styles. Sides of SIDE pixels at least.
    """
    start = np.clip(colour.linear(task), -1, 1)
    levels = shapes(*start.shape[:2], COARSEST, FACTOR)
    schedule = [(level, step) for level in levels for step in range(task.steps)]
    random = np.random.default_rng(task.seed)
    x, guide = start, start
    for level, step in task.ticks(schedule, 'patches'):
        if step == 0:
            finer = resize(start, *level)
            x = finer if level == levels[0] else carried(np.asarray(x), guide, finer)
            x, guide = jnp.asarray(x), finer
            scale = max(level) / max(start.shape[:2])
            styles = [scaled(s, scale, SIDE) for s in task.styles]
            state = _adam.init(x)
        filters = unit_filters(random, FILTERS)
        offset = tuple(random.integers(0, 2**30, 2))
        stride = stride_of(level)
        responses = np.asarray(respond(x, filters, offset, stride))
        of_styles = [
            np.asarray(respond(s, filters, offset, stride_of(s.shape))) for s in styles
        ]
        wanted = colour.mean_quantiles(of_styles, task.weights, responses.shape[1])
        lack = lacking(responses, wanted)
        x, state = _step(x, state, guide, filters, lack, task.strength, offset, stride)
    return carried(np.asarray(x), guide, start)
