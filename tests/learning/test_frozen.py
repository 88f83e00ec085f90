"""Parameters that do not learn stay as they are, bit for bit; all others move."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_vae.errors import UserError
from gan_vae.learning import descent, optimizers
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
