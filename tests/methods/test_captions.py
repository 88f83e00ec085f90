"""A frozen encoder of captions: all methods of captions take its states."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_vae import config as config_lib
from gan_vae import methods
from gan_vae.data import wordpiece
from gan_vae.data.source import Spec
from gan_vae.data.texts import Text
from gan_vae.extractors import minilm

TEXT = Text('minilm', ('a', 'cat'), 4, ('a cat', 'a hat'))


@pytest.fixture
def encoded(monkeypatch):
    """The shapes of all rows that were encoded."""
    shapes = []

    def states(params, rows):
        shapes.append(rows.shape)
        return jax.nn.one_hot(rows, minilm.STATE) * (rows > 0)[..., None]

    pieces = functools.cache(lambda: {'a': 1, 'cat': 2, 'hat': 3})
    monkeypatch.setattr(wordpiece, 'vocabulary', pieces)
    monkeypatch.setattr(minilm, 'states', states)
    monkeypatch.setattr(minilm, 'load', dict)
    return shapes


@pytest.mark.slow
@pytest.mark.parametrize(
    'name', ['prompt_art.py', 'prompt_art.py:masked', 'df_gan_art.py']
)
def test_a_step_encodes_its_captions_once(name, encoded):
    small = {'data.text': 'minilm', 'data.batch_size': '8', 'data.image_size': '16'}
    config = config_lib.load(f'configs/{name}', small)
    method = methods.make(config, Spec(16, 16, 3, text=TEXT))
    assert method.captions.states == minilm.STATE
    state = jax.eval_shape(method.init, jax.random.key(0))
    # no table of words is learned, but a map of states
    leaves = jax.tree_util.tree_leaves_with_path(state.params)
    takes = [leaf.shape for _, leaf in leaves if leaf.shape[:1] == (minilm.STATE,)]
    assert len(takes) == (2 if 'gan' in name else 1)
    batch = {
        'image': jnp.zeros((8, 16, 16, 3)),
        'text': jnp.ones((8, 2, 4), jnp.int32),
        'index': jnp.arange(8),
        'mask': jnp.ones(8),
    }
    encoded.clear()
    jax.eval_shape(method.train_step, state, batch)
    assert set(encoded) == {(8, 4)}
    # a prior's step is traced for the shapes of its metrics, and then for itself
    assert len(encoded) == (1 if 'gan' in name else 2)
    encoded.clear()
    jax.eval_shape(method.evaluate_step, state, batch)
    assert encoded == [(8, 4)]


def test_captions_of_samples_are_those_kept(encoded):
    config = config_lib.load('configs/prompt_art.py', {'data.text': 'minilm'})
    method = methods.make(config, Spec(32, 32, 3, text=TEXT))
    rows = np.asarray(method.captions.drawn(jax.random.key(0), 16))
    assert {tuple(row) for row in rows} == {(1, 2, 0, 0), (1, 3, 0, 0)}
