"""Style by a network that was trained for one (methods/fast_style.py), in one pass.

x + strength (T(x) - x)
"""

from functools import partial

import jax
import numpy as np

from gan_vae.art.style import Task

CELL = 4  # pixels that sides are made multiples of
MARGIN = 32  # of reflection on each side: T frames what has an edge
SIDE = 2  # pixels, so that there is something to reflect


def transfer(task: Task, translation, weights) -> np.ndarray:
    """The content in the style of the model; task.styles are not looked at."""
    height, width, _ = task.content.shape
    around = [(MARGIN, MARGIN + -side % CELL) for side in (height, width)]
    padded = np.pad(task.content, [*around, (0, 0)], 'reflect')
    x = np.asarray(_translated(translation, weights, padded[None]))[0]
    x = x[MARGIN : MARGIN + height, MARGIN : MARGIN + width]
    return task.content + np.float32(task.strength) * (x - task.content)


@partial(jax.jit, static_argnums=0)
def _translated(translation, weights, x):
    return translation(weights, x)
