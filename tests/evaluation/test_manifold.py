"""Manifold metrics: closed forms, direction, ties, and neighbours found exactly."""

import numpy as np
import pytest

from gan_vae.errors import UserError
from gan_vae.evaluation import manifold


def features(n, d=8, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d))


@pytest.mark.parametrize('cells', [50, 1 << 24])
@pytest.mark.parametrize('shift', [0.0, 1e9])
def test_nearest_is_brute_force(monkeypatch, cells, shift):
    monkeypatch.setattr(manifold, '_CELLS', cells)
    x, y = features(20) + shift, features(30, seed=1) + shift
    brute = np.sqrt(((x[:, None] - y) ** 2).sum(-1))
    distances, indices = manifold.nearest(x, y, 4)
    np.testing.assert_array_equal(indices, np.argsort(brute, 1)[:, :4])
    np.testing.assert_allclose(distances, np.sort(brute, 1)[:, :4], rtol=1e-12)


def test_nearest_among_clusters_finer_than_a_product_resolves():
    """Distances of 1e-3 at 1e6 from the mean: a product rounds by 1e-2."""
    x = 1e-3 * features(24) + np.repeat([[-1e6], [1e6], [3e6], [-3e6]], 6, axis=0)
    brute = np.sqrt(((x[:, None] - x) ** 2).sum(-1))
    distances, _ = manifold.nearest(x, x, 3)
    np.testing.assert_array_equal(distances, np.sort(brute, 1)[:, :3])


@pytest.mark.parametrize('cells', [50, 1 << 24])
def test_skip_self_leaves_out_the_row_but_not_its_copy(monkeypatch, cells):
    monkeypatch.setattr(manifold, '_CELLS', cells)
    x = np.concatenate([features(20), features(20)[:1]])
    distances, indices = manifold.nearest(x, x, 2, skip_self=True)
    assert (indices != np.arange(21)[:, None]).all()
    assert indices[0, 0] == 20 and indices[20, 0] == 0
    np.testing.assert_array_equal(distances[[0, 20], 0], 0)
    assert (distances[1:20] > 0).all()


def test_ties_come_in_the_order_of_their_index():
    line = np.arange(9.0)[:, None]
    _, indices = manifold.nearest(line, line, 4, skip_self=True)
    assert indices[4].tolist() == [3, 5, 2, 6]


def test_fakes_that_repeat_a_part_of_the_reals_are_precise_and_recall_little():
    real = features(400)
    found = manifold.precision_recall(real, real[:40])
    assert found['precision'] == 1 and found['recall'] < 0.9
    turned = manifold.precision_recall(real[:40], real)
    assert turned['recall'] == 1 and turned['precision'] == found['recall']


def test_far_sets_have_nothing_in_common():
    real, fake = features(50), features(60) + 100
    assert set(manifold.precision_recall(real, fake).values()) == {0}
    assert manifold.density_coverage(real, fake) == {'density': 0, 'coverage': 0}


def test_balls_are_closed():
    """On a line of integers, k = 1: every radius is 1 and ends on its neighbours.

    Open balls would hold only their centres: a density of 1, not 3 (2 at the ends).
    """
    line = np.arange(10.0)[:, None]
    found = manifold.density_coverage(line, line, k=1)
    assert found == {'density': 2.8, 'coverage': 1}
    beyond = line[-2:] + 1  # the last of them at the radius of the end
    assert manifold.precision_recall(line, beyond, k=1)['precision'] == 1
    assert manifold.density_coverage(line, beyond[1:], k=1)['coverage'] == 0.1


@pytest.mark.parametrize('d', [2, 512])
def test_a_copy_of_the_neighbour_that_sets_a_radius_is_within_it(d):
    """For any rounding: k-th neighbours of the first real, each as the only fake."""
    real = 1e3 + features(60, d)
    _, indices = manifold.nearest(real[:1], real[1:], 5)
    for k, index in enumerate(indices[0], start=1):
        fake = real[1 + index][None]
        others = np.delete(np.arange(60), 1 + index)
        radii = manifold.nearest(real, real, k, skip_self=True)[0][:, -1]
        inside = manifold._inside(fake, real[others], radii[others])
        brute = np.sqrt(np.square(fake - real[others]).sum(1)) <= radii[others]
        assert brute[0] and inside == brute.sum()


@pytest.mark.parametrize('d', [2, 16])
def test_density_and_coverage_of_one_distribution(d):
    """E[density] = 1, E[coverage] = 1 - prod (n - i) / (m + n - i)."""
    n, m, k = 1000, 700, 5
    real, fake = features(n, d), features(m, d, seed=1)
    found = manifold.density_coverage(real, fake, k)
    i = np.arange(1, k + 1)
    assert abs(found['density'] - 1) < 0.04
    assert abs(found['coverage'] - 1 + np.prod((n - i) / (m + n - i))) < 0.02


def test_more_neighbours_than_samples_are_refused():
    with pytest.raises(UserError, match='3 nearest neighbours among 2'):
        manifold.precision_recall(features(3), features(9))
    with pytest.raises(UserError, match='dimensions'):
        manifold.density_coverage(features(9, 3), features(9, 4))
