"""Order of data: pure in (seed, step), whole epochs, the same for all host counts."""

import numpy as np
import pytest

from gan_vae.data.source import Examples, Source, padded_batches
from gan_vae.errors import UserError


def examples(n):
    images = np.arange(n, dtype=np.uint8).reshape(n, 1, 1, 1)
    return Examples(
        images, labels=np.arange(n, dtype=np.int32) % 3, class_names=('a',) * 3
    )


def test_every_epoch_shows_each_example_once_across_batch_borders():
    source = Source(examples(50), batch_size=8, seed=1)
    seen = np.concatenate([source.batch(step)['index'] for step in range(25)])
    for epoch in range(4):
        assert sorted(seen[50 * epoch : 50 * (epoch + 1)]) == list(range(50))
    assert not np.array_equal(seen[:50], seen[50:100])


def test_batch_is_pure_in_seed_and_step():
    forward = Source(examples(50), 8, seed=1)
    ordered = [forward.batch(step)['image'] for step in range(20)]
    jumping = Source(examples(50), 8, seed=1)
    for step in (19, 3, 12, 0):
        np.testing.assert_array_equal(jumping.batch(step)['image'], ordered[step])
    other = Source(examples(50), 8, seed=2).batch(3)['image']
    assert not np.array_equal(other, ordered[3])


def test_hosts_share_out_the_same_global_batch():
    whole = Source(examples(50), 8, seed=1)
    hosts = [Source(examples(50), 8, seed=1, host=h, host_count=4) for h in range(4)]
    for step in (0, 6, 11):
        parts = [host.batch(step)['index'] for host in hosts]
        np.testing.assert_array_equal(np.concatenate(parts), whole.batch(step)['index'])
    with pytest.raises(UserError, match='does not divide by 3 hosts'):
        Source(examples(50), 8, host_count=3)


def test_labels_travel_with_images_and_small_sets_wrap():
    batch = Source(examples(5), batch_size=16, seed=0).batch(1)
    np.testing.assert_array_equal(batch['label'], batch['image'][:, 0, 0, 0] % 3)
    assert np.bincount(batch['index'], minlength=5).min() >= 2


def test_padded_batches_count_each_example_once():
    batches = list(padded_batches(examples(10), 4))
    assert [len(b['image']) for b in batches] == [4, 4, 4]
    seen = np.concatenate([b['index'][b['mask'] == 1] for b in batches])
    np.testing.assert_array_equal(seen, np.arange(10))
