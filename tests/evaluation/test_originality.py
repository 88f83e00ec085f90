"""Copies are found, and new samples pass as new as often as they should."""

import numpy as np
import pytest
from scipy import stats

from gan_vae.errors import UserError
from gan_vae.evaluation.metrics.originality import originality, sheet


def draws(seed, *sizes, d=4):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(n, d)).astype(np.float32) for n in sizes]


def test_planted_copies_are_found_and_counted():
    train, held, fake = draws(0, 300, 199, 80)
    fake += 20  # far from everything
    planted, copied = [3, 40, 79], [17, 5, 299]
    fake[planted] = train[copied]
    found = originality(train, held, fake)
    assert found['share_below_1st_percentile'] == 3 / 80
    assert sorted(map(tuple, found['pairs'][:3])) == list(
        zip(planted, copied, strict=True)
    )
    assert (found['distances'][:3] == 0).all() and found['distances'][3] > 10
    assert (np.diff(found['distances']) >= 0).all() and len(found['pairs']) == 80
    assert found['median_nearest_fake'] > 10 > 1 > found['median_nearest_real'] > 0
    assert found['p_value'] == pytest.approx(
        stats.betabinom.sf(2, 80, 2, 198), rel=1e-9
    )


def test_a_perfect_generator_has_a_share_of_one_percent():
    results = [originality(*draws(seed, 100, 199, 100, d=2)) for seed in range(300)]
    shares = np.array([r['share_below_1st_percentile'] for r in results])
    expected = stats.betabinom(100, 2, 198)
    assert results[0]['share_expected'] == expected.mean() / 100 == 0.01
    assert abs(shares.mean() - 0.01) < 4 * expected.std() / 100 / np.sqrt(300) < 0.005
    inside = np.mean(
        [r['low'] <= s <= r['high'] for r, s in zip(results, shares, strict=True)]
    )
    assert inside > 0.93
    # A p-value of at most t has a chance of at most t.
    assert np.mean([r['p_value'] <= 0.05 for r in results]) < 0.09


def test_a_generator_that_blurs_its_training_set_is_caught():
    train, held, noise = draws(1, 300, 299, 300)
    found = originality(train, held, train + 0.05 * noise)
    assert found['share_below_1st_percentile'] > found['high']
    assert found['p_value'] < 1e-6


def test_the_order_of_the_sets_changes_nothing():
    train, held, fake = draws(2, 120, 99, 50)
    rng = np.random.default_rng(0)
    t, h, f = (rng.permutation(len(x)) for x in (train, held, fake))
    a, b = originality(train, held, fake), originality(train[t], held[h], fake[f])
    b['pairs'] = np.stack([f[b['pairs'][:, 0]], t[b['pairs'][:, 1]]], 1)
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)


def test_sheet_shows_each_sample_beside_its_neighbour():
    samples, train = (np.full((3, 4, 4, 1), v, np.uint8) for v in (10, 200))
    samples[2], train[1] = 30, 90
    picture = sheet(samples, train, np.array([[2, 1], [0, 0]]), columns=1)
    assert picture.shape == (2 * 6 + 2, 2 * 6 + 2, 1)
    assert picture[[3, 3, 9, 9], [3, 9, 3, 9], 0].tolist() == [30, 90, 10, 200]


@pytest.mark.parametrize(
    'train, held, fake, match',
    [
        (np.ones((3, 2)), np.ones((99, 2)), np.ones((3, 4)), 'one extractor'),
        (np.ones((3, 2)), np.ones((98, 2)), np.ones((3, 2)), '98 held-out images'),
        (np.ones((3, 2)), np.ones((99, 2)), np.ones((3, 2)), 'are copies'),
    ],
)
def test_errors(train, held, fake, match):
    with pytest.raises(UserError, match=match):
        originality(train, held, fake)
