"""A network that gives any picture the look of one style in one pass.

  min_T  mean_x L(T(x)) + v mean |neighbours of T(x) - T(x)|^2,
  L = content + b s style   (objectives/style.py)

over pictures x, each of which is its own content. Johnson et al. 2016, arXiv:1603.08155
(Gatys et al. 2016 for L, with what differs said there). The moments of the style lie in
the state: what is trained once needs the style's file no more. Samples are what T makes
of noise, which is the texture of the style (Ulyanov et al. 2016, arXiv:1603.03417).
"""

from functools import cache
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from gan_vae import images, models
from gan_vae.data.pictures import given, opaque, within
from gan_vae.devices import layout as layouts
from gan_vae.devices.memory import accumulated, recomputed
from gan_vae.errors import UserError
from gan_vae.extractors import style
from gan_vae.keys import keys_of, purpose_key
from gan_vae.learning import optimizers
from gan_vae.learning.state import TrainState
from gan_vae.methods.contract import Method


def make(config, spec, axis_name=None) -> Method:
    """The Method of config.method, config.model and config.optimizer."""
    method, shape = config.method, spec.shape
    if spec.channels != 3:
        raise UserError('config.method.name=fast_style needs config.data.channels=3')
    if spec.height % 4 or spec.height < style.SIDE:
        raise UserError(
            f'config.data.image_size={spec.height}: a fast_style takes multiples of 4, '
            f'{style.SIDE} at least'
        )
    file, longest, weight = method.style, method.style_size, method.style_weight
    smooth = method.variation_weight
    net = models.make(
        'transform',
        config.model.transform,
        width=config.model.width,
        dtype=jnp.dtype(config.parallel.dtype),
    )
    features = style.network(method.style_features)
    optimizer = optimizers.make(
        config.optimizer, config.train.steps, config.optimizer.learning_rate
    )
    moving_average = optimizers.averaging(method, config.data.batch_size)
    layout = layouts.make(config.parallel.shard_state, axis_name)
    parts = config.parallel.accumulate
    apply = recomputed(config.parallel.remat)(
        lambda params, x: net.apply({'params': params}, x)
    )

    @cache
    def wanted():
        """The moments of the style; a UserError where there is none."""
        with jax.ensure_compile_time_eval():
            found = style.moments(features, read(file, longest))
        return jax.tree.map(np.asarray, found)

    def init(rng) -> TrainState:
        params = net.init(purpose_key(rng, 'transform'), jnp.zeros((1, *shape)))
        params = params['params']
        if Path(file).expanduser().is_file():
            of_style = jax.tree.map(jnp.asarray, wanted())
        else:  # of what was trained: the checkpoint has them, and training says it
            found = jax.eval_shape(lambda x: style.moments(features, x), _ANY)
            of_style = jax.tree.map(lambda a: jnp.zeros(a.shape), found)
        return TrainState(
            step=jnp.zeros((), jnp.int32),
            rng=purpose_key(rng, 'run'),
            params={'transform': params},
            variables={},
            opt_state={'transform': optimizer.init(params)},
            ema={'transform': jax.tree.map(jnp.copy, params)},
            extra={'style': of_style},
        )

    def losses(made, x, of_style):
        """The terms [B], and their weighed sum, of what is made of x, [B, H, W, 3]."""

        def one(y, x):
            return style.terms(features, y, style.content_maps(features, x), of_style)

        content, look = jax.vmap(one)(made, x)
        rough = sum(jnp.mean(jnp.diff(made, axis=a) ** 2, (1, 2, 3)) for a in (1, 2))
        total = content + style.BALANCE * weight * look + smooth * rough
        return {'loss': total, 'content': content, 'style': look, 'variation': rough}

    def train_step(state, batch):
        wanted()  # a run that begins has its style
        of_style = state.extra['style']

        def gradient(params, variables, batch):
            (x,) = batch

            def loss(params):
                terms = losses(apply(params, x), x, of_style)
                said = {name: jnp.mean(term) for name, term in terms.items()}
                return said['loss'], said

            grads, metrics = jax.grad(loss, has_aux=True)(params)
            if axis_name is not None:
                grads = lax.pmean(grads, axis_name)
            return grads, (variables, metrics)

        now = state.params['transform']
        grads, (_, metrics) = accumulated(gradient, parts)(
            now, state.variables, (batch['image'],)
        )
        if axis_name is not None:
            metrics = lax.pmean(metrics, axis_name)
        params, opt_state, norm = layouts.update(
            layout, optimizer, grads, state.opt_state['transform'], now
        )
        ema = moving_average(state.ema['transform'], layout.own(params), state.step)
        state = state.replace(
            step=state.step + 1,
            params={'transform': params},
            opt_state={'transform': opt_state},
            ema={'transform': ema},
        )
        return state, metrics | {'gradient': norm}

    def evaluate_step(state, batch):
        """Sums of the terms and of the loss, averaged weights."""
        x, mask = batch['image'], batch['mask']
        terms = losses(reconstruct(state, x), x, state.extra['style'])
        sums = {name: jnp.sum(term * mask) for name, term in terms.items()}
        sums['count'] = jnp.sum(mask)
        return sums if axis_name is None else lax.psum(sums, axis_name)

    def reconstruct(state, x):
        """x [B, H, W, 3] in the style; H and W multiples of 4."""
        return net.apply({'params': state.ema['transform']}, x)

    def sample(state, rng, n, condition=None):
        """The texture of the style: what is made of uniform noise."""
        if condition is not None:
            raise UserError('this model has no classes: it takes none to sample')
        keys = keys_of(rng, jnp.arange(n))
        noise = jax.vmap(lambda key: jax.random.uniform(key, shape, minval=-1.0))(keys)
        return reconstruct(state, noise)

    return Method(
        objective=f'fast_style: content + {style.BALANCE * weight:g} style + '
        f'{smooth:g} variation, mean over the batch; maps of {method.style_features}, '
        f'moments of {file}; squared distances over the squares of what is wanted, no '
        'unit',
        init=init,
        train_step=train_step,
        evaluate_step=evaluate_step,
        sample=sample,
        reconstruct=reconstruct,
    )


_ANY = jax.ShapeDtypeStruct((64, 64, 3), jnp.float32)


def read(file: str, longest: int) -> np.ndarray:
    """float32 [H, W, 3] in [-1, 1] of a style, its longer side at most `longest`."""
    said = f'config.method.style={file}, the picture whose look is learned'
    picture = within(opaque(given(file, said), (255,) * 3), longest)
    if min(picture.size) < style.SIDE:
        raise UserError(
            f'config.method.style={file}: {picture.width}x{picture.height} is too '
            f'small, it needs {style.SIDE} pixels a side'
        )
    return images.from_uint8(np.asarray(picture))
