"""Path length regularisation: a step in w changes an image equally far everywhere.

    l = |J^T y|,   J = d image / d w,   y ~ N(0, I) / sqrt(pixels)
    a <- a + decay (mean l - a),        weight x mean (l - a)^2

|.|: root of the mean over layers of sums over a style, in which the style of each layer
is a variable of its own. a is a part of the graph, and counts this batch already. Of
every other image of a batch. Karras et al. 2019, arXiv:1912.04958, section 3.2.
"""

import math

import jax
import jax.numpy as jnp

from gan_vae.errors import UserError
from gan_vae.keys import normals, purpose_key
from gan_vae.learning.state import Occasional
from gan_vae.methods.gan.terms import Term
from gan_vae.objectives import regularisers


def generator_terms(settings, networks) -> dict[str, Term]:
    """That of config.method.path_length_weight; its state is a."""
    weight, styles = settings.path_length_weight, networks.styles
    if not weight:
        return {}
    interval, decay = settings.path_length_interval, settings.path_length_decay
    if styles is None:
        raise UserError(
            f'config.method.path_length_weight={weight:g} is of styles: take the '
            'generator stylegan2, or leave it at 0'
        )

    def value(g):
        keys = g.keys[::2]
        label = None if g.label is None else g.label[::2]
        variables = {'params': g.params, **g.variables}

        def own(purpose):
            return jax.vmap(lambda key: purpose_key(key, purpose))(keys)

        z = networks.prior.draw(own('z'))
        ws = styles.map(variables, z, label, own('mixing'), g.key)

        def draw(ws):
            return styles.draw(variables, ws, own('noise'))

        _, height, width, _ = g.fake.shape
        y = normals(own('y'), g.fake.shape[1:]) / math.sqrt(height * width)
        lengths = regularisers.path_lengths(draw, ws, y)
        mean = g.mean(jnp.mean(lengths))
        average = g.state + decay * (mean - g.state)
        value = weight * jnp.mean(jnp.square(lengths - average))
        return value, {'path_length': mean}

    def advance(average, metrics, step):
        length = metrics['path_length']
        value, acted = length, 1.0
        if isinstance(length, Occasional):
            value, acted = length.value, length.acted
        return average + decay * acted * (value - average)

    formula = f'{weight:g} path' + (f' every {interval} updates' * (interval > 1))
    return {'path': Term(formula, value, interval, jnp.zeros(()), advance)}
