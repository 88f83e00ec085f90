"""How far a picture is from the look of one and the shapes of another.

    L(x) = |F_c(x) - F_c(p)|^2 / |F_c(p)|^2 + b s mean_l |G_l(x) - A_l|^2 / |A_l|^2

F_c are maps of the picture x and of the content p by a network, G_l the moments of a
layer's maps over all places, A_l those of the style, s its strength. Gatys et al. 2016,
arXiv:1508.06576; with filters that were never trained, He et al. 2016,
arXiv:1606.04801. What differs: means and covariances, each a term, in place of the Gram
matrix that mixes the two, and which the means rule where filters are random; the pixels
themselves are a layer; terms are relative to their targets, so that one b serves any
network.
"""

import jax
import jax.numpy as jnp

from gan_vae import extractors
from gan_vae.extractors import vgg_hed

STYLE = ('pixels', 'conv1_2', 'conv2_2', 'conv3_3', 'conv4_3')
CONTENT = 'conv3_3'
SIDE = 16  # pixels, the network's smallest
EPSILON = 1e-4  # of a flat style, nothing is divided by 0
BALANCE = 5.0  # b


def network(name: str) -> dict:
    """Kernels and biases of VGG's convolutions: `vgg_hed`, trained, or `random`.

    A UserError for another name, or where the weights of vgg_hed are not there.
    """
    extractors.check(name, 'features', 'style')
    return extractors.module(name).style_network()


@jax.jit
def moments(params, x):
    """(mean [C], covariance [C, C]) of each layer of STYLE, of [H, W, 3]."""
    return _moments(_maps(params, x))


def _maps(params, x):
    """Those of the network, and the picture itself as a map of three channels."""
    return vgg_hed.apply(params, (x[None] + 1) * 127.5) | {'pixels': x[None]}


def _moments(maps):
    statistics = []
    for name in STYLE:
        flat = maps[name].reshape(-1, maps[name].shape[-1])
        mean = flat.mean(0)
        statistics.append((mean, (flat - mean).T @ (flat - mean) / len(flat)))
    return statistics


@jax.jit
def content_maps(params, x):
    """[1, h, w, C] of the layer CONTENT, of [H, W, 3]."""
    return _maps(params, x)[CONTENT]


def loss(params, x, target, goals, strength):
    """L of [H, W, 3], for content_maps `target` and moments `goals`."""
    content, style = terms(params, x, target, goals)
    return content + BALANCE * strength * style


def terms(params, x, target, goals):
    """Both terms of L, each without its weight."""
    maps = _maps(params, x)
    content = jnp.square(maps[CONTENT] - target).sum() / jnp.square(target).sum()
    each = [
        jnp.square(g - a).sum() / (jnp.square(a).sum() + EPSILON)
        for g, a in zip(*map(jax.tree.leaves, (_moments(maps), goals)), strict=True)
    ]
    return content, sum(each) / len(each)
