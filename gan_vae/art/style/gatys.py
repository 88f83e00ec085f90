"""Style as correlations of a network's maps: the picture that has them is searched for.

    L(x) = |F_c(x) - F_c(p)|^2 / |F_c(p)|^2
           + b strength mean_l |G_l(x) - A_l|^2 / |A_l|^2,    G_l = F_l^T F_l / places

F_l [places, channels] are maps of the picture x and p of the content, A_l the mean of
the styles' G_l by their weights. Gatys et al. 2016, arXiv:1508.06576; with filters that
were never trained, He et al. 2016, arXiv:1606.04801. Each term is relative to its
target, so that one b serves any network. L-BFGS (SciPy's, within [-1, 1]), from the
content, coarse to fine.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from scipy import optimize

from gan_vae.art.style import Task, carried, resize, scaled, shapes
from gan_vae.errors import unknown
from gan_vae.evaluation.extractors import vgg_hed

FEATURES = ('vgg_hed', 'random')
STYLE = ('conv1_2', 'conv2_2', 'conv3_3', 'conv4_3')
CONTENT = 'conv3_3'
SIDE = 16  # the network's smallest
COARSEST, FACTOR = 128, 2.0  # pixels of the longer side, and from level to level
BALANCE = 10.0  # b


def network(name: str) -> dict:
    """Kernels and biases of VGG's convolutions: `vgg_hed`, trained, or `random`.

    A UserError for another name, or where the weights of vgg_hed are not there.
    """
    if name not in FEATURES:
        raise unknown('features', name, FEATURES)
    if name == 'vgg_hed':
        return vgg_hed.load().params
    from gan_vae.evaluation.extractors import random

    kernels = random.draw()
    return {k: (v, np.zeros(v.shape[-1], np.float32)) for k, v in kernels.items()}


@jax.jit
def grams(params, x):
    """[C, C] of each layer of STYLE, of [H, W, 3]."""
    return _grams(vgg_hed.apply(params, (x[None] + 1) * 127.5))


def _grams(maps):
    found = []
    for name in STYLE:
        flat = maps[name].reshape(-1, maps[name].shape[-1])
        found.append(flat.T @ flat / len(flat))
    return found


@jax.jit
def content_maps(params, x):
    """[1, h, w, C] of the layer CONTENT, of [H, W, 3]."""
    return vgg_hed.apply(params, (x[None] + 1) * 127.5)[CONTENT]


def loss(params, x, kept, wanted, strength):
    """L of [H, W, 3], for content_maps `kept` and grams `wanted`."""
    maps = vgg_hed.apply(params, (x[None] + 1) * 127.5)
    content = jnp.square(maps[CONTENT] - kept).sum() / jnp.square(kept).sum()
    each = [
        jnp.square(g - a).sum() / jnp.square(a).sum()
        for g, a in zip(_grams(maps), wanted, strict=True)
    ]
    return content + BALANCE * strength * sum(each) / len(each)


_slope = jax.jit(jax.value_and_grad(loss, 1))


def transfer(task: Task, params: dict) -> np.ndarray:
    """The content with the styles' correlations; `steps` of L-BFGS at each level.

    params: of `network`. Sides of SIDE pixels at least.
    """
    content = task.content
    levels = shapes(*content.shape[:2], COARSEST, FACTOR)
    ticks = iter(task.ticks(range(len(levels) * task.steps), 'correlations'))
    x = guide = content
    for level in levels:
        finer = resize(content, *level)
        x = finer if level == levels[0] else carried(x, guide, finer)
        guide, scale = finer, max(level) / max(content.shape[:2])
        of_styles = [grams(params, scaled(s, scale, SIDE)) for s in task.styles]
        wanted = [
            sum(w * a for w, a in zip(task.weights, each, strict=True))
            for each in zip(*of_styles, strict=True)
        ]
        aims = content_maps(params, guide), wanted, task.strength
        x, stopped = _descend(params, x, aims, task.steps, ticks)
        if stopped:
            break
    return carried(x, guide, content)


def _descend(params, x, aims, steps, ticks):
    """(the picture after so many steps of L-BFGS, whether `ticks` ended before)."""
    shape, stopped = x.shape, False

    def value(flat):
        loss, slope = _slope(params, np.float32(flat).reshape(shape), *aims)
        return float(loss), np.float64(slope).ravel()

    def after(intermediate_result):
        nonlocal stopped
        if next(ticks, None) is None:
            stopped = True
            raise StopIteration

    found = optimize.minimize(
        value,
        np.float64(x).ravel(),
        jac=True,
        method='L-BFGS-B',
        bounds=[(-1, 1)] * x.size,
        callback=after,
        options={'maxiter': steps, 'maxfun': 2 * steps, 'ftol': 0, 'gtol': 0},
    )
    return np.float32(found.x).reshape(shape), stopped
