"""A class-conditional GAN with everything in flight, along the whole path.

Spectral normalisation of both networks, self-attention, shared class embedding, lazy R1
with Adam's correction, LeCam's averages, EMA by half-life from a later start, standing
statistics: stopped and gone on with, on 1, 2 and 4 devices, sampled by class, measured.
"""

from functools import partial

import jax
import numpy as np
import pytest

from gan_vae import config as config_lib
from gan_vae import data
from gan_vae.art import making, sample
from gan_vae.data.source import Source, Spec
from gan_vae.devices.mesh import put
from gan_vae.errors import UserError
from gan_vae.evaluation import run as evaluation
from gan_vae.methods import sampling
from gan_vae.runs.program import build
from gan_vae.training import loop

# long to compile; one worker, so that `finished` is made once
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group('gan_family')]

OVERRIDES = {
    'model.width': '2',
    'method.critic_steps': '1',
    'method.penalty': 'r1',
    'method.penalty_gamma': '0.1',
    'method.penalty_interval': '3',
    'method.lecam_weight': '0.3',
    'method.lecam_start_step': '2',
    'method.ema_half_life': '50',
    'method.ema_start_step': '2',
    'optimizer.learning_rate': '1e-4',
    'train.steps': '6',
    'train.checkpoint_steps': '2',
    'train.best_metric': '',
    'eval.metrics': 'swd',
    'eval.num_samples': '60',
    'eval.reference': 'train[:300]',
}


def biggan(**overrides):
    given = OVERRIDES | {'parallel.devices': '1'} | overrides
    return config_lib.load('configs/biggan_cifar.py:tiny', given)


@pytest.fixture(scope='module')
def finished(tmp_path_factory):
    """(folder, summary) of six steps without a stop."""
    folder = tmp_path_factory.mktemp('biggan')
    return folder, loop.train(biggan(), folder)


def test_stopped_at_any_step_it_goes_on_to_the_same_state(finished, tmp_path):
    _, straight = finished
    for steps in ('3', '4', '6'):  # between lazy penalties, and at one
        summary = loop.train(biggan(**{'train.steps': steps}), tmp_path)
    assert summary['state_sha256'] == straight['state_sha256']


def test_devices_agree():
    """In float32 sums of other order differ, and Adam magnifies that at each step."""
    found = {}
    for devices in (1, 2):
        config = biggan(**{'parallel.devices': str(devices)})
        examples = data.examples(config.data, 'train')
        program = build(config, Spec(32, 32, 3, examples.class_names))
        source = Source(examples, 8)
        state = jax.jit(program.method.init, out_shardings=program.sharding)(
            jax.random.key(0)
        )
        for step in range(4):
            batch = put(source.batch(step), program.mesh)
            state, metrics = program.train_step(state, batch)
            found[devices, step] = jax.device_get(metrics)
    for step, tolerance in enumerate((1e-5, 1e-3, 1e-2, 1e-2)):
        assert found[1, step]['r1'].acted == (step % 3 == 0)  # every third alone
        for name, value in found[1, step].items():
            if not name.startswith('accuracy'):
                jax.tree.map(
                    partial(
                        np.testing.assert_allclose,
                        rtol=tolerance,
                        atol=tolerance,
                        err_msg=f'{name} at step {step}',
                    ),
                    found[2, step][name],
                    value,
                )


def test_samples_by_class_are_those_of_the_class(finished):
    folder, _ = finished
    method, state, _ = making.load(folder)
    every = sampling.draw(method, state, 0, 12)
    disc = sampling.class_id(('square', 'disc', 'triangle'), 'disc')
    alone = sampling.draw(method, state, 0, 12, np.full(12, disc))
    same = np.flatnonzero((every == alone).all(axis=(1, 2, 3)))
    assert same.tolist() == [1, 4, 7, 10]
    where = sample.sample(folder, 5, name='disc', truncation=0.5)
    assert len(list(where.iterdir())) == 5 and where.name.endswith('disc-truncation0.5')
    with pytest.raises(UserError, match="did you mean 'disc'"):
        sample.sample(folder, name='dics')


def test_measures_within_classes_are_taken_of_runs_with_classes(finished):
    folder, _ = finished
    found = evaluation.evaluate_run(folder, metrics='intra_pr_random', num=300)
    card = found['eval/intra_precision_random']['card']
    assert set(card['by_class']) == {'square', 'disc', 'triangle'}
    assert card['made']['batch_statistics'] == 'standing'
