"""The record and TensorBoard: nothing that is not finite stops a run."""

import json

import numpy as np
import pytest

from gan_vae.training.writer import Writer


@pytest.fixture
def board(config, tmp_path):
    """What TensorBoard reads of a folder: {tag: {step: value}}."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util import tensor_util

    def read():
        events = EventAccumulator(str(tmp_path), size_guidance={'tensors': 0})
        events.Reload()
        return {
            tag: {
                e.step: tensor_util.make_ndarray(e.tensor_proto)
                for e in events.Tensors(tag)
            }
            for tag in events.Tags()['tensors']
        }

    return read


def test_scalars_pictures_and_text_arrive_and_nan_is_null(config, tmp_path, board):
    writer = Writer(tmp_path, config, 0)
    writer.scalars(1, {'train/a': np.float32(2.5), 'train/b': np.array([np.nan])})
    writer.scalars(2, {'train/b': np.inf})
    images = np.full((4, 8, 8, 1), 200, np.uint8)
    writer.samples(2, images, {'seed': 1})
    writer.text('parameters', 'a table')
    writer.close()
    record = [json.loads(line) for line in open(tmp_path / 'metrics.jsonl')]
    assert record == [
        {'step': 1, 'train/a': 2.5, 'train/b': None},
        {'step': 2, 'train/b': None},
    ]
    events = board()
    assert events['train/a'][1] == 2.5 and 'train/b' not in events
    assert {'samples', 'parameters'} <= events.keys()
    assert (tmp_path / 'samples' / '0000002.png').exists()


def test_a_run_that_goes_on_drops_what_came_after_its_step(config, tmp_path):
    lines = [json.dumps({'step': s, 'train/a': s}) + '\n' for s in (1, 2, 3)]
    (tmp_path / 'metrics.jsonl').write_text(''.join(lines) + '{"step": 2, "tr')
    writer = Writer(tmp_path, config, 2)
    writer.scalars(3, {'train/a': 30})
    writer.close()
    record = [json.loads(line) for line in open(tmp_path / 'metrics.jsonl')]
    assert [(r['step'], r['train/a']) for r in record] == [(1, 1), (2, 2), (3, 30)]


def test_lines_say_how_long_the_rest_takes(config, tmp_path, capsys, monkeypatch):
    config.train.steps = 30
    clock = iter((100.0, 160.0))  # the run goes on at step 10; a minute for ten steps
    writer = Writer(tmp_path, config, 10)
    monkeypatch.setattr('gan_vae.training.writer.time.monotonic', lambda: next(clock))
    writer._begun = next(clock)
    writer.scalars(20, {'train/a': 1.0})
    writer.scalars(30, {'eval/a': 1.0})
    writer.close()
    first, last = capsys.readouterr().out.splitlines()
    assert first == 'step 20/30  a 1  left 0:01:00'
    assert last == 'step 30/30  held out  a 1'
