"""What a run measures: names known beforehand, intervals, one draw for all."""

import json

import jax
import numpy as np
import pytest

from gan_vae import config as config_lib
from gan_vae import data
from gan_vae.evaluation import measures
from gan_vae.evaluation.panel import Panel, Pictures
from gan_vae.runs.program import build
from gan_vae.training import loop

METRICS = 'swd@3:num=20,pr_pixels'


def config_of(**changes):
    changes = {'parallel.devices': '1', 'eval.metrics': METRICS} | changes
    changes |= {'eval.num_samples': '70', 'train.steps': '6', 'eval.every_steps': '4'}
    return config_lib.load('configs/mlp_gan_mnist.py:tiny', changes)


@pytest.mark.slow
def test_each_metric_is_measured_at_its_interval_and_all_at_the_end(tmp_path):
    """swd@3 at 3 and 6, and at 5 where it ranks a checkpoint; others at 4, 5 and 6."""
    changes = {'train.best_metric': 'min:eval/swd', 'train.checkpoint_steps': '5'}
    summary = loop.train(config_of(**changes), tmp_path)
    steps = {}
    for line in map(json.loads, (tmp_path / 'metrics.jsonl').open()):
        for key in line.keys() - {'step'}:
            steps.setdefault(key, []).append(line['step'])
    found = {key: at for key, at in steps.items() if key.startswith('eval/')}
    levels = [key for key in found if key.startswith('eval/swd')]
    assert all(found.pop(key) == [3, 5, 6] for key in levels)
    assert {'eval/precision_pixels', 'eval/recall_pixels'} < found.keys()
    assert len(found) > 2 and all(at == [4, 5, 6] for at in found.values())
    cards = {n: r['card'] for n, r in summary['metrics'].items() if 'card' in r}
    assert cards['eval/swd']['n_fake'] == 20
    assert cards['eval/recall_pixels']['n_fake'] == 70


@pytest.mark.slow
def test_names_are_those_of_the_results_and_a_draw_does_not_depend_on_its_size():
    config = config_of()
    train, held_out = (data.examples(config.data, s) for s in ('train', 'test'))
    program = build(config, train.spec)
    state = jax.jit(program.method.init)(jax.random.key(0))
    both = measures.Measures(config, program, train, held_out)
    results = both.measure(state)
    names = measures.names(config, program, held_out)
    assert set(names) <= set(results) and 'eval/recall_pixels' in names
    only = both.measure(state, both.due(3, False), objective=False)
    assert 'eval/swd' in only and 'eval/recall_pixels' not in only
    assert only['eval/swd'] == results['eval/swd']
    few, _ = both.samples(state, both.due(3, False))
    many, _ = both.samples(state)
    np.testing.assert_array_equal(few, many[:20])
    reference = Pictures('reference', train)
    value = Panel('swd', reference, program.mesh).measure(few, {})['swd'].value
    assert results['eval/swd']['value'] == value
