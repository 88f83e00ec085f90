"""Style as correlations of a network's maps: the picture that has them is searched for.

    L(x) = |F_c(x) - F_c(p)|^2 / |F_c(p)|^2
           + b strength mean_l |G_l(x) - A_l|^2 / |A_l|^2

F_c are maps of the picture x and of the content p, G_l the moments of a layer's maps
over all places, A_l the mean of the styles' by their weights. Gatys et al. 2016,
arXiv:1508.06576; with filters that were never trained, He et al. 2016,
arXiv:1606.04801. What differs: means and covariances, each a term, in place of the Gram
matrix that mixes the two, and which the means rule where filters are random; the pixels
themselves are a layer; terms are relative to their targets, so that one b serves any
network; it starts from the content with the colours of the style; and L-BFGS (SciPy's)
looks for changes of several scales at once, as those of single pixels find patterns
that a network alone can see.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from scipy import optimize

from gan_vae.art.style import Task, carried, colour, resize, scaled, shapes
from gan_vae.errors import unknown
from gan_vae.evaluation.extractors import vgg_hed

FEATURES = ('vgg_hed', 'random')
STYLE = ('pixels', 'conv1_2', 'conv2_2', 'conv3_3', 'conv4_3')
CONTENT = 'conv3_3'
SIDE = 16  # the network's smallest
EPSILON = 1e-4  # of a flat style, nothing is divided by 0
COARSEST, FACTOR = 128, 2.0  # pixels of the longer side, and from level to level
BALANCE = 5.0  # b
SCALES = (1, 2, 4)  # of the changes that are sought


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
def moments(params, x):
    """(mean [C], covariance [C, C]) of each layer of STYLE, of [H, W, 3]."""
    return _moments(_maps(params, x))


def _maps(params, x):
    """Those of the network, and the picture itself as a map of three channels."""
    return vgg_hed.apply(params, (x[None] + 1) * 127.5) | {'pixels': x[None]}


def _moments(maps):
    found = []
    for name in STYLE:
        flat = maps[name].reshape(-1, maps[name].shape[-1])
        mean = flat.mean(0)
        found.append((mean, (flat - mean).T @ (flat - mean) / len(flat)))
    return found


@jax.jit
def content_maps(params, x):
    """[1, h, w, C] of the layer CONTENT, of [H, W, 3]."""
    return _maps(params, x)[CONTENT]


def loss(params, x, kept, wanted, strength):
    """L of [H, W, 3], for content_maps `kept` and grams `wanted`."""
    maps = _maps(params, x)
    content = jnp.square(maps[CONTENT] - kept).sum() / jnp.square(kept).sum()
    each = [
        jnp.square(g - a).sum() / (jnp.square(a).sum() + EPSILON)
        for g, a in zip(*map(jax.tree.leaves, (_moments(maps), wanted)), strict=True)
    ]
    return content + BALANCE * strength * sum(each) / len(each)


@jax.jit
def _slope(params, bands, guide, *aims):
    return jax.value_and_grad(lambda b: loss(params, joined(b, guide), *aims))(bands)


@jax.jit
def joined(bands, guide):
    """The picture [H, W, 3]: `guide` and changes [h, w, 3] of all scales."""
    change = sum(jax.image.resize(b, guide.shape, 'linear') for b in bands)
    return guide + change


def transfer(task: Task, params: dict) -> np.ndarray:
    """The content with the styles' correlations; `steps` of L-BFGS at each level.

    params: of `network`. Sides of SIDE pixels at least.
    """
    content = np.clip(colour.linear(task), -1, 1)
    levels = shapes(*content.shape[:2], COARSEST, FACTOR)
    ticks = iter(task.ticks(range(len(levels) * task.steps), 'correlations'))
    x = guide = content
    for level in levels:
        finer = resize(content, *level)
        x = finer if level == levels[0] else carried(x, guide, finer)
        guide, scale = finer, max(level) / max(content.shape[:2])
        of_styles = [moments(params, scaled(s, scale, SIDE)) for s in task.styles]
        wanted = jax.tree.map(
            lambda *each: sum(w * a for w, a in zip(task.weights, each, strict=True)),
            *of_styles,
        )
        aims = content_maps(params, guide), wanted, task.strength
        x, stopped = _descend(params, x, aims, task.steps, ticks)
        if stopped:
            break
    return carried(x, guide, content)


def _descend(params, x, aims, steps, ticks):
    """(the picture after so many steps of L-BFGS, whether `ticks` ended before)."""
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

    found = optimize.minimize(
        value,
        np.float64(start),
        jac=True,
        method='L-BFGS-B',
        callback=after,
        options={'maxiter': steps, 'maxfun': 2 * steps, 'ftol': 0, 'gtol': 0},
    )
    x = joined(unravel(np.float32(found.x)), x)
    return np.clip(np.asarray(x), -1, 1), stopped
