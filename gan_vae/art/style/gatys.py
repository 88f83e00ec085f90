"""Style as correlations of a network's maps: the picture that has them is sought.

It is that of least L (objectives/style.py), from the content with the colours of the
style: Gatys et al. 2016, arXiv:1508.06576. L-BFGS (SciPy's) looks for changes of
several scales at once, as those of single pixels find patterns that a network alone can
see.
"""

import jax
import numpy as np
from jax.flatten_util import ravel_pytree
from scipy import optimize

from gan_vae.art.style import Task, carried, colour, resize, scaled, shapes
from gan_vae.extractors import style

COARSEST, FACTOR = 128, 2.0  # pixels of the longer side, and from level to level
SCALES = (1, 2, 4)  # of the changes that are sought


@jax.jit
def _slope(params, bands, guide, *aims):
    return jax.value_and_grad(lambda b: style.loss(params, joined(b, guide), *aims))(
        bands
    )


@jax.jit
def joined(bands, guide):
    """The picture [H, W, 3]: `guide` and changes [h, w, 3] of all scales."""
    change = sum(jax.image.resize(b, guide.shape, 'linear') for b in bands)
    return guide + change


def transfer(task: Task, params: dict) -> np.ndarray:
    """The content with the styles' correlations; `steps` of L-BFGS at each level.

    params: of `style.network`. Sides of style.SIDE pixels at least.
    """
    content = np.clip(colour.linear(task), -1, 1)
    levels = shapes(*content.shape[:2], COARSEST, FACTOR)
    ticks = iter(task.ticks(range(len(levels) * task.steps), 'correlations'))
    x = guide = content
    for level in levels:
        finer = resize(content, *level)
        x = finer if level == levels[0] else carried(x, guide, finer)
        guide, scale = finer, max(level) / max(content.shape[:2])
        of_styles = [
            style.moments(params, scaled(s, scale, style.SIDE)) for s in task.styles
        ]
        wanted = jax.tree.map(
            lambda *each: sum(w * a for w, a in zip(task.weights, each, strict=True)),
            *of_styles,
        )
        aims = style.content_maps(params, guide), wanted, task.strength
        x, stopped = _descend(params, x, aims, task.steps, ticks)
        if stopped:
            break
    return carried(x, guide, content)


def _descend(params, x, aims, steps, ticks):
    """(the picture after `steps` of L-BFGS, whether `ticks` ended before)."""
    height, width, _ = x.shape
    zeros = [np.zeros((-(-height // s), -(-width // s), 3), np.float32) for s in SCALES]
    start, unravel = ravel_pytree(zeros)
    stopped = False

    def value(flat):
        bands = unravel(np.float32(flat))
        loss, slope = _slope(params, bands, x, *aims)
        return float(loss), np.float64(ravel_pytree(slope)[0])

    def after(intermediate_result):
        nonlocal stopped
        if next(ticks, None) is None:
            stopped = True
            raise StopIteration

    options = {'maxiter': steps, 'maxfun': 2 * steps, 'ftol': 0, 'gtol': 0}
    solution = optimize.minimize(
        value,
        np.float64(start),
        method='L-BFGS-B',
        jac=True,
        callback=after,
        options=options,
    )
    x = joined(unravel(np.float32(solution.x)), x)
    return np.clip(np.asarray(x), -1, 1), stopped
