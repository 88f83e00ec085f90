"""Poisson batches: each example by itself, the same after a stop, on any hosts."""

import numpy as np

from gan_vae.data.poisson import Poisson, capacity
from gan_vae.data.source import Examples


def examples(n):
    return Examples(np.arange(n, dtype=np.uint16).reshape(n, 1, 1, 1))


def test_each_example_is_drawn_at_the_rate_and_by_itself():
    """300 batches of 50 of 1,000: counts of examples and of batches, within five
    standard errors of those of a binomial; no example twice in a batch."""
    source = Poisson(examples(1000), 50, seed=3)
    times, sizes = np.zeros(1000), []
    for step in range(300):
        batch = source.batch(step)
        drawn = batch['index'][batch['weight'] > 0]
        assert len(np.unique(drawn)) == len(drawn)
        np.testing.assert_array_equal(batch['image'].ravel(), batch['index'])
        # the mean of weighted rows is their sum over the expected size
        np.testing.assert_allclose(batch['weight'].mean(), len(drawn) / 50, rtol=1e-6)
        times[drawn] += 1
        sizes.append(len(drawn))
    deviation = np.sqrt(50 * 0.95)
    assert abs(np.mean(sizes) - 50) < 5 * deviation / np.sqrt(300)
    assert 0.8 < np.std(sizes) / deviation < 1.2  # fixed sizes have 0
    expected = np.sqrt(300 * 0.05 * 0.95)
    assert 0.9 < np.std(times) / expected < 1.1  # epochs have 0


def test_a_resumed_run_draws_the_same_and_hosts_share_it_out():
    sources = [Poisson(examples(1000), 50, 2, 4, seed=1) for _ in range(2)]
    for step in range(5):
        sources[0].batch(step)
    whole = sources[0].batch(5)
    for name, value in sources[1].batch(5).items():
        np.testing.assert_array_equal(value, whole[name])
    hosts = [Poisson(examples(1000), 50, 2, 4, 1, host, 4) for host in range(4)]
    parts = [host.batch(5)['index'] for host in hosts]
    np.testing.assert_array_equal(np.concatenate(parts), whole['index'])
    assert not np.array_equal(sources[0].batch(6)['index'], whole['index'])


def test_the_batches_of_a_step_are_apart():
    """Row r is one of batch r mod 2, as a GAN's turns take them."""
    source = Poisson(examples(1000), 50, 2, seed=1)
    batch, drawn = source.batch(0), source.drawn(0)
    for turn in range(2):
        index, weight = (batch[name][turn::2] for name in ('index', 'weight'))
        np.testing.assert_array_equal(index[weight > 0], np.flatnonzero(drawn[turn]))


def test_a_batch_holds_all_but_the_rarest_draws():
    """The normal tail of 1e-16 is 8.2 deviations; never more than there are."""
    most = capacity(60_000, 256, 8)
    assert most % 8 == 0 and 7.5 < (most - 256) / np.sqrt(256) < 9.5
    assert capacity(10, 9, 1) == 10
