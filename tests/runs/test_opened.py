"""Runs, opened again; and runs whose initial weights are those of another."""

import json
import shutil
from functools import partial

import jax
import numpy as np
import pytest

from gan_vae import config as config_lib
from gan_vae import methods
from gan_vae.data.source import Spec
from gan_vae.errors import UserError
from gan_vae.learning.state import by_name
from gan_vae.methods import sampling
from gan_vae.runs import opened, packed
from gan_vae.training import loop

CONFIG = 'configs/vae_emoji.py:tiny'
TINY = {
    'data.image_size': '8',
    'method.name': 'vae',
    'model.encoder': 'linear',
    'model.width': '64',  # which these networks lack
    'model.decoder': 'linear',
    'model.latent_dim': '3',
    'eval.metrics': '',
    'train.steps': '2',
    'train.checkpoint_steps': '1',
    'parallel.devices': '1',
}


def train(folder, changes):
    return loop.train(config_lib.load(CONFIG, TINY | changes), folder)


@pytest.mark.slow
def test_weights_are_those_of_the_other_run(tmp_path, capsys):
    """And another loss, seed and optimiser go on from them, over a resume too."""
    first = train(tmp_path / 'a', {})
    assert first['begun_from'] is None
    other = {'train.init_from': str(tmp_path / 'a'), 'method.bound': 'iwae'}
    other |= {
        'method.bound_samples': '3',
        'train.seed': '5',
        'optimizer.clip_norm': '1.0',
    }
    still = {'optimizer.learning_rate': '1e-12', 'method.ema_decay': '0.0'}
    summary = train(tmp_path / 'b', other | still)
    assert 'initial weights are those' in capsys.readouterr().out
    assert summary['begun_from'] == {
        'run': str(tmp_path / 'a'),
        'step': 2,
        'state_sha256': first['state_sha256'],
    }
    method = methods.make(config_lib.load(CONFIG, TINY), Spec(8, 8, 3))
    start = jax.jit(method.init)(jax.random.key(9))
    config = config_lib.load(CONFIG, TINY)
    started = [opened.begin(config, start, tmp_path / n)[0].params for n in 'ab']
    assert len(jax.tree.leaves(started[0])) == 6
    same = partial(np.testing.assert_allclose, atol=1e-9)
    jax.tree.map(same, *started)
    with pytest.raises(AssertionError):
        jax.tree.map(same, started[0], start.params)

    shutil.rmtree(tmp_path / 'b/checkpoints/2')  # as if it ended at step 1
    (tmp_path / 'b/summary.json').unlink()
    again = train(tmp_path / 'b', other | still)
    assert 'going on from step 1' in capsys.readouterr().out
    assert again['begun_from'] == summary['begun_from']
    assert again['state_sha256'] == summary['state_sha256']


@pytest.mark.slow
def test_frozen_layers_stay_those_of_the_other_run_over_a_resume(tmp_path):
    """And a run that is killed and goes on ends as one that is not."""
    small = {k: v for k, v in TINY.items() if 'model' not in k and 'method' not in k}
    first = config_lib.load('configs/dcgan_emoji.py:tiny', small)
    loop.train(first, tmp_path / 'a')
    layer = 'discriminator/Conv_0'
    more = {'train.init_from': str(tmp_path / 'a'), 'optimizer.frozen': layer}
    config = config_lib.load('configs/dcgan_emoji.py:tiny', small | more)
    summaries = [loop.train(config, tmp_path / 'b')]
    shutil.rmtree(tmp_path / 'b/checkpoints/2')
    (tmp_path / 'b/summary.json').unlink()
    summaries.append(loop.train(config, tmp_path / 'b'))
    assert summaries[0]['state_sha256'] == summaries[1]['state_sha256']
    abstract = opened.model_of(tmp_path / 'a').abstract
    before, after = (
        by_name(opened.checkpoints_of(tmp_path / n).restore_step(abstract, None).params)
        for n in 'ab'
    )
    still = {n for n in before if np.array_equal(before[n], after[n])}
    assert still == {f'{layer}/bias', f'{layer}/kernel'}


@pytest.mark.slow
def test_samples_keep_the_distances_of_the_other_run_over_a_resume(tmp_path):
    """What is kept to is that run's G: no term at first, then one, and it stays."""
    small = {k: v for k, v in TINY.items() if 'model' not in k and 'method' not in k}
    file, weight = 'configs/dcgan_emoji.py:tiny', {'method.correspondence_weight': '9'}
    with pytest.raises(UserError, match='weight=9: give the run'):
        config_lib.load(file, small | weight)
    loop.train(config_lib.load(file, small), tmp_path / 'a')
    more = weight | {'train.init_from': str(tmp_path / 'a'), 'train.seed': '5'}
    more |= {'train.log_steps': '1', 'method.augment': ''}
    config = config_lib.load(file, small | more)
    summaries = [loop.train(config, tmp_path / 'b')]
    lines = (tmp_path / 'b/metrics.jsonl').read_text().splitlines()
    terms = [json.loads(line).get('train/correspondence') for line in lines]
    first, second = (term for term in terms if term is not None)
    assert abs(first) < 1e-5 < second
    shutil.rmtree(tmp_path / 'b/checkpoints/2')
    (tmp_path / 'b/summary.json').unlink()
    summaries.append(loop.train(config, tmp_path / 'b'))
    assert summaries[0]['state_sha256'] == summaries[1]['state_sha256']
    states = [
        opened.checkpoints_of(tmp_path / n).restore_step(
            opened.model_of(tmp_path / n).abstract, None
        )
        for n in 'ab'
    ]
    kept = by_name(states[1].extra['correspondence'][0])
    theirs = by_name(states[0].params['generator'])
    moved = by_name(states[1].params['generator'])
    assert len(kept) > 2 and kept.keys() == theirs.keys()
    assert all(np.array_equal(kept[name], theirs[name]) for name in kept)
    assert not all(np.array_equal(kept[name], moved[name]) for name in kept)


@pytest.mark.slow
@pytest.mark.parametrize(
    'changes, message',
    [
        ({'model.latent_dim': '4'}, r'is \(3, 192\), and this run has \(4, 192\)'),
        ({'model.decoder': 'mlp'}, r'has \(64,\): the networks'),
        ({'train.init_from': 'nowhere'}, 'nowhere'),
    ],
)
def test_other_networks_are_one_line_and_leave_no_folder(tmp_path, changes, message):
    train(tmp_path / 'a', {})
    with pytest.raises(UserError, match=message):
        train(tmp_path / 'b', {'train.init_from': str(tmp_path / 'a')} | changes)
    assert not (tmp_path / 'b').exists()


def fresh(config, seed):
    method = methods.make(config, Spec(8, 8, 3))
    return jax.jit(method.init)(jax.random.key(seed))


@pytest.mark.parametrize(
    'changes, anew',
    [({}, []), ({'method.name': 'gan'}, ['discriminator'])],
)
def test_a_packed_model_gives_all_that_it_has(tmp_path, changes, anew):
    """Parameters, statistics of batches and averages are its averages; a network that
    is not packed stays as it is, and is named."""
    config = config_lib.load(CONFIG, dict(list(TINY.items())[:1]) | changes)
    packed_state, start = fresh(config, 0), fresh(config, 1)
    about = {'config': 'x', 'step': 7, 'git_commit': ''}
    packed.pack(config, (), packed_state.weights(), about, tmp_path / 'p', half=False)
    state, record, left = opened.begin(config, start, tmp_path / 'p')
    assert (record['step'], left) == (7, anew)
    assert len(record['state_sha256']) == 64
    same = partial(jax.tree.map, np.testing.assert_array_equal)
    for part in opened.TAKEN:
        trees = (dict(getattr(s, part)) for s in (state, packed_state, start))
        new, stored, old = trees
        for name in anew:
            if name in new:
                same(new.pop(name), old.pop(name))
                stored.pop(name)
        same(new, stored)
    with pytest.raises(AssertionError):
        same(state.params, start.params)


@pytest.mark.parametrize('name', packed.names())
def test_a_run_of_its_config_begins_with_each_shipped_model(name):
    place = f'pretrained:{name}'
    model = opened.model_of(packed.find(place))
    taken = opened.check(model.config, model.abstract, place)
    left = model.abstract.params.keys() - taken
    assert left == ({'discriminator'} if name == 'emoji_gan' else set())
    for network in left:
        frozen = model.config.copy_and_resolve_references()
        config_lib.override(frozen, 'optimizer.frozen', network)
        with pytest.raises(UserError, match='random numbers would not learn'):
            opened.check(frozen, model.abstract, place)
    with pytest.raises(UserError, match=f'={place}: .*the networks must be the same'):
        other = 'emoji_vae' if name != 'emoji_vae' else 'art_vae'
        abstract = opened.model_of(packed.find(f'pretrained:{other}')).abstract
        opened.check(model.config, abstract, place)


def test_a_run_without_checkpoints(tmp_path):
    config = config_lib.load(CONFIG, {})
    (tmp_path / 'config.json').write_text(config_lib.to_json(config))
    with pytest.raises(UserError, match='has no checkpoints yet'):
        opened.check(config, None, tmp_path)


@pytest.mark.slow
def test_a_run_that_is_opened_again_compiles_nothing(tmp_path):
    """Equal configs share a method, also in another folder."""
    train(tmp_path / 'a', {})
    shutil.copytree(tmp_path / 'a', tmp_path / 'b')
    compiled = []
    jax.monitoring.register_event_duration_secs_listener(
        lambda event, *_, **__: compiled.append('backend_compile' in event)
    )

    def draw(folder):
        model = opened.load(folder)
        method = model.method
        weights = method.settle(model.weights)
        x = sampling.draw(method, weights, 0, 3)
        z = np.zeros((3, 3), np.float32)
        return method, np.stack([x, sampling.decode(method, weights, z)])

    first, pictures = draw(tmp_path / 'a')
    assert any(compiled)
    compiled.clear()
    again, equal = draw(tmp_path / 'b')
    assert again is first and not any(compiled)
    np.testing.assert_array_equal(equal, pictures)
    other = train(tmp_path / 'c', {'model.latent_dim': '4'})
    assert other and opened.load(tmp_path / 'c').method is not first


@pytest.mark.slow
def test_a_tokeniser_is_taken_from_another_kind_of_run(tmp_path, capsys):
    """And stays as it is, while the prior learns; of other levels it is refused."""
    small = {
        'data.image_size': '16',
        'model.halvings': '1',
        'model.code_width': '4',
        'eval.metrics': '',
        'train.steps': '2',
        'parallel.devices': '1',
    }
    config = config_lib.load('configs/vq_vae_art.py:tiny', small)
    loop.train(config, tmp_path / 'codes')
    taken = small | {
        'data.text': 'none',
        'method.condition': 'none',
        'method.tokeniser_steps': '0',
        'train.init_from': str(tmp_path / 'codes'),
    }
    config = config_lib.load('configs/prompt_art.py:tiny', taken)
    loop.train(config, tmp_path / 'prior')
    assert 'initial weights are those' in capsys.readouterr().out
    both = [
        opened.load(tmp_path / name).weights.averaged for name in ('codes', 'prior')
    ]
    # the first run's are averages: the second has its last weights
    last = opened.checkpoints_of(tmp_path / 'codes')
    last = last.restore_step(opened.model_of(tmp_path / 'codes').abstract, None)
    same = partial(np.testing.assert_array_equal)
    jax.tree.map(same, last.params['tokeniser'], both[1]['tokeniser'])
    other = taken | {'method.levels': '5,8,5,5'}
    with pytest.raises(UserError, match='has config.method.levels=8,5,5,5, and this'):
        loop.train(config_lib.load('configs/prompt_art.py:tiny', other), tmp_path / 'x')
    with pytest.raises(UserError, match='the tokeniser learns nothing'):
        config_lib.load('configs/prompt_art.py:tiny', taken | {'train.init_from': ''})
