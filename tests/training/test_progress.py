"""What is due at a step, and what is logged: means over the updates of a window."""

import json
import time
from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np
import pytest

from gan_vae import config as config_lib
from gan_vae.errors import RunError
from gan_vae.learning.state import Occasional
from gan_vae.runs.program import build
from gan_vae.training import loop
from gan_vae.training.progress import Schedule, Window, acting

SCHEDULE = Schedule(20, 1, 5, 3, 10, 0, None)


def test_what_was_trained_is_safe_before_it_is_measured_unless_that_ranks_it():
    assert SCHEDULE.due(4) == [] and SCHEDULE.due(4, measured=True) == ['evaluation']
    assert SCHEDULE.due(9) == ['evaluation'] and SCHEDULE.due(5) == ['pictures']
    assert SCHEDULE.due(10) == ['pictures', 'checkpoint']
    assert SCHEDULE.due(20) == ['pictures', 'checkpoint', 'evaluation']
    ranked = SCHEDULE._replace(best=('max', 'eval/x'), eval_steps=0)
    assert ranked.due(10) == ['pictures', 'evaluation', 'checkpoint']


def test_a_window_has_the_mean_of_each_term_over_the_updates_where_it_acted():
    window = Window(0, 8)
    for step in range(1, 5):
        acted = np.float32(step % 2)
        # as a device gives it where the term is not computed: anything
        term = Occasional(np.float32(step if acted else np.nan), acted)
        window.add(acting({'loss': np.float32(step), 'term': term}))
    means, _ = window.close(4)
    assert means == {'loss': 2.5, 'term': 2.0}
    window.add(acting({'loss': np.float32(7), 'term': Occasional(np.nan, 0.0)}))
    assert window.close(5)[0] == {'loss': 7.0}


def test_sums_do_not_lose_small_differences():
    window, values = Window(0, 1), np.float32([1e8, 1.0, 1.0, 1.0])
    for value in values:
        window.add(acting({'loss': value}))
    assert window.close(4)[0]['loss'] == values.astype(np.float64).mean()


TINY = {
    'data.image_size': '16',
    'parallel.devices': '1',
    'train.steps': '12',
    'train.checkpoint_steps': '4',
    'eval.metrics': '',
}


def train(folder, **changes):
    changes = {k.replace('__', '.'): str(v) for k, v in changes.items()}
    config = config_lib.load('configs/dcgan_emoji.py:tiny', TINY | changes)
    loop.train(config, folder)
    record = [json.loads(line) for line in open(folder / 'metrics.jsonl')]
    return {r['step']: r for r in record if 'train/loss_g' in r}


@pytest.fixture
def with_term(monkeypatch):
    """with_term(value): train steps report `lazy`, which acts at every third step."""

    def patch(value):
        def changed(config, spec):
            program = build(config, spec)

            def train_step(state, batch):
                state, metrics = program.train_step(state, batch)
                acted = (state.step % 3 == 0).astype(jnp.float32)
                return state, metrics | {'lazy': Occasional(value(state.step), acted)}

            return program._replace(train_step=train_step)

        monkeypatch.setattr(loop, 'build', changed)

    return patch


@pytest.mark.slow
def test_records_are_means_over_their_windows(tmp_path, with_term):
    with_term(lambda step: jnp.where(step % 3 == 0, 10.0 * step, jnp.nan))
    each = train(tmp_path / 'each', train__log_steps=1)
    assert [s for s, r in each.items() if 'train/lazy' in r] == [3, 6, 9, 12]
    means = train(tmp_path / 'means', train__log_steps=4)
    assert list(means) == [4, 8, 12]
    for step, record in means.items():
        window = [each[s] for s in range(step - 3, step + 1)]
        assert record['train/lazy'] == np.mean(
            [r['train/lazy'] for r in window if 'train/lazy' in r]
        )
        assert record['train/loss_g'] == np.mean([r['train/loss_g'] for r in window])


@pytest.mark.slow
def test_after_a_resume_a_window_begins_anew(tmp_path, with_term):
    with_term(lambda step: 1.0 * step)
    each = train(tmp_path / 'each', train__log_steps=1)
    train(tmp_path / 'cut', train__log_steps=5, train__steps=8)
    resumed = train(tmp_path / 'cut', train__log_steps=5)
    assert list(resumed) == [5, 10]
    rest = [each[step]['train/loss_g'] for step in (9, 10)]
    assert resumed[10]['train/loss_g'] == np.mean(rest)


@pytest.mark.slow
def test_a_term_that_is_not_finite_where_it_acts_ends_the_run(tmp_path, with_term):
    with_term(lambda step: jnp.where(step < 6, 1.0 * step, jnp.inf))
    with pytest.raises(RunError, match='step 6: lazy is inf; checkpoint 4 is the last'):
        train(tmp_path / 'run', train__log_steps=5)


def test_compiling_is_time_of_training(monkeypatch):
    monkeypatch.setattr(loop, 'start', lambda *_: time.sleep(0.2))
    monkeypatch.setattr(loop, 'put', lambda batch, mesh: batch)
    setup = SimpleNamespace(
        source=SimpleNamespace(batch=lambda step: {}),
        program=SimpleNamespace(mesh=None),
        config=SimpleNamespace(train=SimpleNamespace(seed=0, init_from='')),
    )
    assert loop.initial(setup)[0].seconds >= 0.2


def test_a_line_comes_while_one_waits_and_not_otherwise(capsys):
    with loop.patience(0.05):
        time.sleep(0.3)
    assert capsys.readouterr().out.count('compiling the first step') == 1
    with loop.patience(5.0):
        pass
    time.sleep(0.1)
    assert capsys.readouterr().out == ''
