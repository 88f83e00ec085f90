"""Every config runs its whole path as `:tiny`, finite, with no setting left unread."""

import json
import math
from pathlib import Path

import jax
import pytest

from configs import default
from gan_vae import config as config_lib
from gan_vae import data
from gan_vae.data.source import Source
from gan_vae.devices.mesh import put
from gan_vae.runs.program import build
from gan_vae.training import loop

CONFIGS = sorted(
    f for f in Path('configs').glob('*.py') if f.stem not in ('default', '__init__')
)


# Networks that are long to compile: dcgan_emoji, vae_emoji and others stand for them.
LONG = [
    *('beta_vae_shapes', 'infogan_mnist', 'sketch_vae_kanji', 'vae_gan_emoji'),
    'vrnn_kanji',
    'fast_style_emoji',
    *(f.stem for f in CONFIGS if '_cifar' in f.stem),
]
# Of these another test compiles the networks: what they change is traced alone.
TRACED = ('biggan_emoji', 'biggan_cifar', 'sngan_cifar', 'sngan_projection_cifar')
TRACED += ('ggan_cifar', 'lsgan_cifar')
TRACED += ('acgan_cifar', 'sagan_cifar', 'wgan_dragan_cifar', 'infogan_emoji')
TRACED += ('beta_tc_vae_shapes', 'dip_vae_shapes', 'factor_vae_shapes')
TRACED += ('vae_gan_cifar', 'vdvae_emoji')
TRACED += ('vrnn_muse', 'vrnn_nottingham', 'vrnn_piano')


@pytest.mark.parametrize(
    'file',
    [
        pytest.param(f, marks=pytest.mark.slow if f.stem in LONG else (), id=f.stem)
        for f in CONFIGS
        if f.stem not in TRACED
    ],
)
def test_tiny_variant_trains(file, tmp_path, capsys):
    config = config_lib.load(f'{file}:tiny', {'parallel.devices': '1'})
    summary = loop.train(config, tmp_path)
    assert 'nothing reads it' not in capsys.readouterr().out
    assert summary['step'] == 4 and len(summary['state_sha256']) == 64
    for metric in summary['metrics'].values():
        assert math.isfinite(metric['value']) and config.data.name in metric['protocol']
    record = [json.loads(line) for line in open(tmp_path / 'metrics.jsonl')]
    timed = [r['step'] for r in record if '_per_second' in ' '.join(r)]
    assert timed == [1, 2, 3, 4]
    for name in ('samples/0000004.png', 'samples.gif', 'data.png', 'parameters.txt'):
        assert (tmp_path / name).stat().st_size > 100
    assert list(tmp_path.glob('events.out.tfevents.*'))


@pytest.mark.slow
@pytest.mark.parametrize('name', TRACED)
def test_tiny_variant_is_traced(name):
    overrides = {'parallel.devices': '1'}
    config = config_lib.load(f'configs/{name}.py:tiny', overrides)
    reads = config_lib.Reads(config)
    examples = data.examples(reads.data, reads.data.split)
    program = build(reads, examples.spec)
    rows = config.data.batch_size * program.method.batches_per_step
    batch = put(Source(examples, rows).batch(0), program.mesh)
    state = jax.eval_shape(program.method.init, jax.random.key(0))
    after, metrics = jax.eval_shape(program.train_step, state, batch)
    assert jax.tree.structure(after) == jax.tree.structure(state)
    assert {'loss_d', 'loss'} & metrics.keys()
    unread = [k for k in reads.unread_settings() if k.startswith(('method', 'model'))]
    assert unread == []


def test_every_key_of_the_schema_is_read_somewhere():
    files = [f for f in Path('gan_vae').rglob('*.py') if f.name != 'config.py']
    source = ''.join(f.read_text() for f in files)
    flat = config_lib.flatten(default.get_config())
    assert [key for key in flat if f'.{key.split(".")[-1]}' not in source] == []
