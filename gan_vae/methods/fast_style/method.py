"""A network that gives any picture the look of one style in one pass.

  min_T  mean_x L(T(x)) + v mean |neighbours of T(x) - T(x)|^2,
  L = content + b s style   (objectives/style.py)

over pictures x, each of which is its own content. Johnson et al. 2016, arXiv:1603.08155
(Gatys et al. 2016 for L, with what differs said there). The moments of the style lie in
the state: what is trained once needs the style's file no more. Samples are what T makes
of noise, which is the texture of the style (Ulyanov et al. 2016, arXiv:1603.03417).
"""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np

from gan_vae import files, images, models
from gan_vae.data.pictures import given, opaque, within
from gan_vae.devices.memory import recomputed
from gan_vae.errors import UserError
from gan_vae.extractors import style
from gan_vae.keys import keys_of, purpose_key
from gan_vae.learning import optimizers
from gan_vae.learning.settings import Learning
from gan_vae.methods import contract, minimisation
from gan_vae.methods.contract import Method
from gan_vae.methods.fast_style import Networks, Settings


def make(
    settings: Settings, model: Networks, learning: Learning, spec, axis_name=None
) -> Method:
    """The Method of those settings, for colour images of shape `spec`."""
    if spec.height % 4 or spec.height < style.SIDE:
        raise UserError(
            f'config.data.image_size={spec.height}: a fast_style takes multiples of 4, '
            f'{style.SIDE} at least'
        )
    file, weight = settings.style, settings.style_weight
    smooth = settings.variation_weight
    network = models.make(
        'transform', model.transform, width=model.width, dtype=jnp.dtype(learning.dtype)
    )
    features = style.network(settings.style_features)
    apply = recomputed(learning.remat)(
        lambda params, x: network.apply({'params': params}, x)
    )

    @cache
    def moments():
        """Those of the style; a UserError where there is none."""
        with jax.ensure_compile_time_eval():
            of_style = style.moments(features, read(file, settings.style_size))
        return jax.tree.map(np.asarray, of_style)

    def init(key):
        zeros = jnp.zeros((1, *spec.shape))
        key = purpose_key(key, 'transform')
        return {'transform': network.init(key, zeros)['params']}

    def extra():
        if files.expand(file).is_file():
            return {'style': jax.tree.map(jnp.asarray, moments())}
        # of a trained run: the checkpoint has them, and training asks for the file
        picture = jax.ShapeDtypeStruct((64, 64, 3), jnp.float32)
        shapes = jax.eval_shape(lambda x: style.moments(features, x), picture)
        return {'style': jax.tree.map(lambda a: jnp.zeros(a.shape), shapes)}

    def losses(output, x, of_style):
        """The terms [B] and their weighed sum, of outputs for x, both [B, H, W, 3]."""

        def one(y, x):
            return style.terms(features, y, style.content_maps(features, x), of_style)

        content, look = jax.vmap(one)(output, x)
        rough = sum(jnp.mean(jnp.diff(output, axis=a) ** 2, (1, 2, 3)) for a in (1, 2))
        total = content + style.BALANCE * weight * look + smooth * rough
        return {'loss': total, 'content': content, 'style': look, 'variation': rough}

    def loss(state, params, rows):
        moments()  # a run that begins has its style
        output = apply(params['transform'], rows.examples)
        terms = losses(output, rows.examples, state.extra['style'])
        means = {name: jnp.mean(term) for name, term in terms.items()}
        return means['loss'], means

    def values(state, rows):
        output = translation(state.weights(), rows.examples)
        return losses(output, rows.examples, state.extra['style'])

    def translation(weights, x):
        """x [B, H, W, 3] in the style; H and W multiples of 4."""
        return network.apply({'params': weights.averaged['transform']}, x)

    def generate(weights, key, n, condition=None, temperature=None):
        """The texture of the style: what is made of uniform noise."""
        contract.refuse_condition(condition)
        if temperature is not None:
            raise UserError('a fast_style has no temperature: its noise is uniform')
        keys = keys_of(key, jnp.arange(n))
        noise = jax.vmap(lambda k: jax.random.uniform(k, spec.shape, minval=-1.0))(keys)
        return translation(weights, noise)

    return minimisation.method(
        settings,
        learning,
        axis_name,
        params=init,
        loss=loss,
        values=values,
        learners={'transform': optimizers.make(learning)},
        extra=extra,
        objective=f'fast_style: content + {style.BALANCE * weight:g} style + '
        f'{smooth:g} variation, mean over the batch; maps of '
        f'{settings.style_features}, moments of {file}; squared distances over the '
        'squares of what is wanted, no unit',
        generate=generate,
        translation=translation,
        translates='any size',
    )


def read(file: str, longest: int) -> np.ndarray:
    """float32 [H, W, 3] in [-1, 1] of a style, its longer side at most `longest`."""
    what = f'config.method.style={file}, the picture whose look is learned'
    picture = within(opaque(given(file, what), (255,) * 3), longest)
    if min(picture.size) < style.SIDE:
        raise UserError(
            f'config.method.style={file}: {picture.width}x{picture.height} is too '
            f'small, it needs {style.SIDE} pixels a side'
        )
    return images.from_uint8(np.asarray(picture))
