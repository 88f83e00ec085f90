"""Early stopping, of a run of sequences: when, what is kept, and that it resumes."""

import json

import pytest

from gan_vae import config as config_lib
from gan_vae.art import making
from gan_vae.errors import UserError
from gan_vae.evaluation.run import evaluate_run
from gan_vae.training import loop

TINY = 'configs/lstm_jsb.py:tiny'
STEPS = {'parallel.devices': '1', 'train.steps': '12', 'train.patience': '2'}


def train(folder, **changes):
    changes = {k.replace('__', '.'): v for k, v in changes.items()}
    return loop.train(config_lib.load(TINY, STEPS | changes), folder)


@pytest.mark.slow
def test_it_stops_after_so_many_without_a_better_one(tmp_path, capsys):
    """Without a rate of learning the first evaluation, at step 2, stays the best."""
    summary = train(tmp_path / 'a', optimizer__learning_rate='0.0')
    assert summary['step'] == 6 and summary['best']['step'] == 2
    said = capsys.readouterr().out
    assert '2 evaluations without a better eval/log_prob: stopped before' in said
    again = train(tmp_path / 'a', optimizer__learning_rate='0.0')
    assert again == summary
    assert 'already at step 6' in capsys.readouterr().out
    # with more patience it goes on
    more = train(tmp_path / 'a', optimizer__learning_rate='0.0', train__patience='4')
    assert more['step'] == 10 and more['best'] == summary['best']


@pytest.mark.slow
def test_an_interrupted_run_ends_with_the_same_bits(tmp_path):
    straight = train(tmp_path / 'straight')
    train(tmp_path / 'cut', train__steps='6')
    resumed = train(tmp_path / 'cut')
    assert resumed['state_sha256'] == straight['state_sha256']
    assert resumed['metrics'] == straight['metrics']
    assert resumed['best'] == straight['best']


@pytest.mark.slow
def test_the_best_checkpoint_has_a_name(tmp_path):
    summary = train(tmp_path / 'a', train__keep_latest='1')
    record = [json.loads(line) for line in open(tmp_path / 'a' / 'metrics.jsonl')]
    held = {r['step']: r['eval/log_prob'] for r in record if 'eval/log_prob' in r}
    best = max(held, key=held.get)
    assert summary['best'] == {'value': held[best], 'step': best}
    assert making.load(tmp_path / 'a', 'best')[2]['step'] == best
    found = evaluate_run(tmp_path / 'a', metrics='', step='best')
    assert found['eval/log_prob']['value'] == pytest.approx(held[best], rel=1e-6)
    train(tmp_path / 'b', train__best_metric='', train__patience='0')
    with pytest.raises(UserError, match='ranks no checkpoints'):
        making.load(tmp_path / 'b', 'best')


def test_patience_needs_something_to_wait_for(tmp_path):
    with pytest.raises(UserError, match='config.train.patience=2 waits'):
        train(tmp_path / 'a', train__best_metric='')
    assert not (tmp_path / 'a').exists()
