"""Deep-fusion GAN: sizes as published, and what words do."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_vae import models
from gan_vae.models.words import WordEncoder

WORDS, LENGTH = 7, 5
ROWS = jnp.array([[1, 2, 3, 0, 0], [2, 1, 3, 0, 0], [0, 0, 0, 0, 0]])


def network(role, **fields):
    return models.make(role, 'df_gan', words=WORDS, length=LENGTH, **fields)


def count(params, left_out=('text',)):
    leaves = {n: p for n, p in params.items() if n not in left_out}
    return sum(leaf.size for leaf in jax.tree.leaves(leaves))


@pytest.mark.parametrize(
    'image_size, width, of_generator, of_discriminator',
    # G of z of 100 and c of 256; D with what joins picture and caption, from the
    # layers of the paper by hand: 2.43 and 1.51 + 0.30 million at 32 pixels,
    # 4.87 and 3.15 + 0.30 at 64
    [(32, 32, 2_431_235, 1_802_563), (64, 32, 4_868_867, 3_440_964)],
)
def test_sizes_are_published(image_size, width, of_generator, of_discriminator):
    key, fields = jax.random.key(0), {'image_size': image_size, 'width': width}
    words = jnp.zeros((1, LENGTH), jnp.int32)

    def of(role, x):
        init = network(role, **fields).init
        return jax.eval_shape(lambda: init(key, x, condition=words))['params']

    assert count(of('generator', jnp.zeros((1, 100)))) == of_generator
    x = jnp.zeros((1, image_size, image_size, 3))
    assert count(of('discriminator', x)) == of_discriminator


def test_a_caption_is_its_words_in_their_order():
    encoder = WordEncoder(WORDS, LENGTH, 32)
    params = encoder.init(jax.random.key(0), ROWS)
    c = encoder.apply(params, ROWS)
    assert c.shape == (3, 32) and jnp.isfinite(c).all()
    assert jnp.abs(c[0] - c[1]).max() > 1e-4  # another order
    # what stands where there is no word counts for nothing
    table = params['params']['words']
    other = params['params'] | {'words': table.at[0].add(1.0)}
    np.testing.assert_array_equal(encoder.apply({'params': other}, ROWS)[:2], c[:2])
    # words as vectors: with the table as their map these are the same
    vectors = jax.nn.one_hot(ROWS, WORDS + 1).at[..., 0].set(0)
    by_vectors = {n: p for n, p in params['params'].items() if n != 'words'}
    by_vectors['Dense_0'] = {'kernel': table}
    by_vectors['Dense_1'] = params['params']['Dense_0']
    c_again = encoder.apply({'params': by_vectors}, vectors)
    np.testing.assert_allclose(c_again[:2], c[:2], atol=1e-6)


@pytest.mark.slow
def test_words_move_nothing_until_they_are_learned():
    """Gains are 1 and biases 0 at the beginning, and a caption is seen by D alone."""
    g = network('generator', image_size=16, width=4)
    z = jnp.tile(jax.random.normal(jax.random.key(1), (1, 8)), (2, 1))
    params = g.init(jax.random.key(0), z, condition=ROWS[:2])
    x = g.apply(params, z, condition=ROWS[:2])
    assert x.shape == (2, 16, 16, 3)
    np.testing.assert_array_equal(x[0], x[1])
    d = network('discriminator', image_size=16, width=4)
    params = d.init(jax.random.key(0), x, condition=ROWS[:2])
    logits = d.apply(params, x, condition=ROWS[:2])
    assert logits.shape == (2,) and logits[0] != logits[1]
