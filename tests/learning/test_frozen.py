"""Parameters that do not learn stay as they are, bit for bit; all others move."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from gan_vae import methods
from gan_vae.config import Reads, default
from gan_vae.data.source import Spec
from gan_vae.errors import UserError
from gan_vae.learning import descent, optimizers, privacy
from gan_vae.learning.settings import Averaging, Learning, Settings
from gan_vae.learning.state import by_name

PARAMS = {
    'decoder': {'Dense_0': {'bias': jnp.ones(2), 'kernel': jnp.ones((3, 2))}},
    'encoder': {'Dense_0': {'kernel': jnp.ones((2, 3))}, 'Dense_01': jnp.ones(5)},
}


def made(names, alone=True):
    """A Descent of two learners, or of one that has all."""
    settings = Settings(weight_decay=0.1, clip_norm=1.0, skip_ratio=9.0, frozen=names)
    learning = Learning(settings)
    optimizer = optimizers.make(learning)
    learners = {name: optimizer for name in (PARAMS if alone else ['all'])}
    return descent.make(learners, Averaging(), learning, None)


@pytest.mark.parametrize('alone', [True, False])
def test_what_is_named_stays_and_all_else_moves(alone):
    """With weight decay, which moves what has no gradient; and the norm of gradients,
    by which they are clipped, is that of what learns."""
    own = made('encoder/Dense_0, decoder/Dense_0/bias', alone)
    state = own.init(jax.random.key(0), PARAMS, {})
    grads = jax.tree.map(lambda x: 2 * x, PARAMS)
    squares = {'encoder': 5 * 4, 'decoder': 6 * 4}
    for name in own.learners:
        state, metrics = own.update(state, name, own.part(name, grads))
        square = squares.get(name, sum(squares.values()))
        np.testing.assert_allclose(metrics['gradient'], square**0.5, rtol=1e-6)
    after = {name: np.asarray(leaf) for name, leaf in by_name(state.params).items()}
    for name in ('encoder/Dense_0/kernel', 'decoder/Dense_0/bias'):
        np.testing.assert_array_equal(after.pop(name), 1)
    assert after.keys() == {'encoder/Dense_01', 'decoder/Dense_0/kernel'}
    assert all((leaf < 1).all() for leaf in after.values())


@pytest.mark.parametrize(
    'names, match',
    [
        ('encoder/Dense_9', r"have that name \(did you mean 'encoder/Dense_"),
        ('encoder/Dense_', 'have that name'),  # a part of a name is none
        ('encoder,decoder', 'nothing is left to learn'),
    ],
)
def test_a_name_of_nothing_is_one_line(names, match):
    with pytest.raises(UserError, match=f'config.optimizer.frozen=.*{match}'):
        made(names).init(jax.random.key(0), PARAMS, {})


class Rows(NamedTuple):
    x: jax.Array
    weight: jax.Array


def private(names, learners):
    """A private Descent by plain gradients, clipped to 0.5; parameters 'a' and 'b'."""
    sgd = optax.with_extra_args_support(optax.sgd(1.0))
    learning = Learning(
        Settings(frozen=names),
        batch_size=4,
        privacy=privacy.Settings(noise_multiplier=1.0, clip_norm=0.5),
    )
    return descent.make(
        dict.fromkeys(learners, sgd), Averaging(), learning, None, learners
    )


def test_privately_what_is_frozen_is_not_clipped_with_the_rest_and_has_no_noise():
    """Its gradient is 100 times that of what learns, which would leave it 0.005."""
    params = {'a': jnp.ones(4), 'b': jnp.ones(4)}

    def loss(params, variables, rows):
        both = 100 * rows.x @ params['a'] + rows.x @ params['b']
        return jnp.mean(both), (variables, {})

    rows = Rows(jnp.ones((4, 4)), jnp.ones(4))
    own = private('a', ['all'])
    grads, _, _ = own.gradients(own.differentiate(loss), params, {}, rows)
    np.testing.assert_array_equal(grads['a'], 0)
    np.testing.assert_allclose(jnp.linalg.norm(grads['b']), 0.5, rtol=1e-6)
    state = own.init(jax.random.key(0), params, {})
    zeros = jax.tree.map(jnp.zeros_like, params)
    noise, _ = own.learners['all'].update(zeros, state.opt_state['all'], key=state.rng)
    np.testing.assert_array_equal(noise['a'], 0)
    assert (noise['b'] != 0).all()


def test_privately_the_names_are_those_of_a_learner_s_entry_too():
    params = {'a': {'x': jnp.ones(4), 'y': jnp.ones(4)}, 'b': jnp.ones(4)}

    def loss(own, variables, rows):
        return jnp.mean(100 * rows.x @ own['x'] + rows.x @ own['y']), (variables, {})

    own = private('a/x', ['a', 'b'])
    gradient = own.differentiate(loss, 'a')
    rows = Rows(jnp.ones((4, 4)), jnp.ones(4))
    grads, _, _ = own.gradients(gradient, params['a'], {}, rows)
    np.testing.assert_allclose(jnp.linalg.norm(grads['y']), 0.5, rtol=1e-6)
    state = own.init(jax.random.key(0), params, {})
    zeros = jax.tree.map(jnp.zeros_like, params)
    before, optimizer = state.opt_state['a'], own.learners['a']
    noise, _ = optimizer.update(zeros['a'], before, key=state.rng)
    np.testing.assert_array_equal(noise['x'], 0)


def test_two_private_learners_have_noise_of_their_own():
    own, zeros = private('', ['a', 'b']), jnp.zeros(4)
    first, second = (
        sgd.update(zeros, sgd.init(zeros), key=jax.random.key(0))[0]
        for sgd in own.learners.values()
    )
    assert (first != second).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    'method, changes, still',
    [
        (
            'gan',
            {
                'method.clip_weights': 1e-3,
                'method.loss': 'wasserstein',
                'model.generator': 'mlp',
                'model.discriminator': 'mlp',
            },
            'discriminator',
        ),
        ('vq_vae', {'method.quantiser': 'ema_vq'}, 'tokeniser/quantiser'),
    ],
)
def test_what_moves_parameters_otherwise_leaves_them(config_of, method, changes, still):
    """Clipped weights of D, and a codebook that is a moving average."""
    moved = {}
    for names in ('', still):
        config = config_of(method)
        default.update(
            config, changes | {'data.image_size': 16, 'optimizer.frozen': names}
        )
        reads = Reads(config.copy_and_resolve_references())
        own = methods.make(reads, Spec(16, 16, 3, ('a', 'b'), 100))
        state = jax.jit(own.init)(jax.random.key(0))
        images = np.random.default_rng(0).uniform(-1, 1, (8, 16, 16, 3))
        batch = {'image': jnp.float32(images), 'index': jnp.arange(8)}
        after, _ = jax.jit(own.train_step)(state, batch)
        old, new = (by_name(s.params) for s in (state, after))
        moved[names] = [
            name
            for name in old
            if name.startswith(still) and (old[name] != new[name]).any()
        ]
    assert moved[''] and not moved[still]
