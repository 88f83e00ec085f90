"""Which latents are gone along, in which order; and the command that does it."""

import jax
import numpy as np
import pytest

from gan_vae import methods
from gan_vae.art.tools import traversals
from gan_vae.data.source import Spec
from gan_vae.errors import UserError
from gan_vae.methods import sampling


def test_units_by_their_kl_the_most_first():
    assert traversals.by_kl(np.array([0.1, 3.0, 0.0, 1.0])).tolist() == [1, 3, 0, 2]
    assert traversals.by_kl(np.arange(99.0)).tolist() == [*range(98, 82, -1)]


def test_a_row_changes_one_unit_alone():
    z = traversals.along(np.arange(4.0), [2, 0], np.array([-3.0, 3.0]))
    assert z.tolist() == [
        [[0, 1, -3, 3], [0, 1, 3, 3]],
        [[-3, 1, 2, 3], [3, 1, 2, 3]],
    ]


def test_codes_are_gone_along_with_the_noise_of_each_column_or_row():
    noise = np.random.default_rng(0).normal(size=(10, 9))
    z = traversals.of_codes(noise, categories=3, continuous=2)
    assert z.shape == (3 + 2 * 3, 10, 9)
    for k in range(3):
        np.testing.assert_array_equal(z[k, :, :4], noise[:, :4])
        np.testing.assert_array_equal(z[k, :, 4:], [np.eye(5)[k]] * 10)
    for row in range(6):
        np.testing.assert_array_equal(z[3 + row, :, :7], [noise[row % 3, :7]] * 10)
        moved, still = (7, 8) if row < 3 else (8, 7)
        np.testing.assert_allclose(z[3 + row, :, moved], np.linspace(-1.5, 1.5, 10))
        assert not z[3 + row, :, still].any()


def test_temperature_narrows_the_prior(config_of):
    config = config_of('vae')
    config.model.encoder = config.model.decoder = 'mlp'
    method = methods.make(config, Spec(8, 8, 1))
    state = jax.jit(method.init)(jax.random.key(0)).weights()
    warm, same, cold = (
        sampling.draw(method, state, 0, 6, temperature=t) for t in (None, 1.0, 0.0)
    )
    np.testing.assert_array_equal(warm, same)
    assert (cold == cold[0]).all() and not (warm == warm[0]).all()
    for wrong in ({'temperature': -1}, {'temperature': 1, 'truncation': 1}):
        with pytest.raises(UserError, match='temperature'):
            sampling.draw(method, state, 0, 6, **wrong)


@pytest.mark.parametrize(
    'words, message',
    [
        ('--workdir=x', 'no tool'),
        ('traversal --workdir=x', "tool 'traversal'"),
        ('codec --workdir=x', 'encode or decode'),
        ('codec encode --workdir=x', '--out is missing'),
        ('codec encode y --workdir=x --out=y', 'takes no files'),
        ('codec decode --workdir=x --out=y', 'takes one file'),
        ('codec decode y --out=z', '--workdir is missing'),
        ('codec decode y --workdir=x --out=z --num=3', 'decode takes one file'),
        ('codec encode --workdir=x --out=y --num=0', 'at least 1'),
        ('codec encode --workdir=x --out=y --num=a', 'invalid int'),
        ('traversals --workdir=/nowhere', '/nowhere'),
        ('codec encode --workdir=/nowhere --out=y', '/nowhere'),
    ],
)
def test_mistakes_are_one_line(refused, tmp_path, words, message):
    refused(words.split(), message, tmp_path)
