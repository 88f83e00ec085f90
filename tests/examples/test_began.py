"""BEGAN, a method outside the package: one module and one config, and all that a method
has: training, its state in checkpoints, resume, samples, scores."""

import json

import numpy as np
import pytest

from examples import began
from gan_vae import config as config_lib
from gan_vae.data.source import Spec
from gan_vae.errors import UserError
from gan_vae.evaluation.run import evaluate_run
from gan_vae.methods import sampling
from gan_vae.runs import opened
from gan_vae.training import loop

CONFIG = 'examples/began_emoji.py:tiny'
SMALL = {
    'data.image_size': '8',
    'parallel.devices': '1',
    'method.lambda_k': '4.0',  # k reaches 1 within four steps
    'eval.metrics': '',
}


def records(workdir):
    return [json.loads(line) for line in open(workdir / 'metrics.jsonl')]


@pytest.fixture(scope='module')
def finished(tmp_path_factory):
    workdir = tmp_path_factory.mktemp('began')
    return workdir, loop.train(config_lib.load(CONFIG, SMALL), workdir)


def test_k_follows_the_balance(finished):
    """k <- clip(k + lambda (gamma L(x) - L(G(z))), 0, 1), from the losses logged."""
    workdir, _ = finished
    train = {r['step']: r for r in records(workdir) if 'train/k' in r}
    assert train[1]['train/k'] == 0
    for step in (1, 2, 3):
        real, fake = -train[step]['train/real'], train[step]['train/loss_g']
        k = np.clip(train[step]['train/k'] + 4 * (0.5 * real - fake), 0, 1)
        np.testing.assert_allclose(train[step + 1]['train/k'], k, atol=1e-5)
        term = -train[step]['train/k'] * -train[step]['train/fake']
        np.testing.assert_allclose(train[step]['train/balance'], term, atol=1e-6)
    assert 0 < train[2]['train/k'] < 1 == train[4]['train/k']


def test_convergence_is_of_means_and_not_a_mean(finished):
    """M of the whole split, however it is cut into batches."""
    sums = {'real': -30.0, 'fake': -4.0, 'count': 10.0}
    found = began.convergence(sums, 0.5)
    assert found == pytest.approx({'real': 3.0, 'generated': 0.4, 'convergence': 4.1})
    workdir, _ = finished
    last = [r for r in records(workdir) if 'eval/convergence' in r][-1]
    m = last['eval/real'] + abs(0.5 * last['eval/real'] - last['eval/generated'])
    np.testing.assert_allclose(last['eval/convergence'], m, rtol=1e-6)


def test_stopped_half_way_it_goes_on_to_the_same_state(finished, tmp_path):
    _, straight = finished
    for steps in ('2', '4'):
        overrides = SMALL | {'train.steps': steps}
        summary = loop.train(config_lib.load(CONFIG, overrides), tmp_path)
    assert summary['state_sha256'] == straight['state_sha256']


@pytest.mark.parametrize('size', [4, 12])
def test_sizes_that_no_halving_reaches_are_refused(size):
    with pytest.raises(UserError, match=f'image_size={size}: BEGAN takes 8, 16'):
        began.make(None, None, None, Spec(size, size, 3))


@pytest.mark.slow
def test_it_is_sampled_and_scored(finished):
    workdir, _ = finished
    found = opened.load(workdir)
    assert sampling.draw(found.method, found.weights, 0, 3).shape == (3, 8, 8, 3)
    results = evaluate_run(workdir, metrics='swd', num=50)
    assert np.isfinite(results['eval/swd']['value'])
