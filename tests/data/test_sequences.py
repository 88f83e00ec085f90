"""Sets of sequences: each once an epoch, by length, padded alike on all hosts."""

import numpy as np
import pytest

from gan_vae.data.readers import toy_rolls, toy_strokes
from gan_vae.data.sequences import BUCKET, Sequences
from gan_vae.data.source import Source, padded_batches
from gan_vae.errors import UserError


def rolls(lengths):
    rng = np.random.default_rng(0)
    return Sequences(
        'rolls', tuple(rng.integers(0, 2, (n, 5), np.uint8) for n in lengths)
    )


@pytest.fixture
def many():
    return rolls(np.random.default_rng(1).integers(25, 160, 229))


def test_each_sequence_comes_once_an_epoch(many):
    source = Source(many, 16, seed=3)
    seen = np.concatenate([source.indices(step) for step in range(3 * 229)])
    for epoch in range(40):
        part = seen[epoch * 229 : (epoch + 1) * 229]
        assert sorted(part) == list(range(229))
    assert (seen[:229] != seen[229:458]).any()


def test_batches_hold_what_they_name_and_little_else(many):
    source, waste = Source(many, 16, seed=3), []
    for step in range(60):
        batch = source.batch(step)
        steps = batch['sequence'].shape[1]
        assert steps % BUCKET == 0 and steps - batch['length'].max() < BUCKET
        for row, length, sequence in zip(
            batch['index'], batch['length'], batch['sequence'], strict=True
        ):
            np.testing.assert_array_equal(sequence[:length], many.values[row])
            assert not sequence[length:].any()
        waste.append(1 - batch['length'].sum() / (16 * steps))
    # in a random order it is 0.43
    assert np.mean(waste) < 0.25


def test_hosts_pad_their_rows_as_the_whole_batch(many):
    whole = Source(many, 16, 0).batch(5)
    parts = [Source(many, 16, 0, host, 4).batch(5) for host in range(4)]
    for name, value in whole.items():
        np.testing.assert_array_equal(np.concatenate([p[name] for p in parts]), value)


def test_pieces_hold_all_steps_but_single_ones():
    cut = rolls([10, 4, 9, 1]).cut(4)
    assert cut.lengths.tolist() == [4, 4, 2, 4, 4, 4]  # 9 = 4 + 4 + 1
    whole = rolls([10, 4, 9, 1])
    np.testing.assert_array_equal(np.concatenate(cut.values[:3]), whole.values[0])
    assert whole.cut(0) is whole
    with pytest.raises(UserError, match='segment_steps=1'):
        whole.cut(1)


def test_padded_batches_hold_each_once(many):
    found = [b['index'][b['mask'] > 0] for b in padded_batches(many, 50)]
    assert np.concatenate(found).tolist() == list(range(229))


def test_the_fingerprint_knows_where_sequences_end():
    one = rolls([3, 5])
    joined = np.concatenate(one.values)
    other = one._replace(values=(joined[:4], joined[4:]))
    assert one.fingerprint() != other.fingerprint() == other.fingerprint()


def test_the_constants_are_of_all_steps():
    found = toy_strokes.load('', 'train').spec
    steps = np.concatenate(toy_strokes.load('', 'train').values)
    scale = np.sqrt(np.square(steps[:, :2].astype(float)).mean())
    np.testing.assert_allclose(found.scale, (scale, scale, 1), rtol=1e-6)
    assert found.mean == (0, 0, 0)
    mean = toy_rolls.load('', 'train').spec.mean
    assert len(mean) == 88 and 0 < max(mean) < 1
