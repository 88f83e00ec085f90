"""Children are as likely as their parents, and have what the masks say."""

import numpy as np
import pytest

from gan_vae.art import breeding

RNG = np.random.default_rng(0)


@pytest.mark.parametrize('how', breeding.WAYS)
def test_children_of_the_prior_are_of_the_prior(how):
    size, numbers = 400, []
    for seed in range(60):
        parents = np.random.default_rng([seed, 1]).standard_normal((3, size))
        numbers.append(breeding.children(parents, 4, how, 0.3, seed, (100, 300)))
    numbers = np.concatenate(numbers)
    assert abs(numbers.mean()) < 0.01
    np.testing.assert_allclose(numbers.std(), 1, atol=0.01)
    # no child is duller than another
    np.testing.assert_allclose(numbers.std(1), 1, atol=0.15)


def test_a_blend_is_as_long_as_its_parents_and_of_one_parent_is_it():
    parents = RNG.standard_normal((3, 50)) * np.array([[1], [2], [3]])
    shares = RNG.dirichlet(np.ones(3), 7)
    made = breeding.blend(parents, shares)
    lengths = np.linalg.norm(parents, axis=1)
    np.testing.assert_allclose(np.linalg.norm(made, axis=1), shares @ lengths)
    np.testing.assert_allclose(breeding.blend(parents, np.eye(3)), parents)
    twins = breeding.blend(parents[[1, 1, 1]], shares)
    np.testing.assert_allclose(twins, parents[[1] * 7])
    opposite = breeding.blend(np.stack([parents[0], -parents[0]]), np.full((1, 2), 0.5))
    assert np.abs(opposite).max() < 1e-9


def test_crossed_numbers_are_of_the_parent_that_was_chosen():
    parents = np.arange(3)[:, None] * 100 + np.arange(20)
    uniform, cut = (f(RNG, 500, 20, 3) for f in breeding.CROSSED.values())
    made = breeding.cross(parents, uniform)
    np.testing.assert_array_equal(made % 100, np.tile(np.arange(20), (500, 1)))
    np.testing.assert_array_equal(made // 100, uniform)
    assert np.abs((uniform == 1).mean(0) - 1 / 3).max() < 0.08
    # one cut, and always two parents
    assert ((cut[:, 1:] != cut[:, :-1]).sum(1) == 1).all()
    assert set(zip(cut[:, 0], cut[:, -1], strict=True)) == {
        (a, b) for a in range(3) for b in range(3) if a != b
    }


def test_a_group_is_of_one_parent():
    parents = np.arange(3.0)[:, None] + np.zeros(20)
    made = breeding.children(parents, 300, 'groups', 0.0, 0, (2, 5, 13))
    for part in np.split(made, (2, 7), axis=1):
        assert (part == part[:, :1]).all()
        assert np.abs([(part[:, 0] == p).mean() - 1 / 3 for p in range(3)]).max() < 0.1
    assert (made[:, 0] != made[:, 2]).any() and (made[:, 2] != made[:, 7]).any()


def test_mutation_goes_from_nothing_to_all_new():
    z = RNG.standard_normal((2, 10_000))
    rng = np.random.default_rng(1)
    np.testing.assert_array_equal(breeding.mutate(z, 0.0, rng), z)
    for strength in (0.2, 0.8, 1.0):
        made = breeding.mutate(z, strength, rng)
        wanted = np.sqrt(1 - strength**2)
        assert abs(np.corrcoef(z[0], made[0])[0, 1] - wanted) < 0.03
        assert abs(made.std() - 1) < 0.02
