"""VQGAN: whom each loss reaches, the ramp, and what a discriminator of patches sees."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_vae import config as config_lib
from gan_vae import methods, models
from gan_vae.config import Reads, default
from gan_vae.data.source import Spec
from gan_vae.errors import UserError
from gan_vae.learning.settings import Learning
from gan_vae.learning.state import step_key
from gan_vae.methods.gan import duel
from gan_vae.methods.vq_vae import method as vq
from gan_vae.methods.vq_vae.method import NAME
from gan_vae.objectives.adversarial import LOSSES

SPEC, ROWS = Spec(16, 16, 3), 4
SETTINGS = {
    'data.image_size': 16,
    'data.batch_size': ROWS,
    'model.discriminator_width': 4,
    'model.code_width': 8,
    'method.levels': '3,3',
    'method.feature_weight': 0.0,
    'method.adversarial_weight': 0.7,
    'method.ramp_steps': 4,
}


def made(**changes):
    config = default.get_config('vqgan')
    default.update(config, SETTINGS | changes)
    method = methods.make(Reads(config), SPEC)
    settings, model = (config_lib.as_settings(config, s) for s in ('method', 'model'))
    tokeniser = vq.tokeniser(settings, model, Learning.of(config), SPEC)
    return method, method.train_step.args[0], tokeniser


@pytest.mark.slow
def test_each_network_has_its_own_loss():
    """The gradients of two losses written out, at a step within the ramp."""
    method, own, tokeniser = made()
    state = method.init(jax.random.key(0)).replace(step=jnp.int32(3))
    x = jax.random.uniform(jax.random.key(1), (ROWS, 16, 16, 3), minval=-1)
    keys = jax.random.split(step_key(state, 'augment'), ROWS)
    keys = {'augment': keys, 'own': keys}

    def judge(params, images):
        return own.judge(params, state.variables['discriminator'], images)[0]

    def tokeniser_loss(p):
        value, _ = tokeniser.loss(p, x)
        again = tokeniser.reconstruct(p, x)[0]
        both = judge(state.params['discriminator'], jnp.concatenate([x, again]))
        return value + 0.75 * 0.7 * LOSSES['hinge'].generator(both[ROWS:])

    def discriminator_loss(p):
        again = tokeniser.reconstruct(state.params[NAME], x)[0]
        both = judge(p, jnp.concatenate([x, again]))
        return LOSSES['hinge'].discriminator(both[:ROWS], both[ROWS:])

    grads, (_, metrics) = jax.jit(partial(duel.gradient, own))(
        state, state.params, state.variables, (x, keys)
    )
    for name, loss in ((NAME, tokeniser_loss), ('discriminator', discriminator_loss)):
        value, expected = jax.jit(jax.value_and_grad(loss))(state.params[name])
        told = metrics['loss' if name == NAME else 'loss_d']
        np.testing.assert_allclose(told, value, rtol=1e-5)
        jax.tree.map(
            lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-3, atol=2e-6),
            grads[name],
            expected,
        )


@pytest.mark.slow
def test_only_the_tokeniser_is_kept_for_pictures():
    method, *_ = made(**{'method.quantiser': 'ema_vq'})
    state = jax.jit(method.init)(jax.random.key(0))
    assert state.ema.keys() == {NAME}
    x = jax.random.uniform(jax.random.key(1), (ROWS, 16, 16, 3), minval=-1)
    batch = {'image': x, 'index': jnp.arange(ROWS)}
    after, metrics = jax.jit(method.train_step)(state, batch)
    assert {'loss', 'loss_d', 'codebook', 'gradient', 'gradient_d'} <= metrics.keys()
    assert 'near' not in metrics
    moved = jax.tree.map(
        lambda a, b: bool(jnp.any(a != b)),
        state.params[NAME]['quantiser'],
        after.params[NAME]['quantiser'],
    )
    assert moved['codebook']


@pytest.mark.parametrize(
    'halvings, channels, width, parameters, patches',
    [(3, 6, 64, 2_768_705, 36), (2, 6, 64, 666_433, 196), (1, 6, 32, 37_025, 900)],
)
def test_a_discriminator_of_patches_is_as_published(
    halvings, channels, width, parameters, patches
):
    """Isola et al.'s with BatchNorm, of 64 pixels, and its patches by its gradient."""
    d = models.make('discriminator', 'patch', width=width, halvings=halvings)
    x = jnp.zeros((1, 64, 64, channels))
    variables = jax.eval_shape(d.init, jax.random.key(0), x)
    sizes = [a.size for a in jax.tree.leaves(variables['params'])]
    assert sum(sizes) == parameters
    assert jax.eval_shape(d.apply, variables, x).shape == (1, patches)


def test_a_patch_has_its_pixels():
    d = models.make('discriminator', 'patch_spectral', width=2, halvings=1)
    x = jax.random.normal(jax.random.key(0), (1, 32, 32, 1))
    variables = d.init(jax.random.key(1), x)
    side = 14
    middle = side // 2 * side + side // 2
    slope = jax.grad(lambda x: d.apply(variables, x)[0, middle])(x)[0, ..., 0]
    rows, columns = np.nonzero(np.asarray(slope))
    assert np.ptp(rows) + 1 == 16 and np.ptp(columns) + 1 == 16
    with pytest.raises(UserError, match='takes images of 16 pixels at least'):
        models.make('discriminator', 'patch', halvings=2).init(
            jax.random.key(0), jnp.zeros((1, 8, 8, 3))
        )
